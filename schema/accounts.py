"""The account, as its own caller sees it. Nobody sees another's."""

from datetime import datetime
from typing import Annotated

import strawberry

import models
from kit import ids
from kit.errors import Unauthenticated
from models.members import fleets_of
from models.pages import read_page
from resolvers.account_deletion import plan_deletion
from resolvers.callers import Caller
from schema.connections import DEFAULT_PAGE, After, Connection, First, Node, connection_of
from schema.deletion_plan import DeletionPlan
from schema.events import SecurityEvent
from schema.fleet_types import Fleet, FleetInvitation
from schema.identity_type import SocialIdentity
from schema.key_type import ApiKey
from schema.scalars import EmailAddress
from schema.two_factor_types import TwoFactorStatus
from schema.user_errors import AuthenticationMethod


@strawberry.type(description="The caller signed in as a person.")
class SessionAuthentication:
    signed_in_at: datetime = strawberry.field(description="When the person proved who they are; a refresh keeps it.")
    expires_at: datetime = strawberry.field(description="When this session ends.")
    methods: list[AuthenticationMethod] = strawberry.field(description="How the person proved it.")


@strawberry.type(description="The caller is a program with an API key.")
class ApiKeyAuthentication:
    api_key: ApiKey = strawberry.field(description="The key.")


Authentication = Annotated[
    SessionAuthentication | ApiKeyAuthentication,
    strawberry.union("Authentication", description="How a caller proved who they are."),
]


@strawberry.type(description="A person's account.")
class Account(Node):
    email: EmailAddress = strawberry.field(description="The address to sign in with.")
    created_at: datetime = strawberry.field(description="When the account was made.")
    has_password: bool = strawberry.field(description="Whether there is a password to sign in with.")
    caller: strawberry.Private[Caller]

    @classmethod
    def of_caller(cls, caller: Caller) -> "Account":
        """The account of a caller who is signed in. Raises Unauthenticated."""
        facts = caller.signed_in()
        return cls(
            id=strawberry.ID(ids.to_global("account", facts.id)),
            email=EmailAddress(facts.email),
            created_at=facts.created_at,
            has_password=facts.has_password,
            caller=caller,
        )

    @strawberry.field(description="Identities at Google and GitHub that open the account, oldest first.")
    async def social_identities(self) -> list[SocialIdentity]:
        rows = await models.SocialLogin.filter(account_id=self.caller.signed_in().id).order_by("id")
        return [SocialIdentity.from_row(row) for row in rows]

    @strawberry.field(description="Whether signing in takes a second factor.")
    def two_factor(self) -> TwoFactorStatus:
        return TwoFactorStatus.of(self.caller.signed_in())

    @strawberry.field(description="How the caller proved who they are.")
    async def authentication(self) -> Authentication:
        session = self.caller.session
        if session is None:
            key = await models.ApiKey.get_or_none(id=self.caller.api_key_id)
            if key is None:
                # It has just revoked itself, or was revoked while this request was on its way.
                raise Unauthenticated
            return ApiKeyAuthentication(api_key=ApiKey.from_row(key))
        return SessionAuthentication(
            signed_in_at=session.signed_in_at,
            expires_at=session.expires_at,
            methods=[AuthenticationMethod(method) for method in session.methods],
        )

    @strawberry.field(description="The account's API keys, oldest first.")
    async def api_keys(self, first: First = DEFAULT_PAGE, after: After = None) -> Connection[ApiKey]:
        rows = models.ApiKey.filter(account_id=self.caller.signed_in().id)
        return connection_of(await read_page(rows, first=_size(first), after=after), ApiKey.from_row)

    @strawberry.field(description="Fleets that the account owns or is a member of.")
    async def fleets(self, first: First = DEFAULT_PAGE, after: After = None) -> Connection[Fleet]:
        rows = fleets_of(self.caller.signed_in().id)
        return connection_of(await read_page(rows, first=_size(first), after=after), Fleet.from_row)

    @strawberry.field(description="Open invitations to the account's address, oldest first.")
    async def invitations(self, first: First = DEFAULT_PAGE, after: After = None) -> Connection[FleetInvitation]:
        rows = models.FleetInvitation.open_for(self.caller.signed_in().id)
        return connection_of(await read_page(rows, first=_size(first), after=after), FleetInvitation.from_row)

    @strawberry.field(description="What `deleteAccount` would remove, before it is called.")
    async def deletion_plan(self) -> DeletionPlan:
        return DeletionPlan.of(await plan_deletion(self.caller.signed_in().id))

    @strawberry.field(description="What happened to this account, newest first.")
    async def security_events(
        self,
        first: First = DEFAULT_PAGE,
        after: After = None,
        kinds: Annotated[
            list[models.SecurityEventKind] | None,
            strawberry.argument(description="Only these kinds; all, if left out."),
        ] = None,
    ) -> Connection[SecurityEvent]:
        rows = models.SecurityEvent.filter(account_id=self.caller.signed_in().id)
        if kinds is not None:
            rows = rows.filter(kind__in=[kind.value for kind in kinds])
        page = await read_page(rows, first=_size(first), after=after, newest_first=True)
        return connection_of(page, SecurityEvent.from_row)


def _size(first: int | None) -> int:
    return DEFAULT_PAGE if first is None else first
