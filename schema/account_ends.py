"""Taking everything along, and leaving for good, as clients see it."""

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers import account_deletion, account_export
from schema.context import Info
from schema.deletion_plan import DeletionPlan
from schema.scalars import JSON, EmailAddress, Secret
from schema.user_errors import InvalidCredentials, Refused, StepUpRequired, TooManyAttempts


@strawberry.type(description="All that is stored about the account, without secrets.")
class AccountDataExport:
    generated_at: datetime = strawberry.field(description="When its reading began.")
    data: JSON = strawberry.field(description="One document, with the names of this schema.")


@strawberry.type(description="The account is gone for good, and this session with it.")
class AccountDeleted:
    email: EmailAddress = strawberry.field(description="The address, which is free again.")
    removed: DeletionPlan = strawberry.field(description="What went with the account.")
    deleted_at: datetime = strawberry.field(description="When it went.")


ExportAccountDataResult = Annotated[
    AccountDataExport | StepUpRequired | TooManyAttempts,
    strawberry.union("ExportAccountDataResult", description="How `exportAccountData` answers."),
]
DeleteAccountResult = Annotated[
    AccountDeleted | InvalidCredentials | TooManyAttempts | Refused,
    strawberry.union("DeleteAccountResult", description="How `deleteAccount` answers."),
]


@strawberry.type
class AccountEndMutations:
    @strawberry.mutation(description="All that is stored about the account, without secrets. Needs a fresh sign-in.")
    async def export_account_data(self, info: Info) -> ExportAccountDataResult:
        export = await account_export.export_account_data(info.context.caller)
        return AccountDataExport(generated_at=export.generated_at, data=JSON(export.data))

    @strawberry.mutation(
        description="Removes the account for good, with its fleets, devices, keys and memberships. An account without "
        "a password sets one first."
    )
    async def delete_account(
        self, info: Info, password: Annotated[Secret, strawberry.argument(description="The account's password.")]
    ) -> DeleteAccountResult:
        deletion = await account_deletion.delete_account(info.context.caller, password=password)
        return AccountDeleted(
            email=EmailAddress(deletion.email),
            removed=DeletionPlan.of(deletion.removed),
            deleted_at=deletion.deleted_at,
        )
