"""API keys, as clients see them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from kit import ids
from resolvers import api_keys
from schema.accounts import Account
from schema.context import Info
from schema.key_type import ApiKey
from schema.scalars import DateTimeText, Secret
from schema.user_errors import InvalidInput, LimitReached, NotFound, StepUpRequired, TooManyAttempts


@strawberry.input(description="A key to make.")
class CreateApiKeyInput:
    name: str = strawberry.field(description="What the key is for: 1 to 120 characters.")
    description: str | None = strawberry.field(default="", description="More about it: up to 1,000 characters.")
    expires_at: DateTimeText | None = strawberry.field(
        default=None, description="When the key ends by itself; never, if left out."
    )


@strawberry.input(description="A key and what to change of it.")
class RenameApiKeyInput:
    id: strawberry.ID = strawberry.field(description="The key.")
    name: str | None = strawberry.field(default=None, description="The new name; left as it is without one.")
    description: str | None = strawberry.field(
        default=None, description="The new description; left as it is without one."
    )


@strawberry.input(description="A key that gets a new secret.")
class RotateApiKeyInput:
    id: strawberry.ID = strawberry.field(description="The key.")
    overlap_seconds: int | None = strawberry.field(
        default=0, description="How long the former secret goes on working: 0 to 604,800 seconds."
    )


@strawberry.type(description="A key was made.")
class ApiKeyCreated:
    key: Secret = strawberry.field(description="The only time the key is shown.")
    api_key: ApiKey = strawberry.field(description="What stays visible of it.")


@strawberry.type(description="A key has a new secret.")
class ApiKeyRotated:
    key: Secret = strawberry.field(description="The new secret: the only time it is shown.")
    api_key: ApiKey = strawberry.field(description="What stays visible of it.")
    previous_key_ends_at: datetime = strawberry.field(description="Until when the former secret works.")


@strawberry.type(description="A key has a new name or description.")
class ApiKeyUpdated:
    api_key: ApiKey = strawberry.field(description="The key as it is now.")


@strawberry.type(description="The keys no longer work.")
class ApiKeysRevoked:
    ids: list[strawberry.ID] = strawberry.field(description="What was revoked.")
    account: Account = strawberry.field(description="The account as it is now.")


@strawberry.type(description="Said whatever the truth is.")
class LeakReportReceived:
    received: bool = strawberry.field(description="Always true.")


CreateApiKeyResult = Annotated[
    ApiKeyCreated | InvalidInput | StepUpRequired | LimitReached,
    strawberry.union("CreateApiKeyResult", description="How `createApiKey` answers."),
]
RenameApiKeyResult = Annotated[
    ApiKeyUpdated | InvalidInput | NotFound,
    strawberry.union("RenameApiKeyResult", description="How `renameApiKey` answers."),
]
RotateApiKeyResult = Annotated[
    ApiKeyRotated | InvalidInput | NotFound | StepUpRequired | LimitReached,
    strawberry.union("RotateApiKeyResult", description="How `rotateApiKey` answers."),
]
RevokeApiKeysResult = Annotated[
    ApiKeysRevoked | InvalidInput | NotFound,
    strawberry.union("RevokeApiKeysResult", description="How `revokeApiKeys` answers."),
]
ReportLeakedApiKeyResult = Annotated[
    LeakReportReceived | TooManyAttempts,
    strawberry.union("ReportLeakedApiKeyResult", description="How `reportLeakedApiKey` answers."),
]


@strawberry.type
class ApiKeyMutations:
    @strawberry.mutation(
        description="Makes a named key. The key itself is in this answer and never again. Needs a fresh sign-in."
    )
    async def create_api_key(
        self, info: Info, input: Annotated[CreateApiKeyInput, strawberry.argument(description="The key to make.")]
    ) -> CreateApiKeyResult:
        row, raw_secret = await api_keys.create_api_key(
            info.context.caller,
            name=input.name,
            description=input.description or "",
            expires_at=input.expires_at,
        )
        return ApiKeyCreated(key=Secret(raw_secret), api_key=ApiKey.from_row(row))

    @strawberry.mutation(description="Changes a key's name or description.")
    async def rename_api_key(
        self, info: Info, input: Annotated[RenameApiKeyInput, strawberry.argument(description="What to change.")]
    ) -> RenameApiKeyResult:
        row = await api_keys.rename_api_key(
            info.context.caller, _row_id(input.id), name=input.name, description=input.description
        )
        return ApiKeyUpdated(api_key=ApiKey.from_row(row))

    @strawberry.mutation(
        description="Replaces a key; the old one goes on working for the overlap given (0: ends at once)."
    )
    async def rotate_api_key(
        self, info: Info, input: Annotated[RotateApiKeyInput, strawberry.argument(description="Which, and how long.")]
    ) -> RotateApiKeyResult:
        row, raw_secret, ends_at = await api_keys.rotate_api_key(
            info.context.caller, _row_id(input.id), overlap_seconds=input.overlap_seconds or 0
        )
        return ApiKeyRotated(key=Secret(raw_secret), api_key=ApiKey.from_row(row), previous_key_ends_at=ends_at)

    @strawberry.mutation(
        description="Revokes one or many keys in one step: all of the ids given, or none. Bites on the next request."
    )
    async def revoke_api_keys(
        self, info: Info, ids: Annotated[list[strawberry.ID], strawberry.argument(description="1 to 1,000 keys.")]
    ) -> RevokeApiKeysResult:
        caller = info.context.caller
        await api_keys.revoke_api_keys(caller, [_row_id(key_id) for key_id in ids])
        return ApiKeysRevoked(ids=ids, account=Account.of_caller(caller))

    @strawberry.mutation(
        description="Revokes a leaked key, whoever calls. Answers the same whether or not the key existed; "
        "its owner gets a mail."
    )
    async def report_leaked_api_key(
        self, info: Info, key: Annotated[Secret, strawberry.argument(description="The key that was found.")]
    ) -> ReportLeakedApiKeyResult:
        await api_keys.report_leaked_api_key(info.context.caller, key)
        return LeakReportReceived(received=True)


def _row_id(key_id: str) -> UUID | None:
    return ids.from_global("apikey", key_id)
