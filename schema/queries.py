"""The query root."""

from typing import Annotated

import strawberry

import models
from kit import ids, password_rules
from kit.providers import ProviderName
from resolvers.invitations import find_invitation
from resolvers.permissions import FleetAction, find_fleet
from schema.accounts import Account
from schema.connections import Node
from schema.context import Info
from schema.events import SecurityEvent
from schema.fleet_nodes import find_fleet_node
from schema.fleet_types import Fleet, FleetInvitation
from schema.identity_type import SocialIdentity
from schema.key_type import ApiKey
from schema.scalars import Secret
from schema.two_factor_types import VERIFIED_APPS, AuthenticatorApp


@strawberry.type(
    description="Sign-in methods that this installation offers, and its rules: "
    "what a sign-up form needs to draw itself."
)
class SignInOptions:
    social_providers: list[ProviderName] = strawberry.field(description="Providers that one can sign in with.")
    password_min_length: int = strawberry.field(description="In Unicode code points.")
    password_max_length: int = strawberry.field(description="In Unicode code points.")
    verified_authenticator_apps: list[AuthenticatorApp] = strawberry.field(
        description="Authenticator apps that are known to work; any other that reads the QR code will do."
    )
    privacy_policy_url: str | None = strawberry.field(
        description="Where this installation explains what it stores and how to ask for erasure (GDPR); "
        "null if not set."
    )


@strawberry.type(description="What can be read.")
class Query:
    @strawberry.field(
        description="The account behind the bearer token, or null without one. A bad token is an UNAUTHENTICATED error."
    )
    def viewer(self, info: Info) -> Account | None:
        caller = info.context.caller
        return Account.of_caller(caller) if caller.account else None

    @strawberry.field(description="Any object the caller may see, by its global id.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The global id.")]
    ) -> Node | None:
        return await find_node(info, id)

    @strawberry.field(description="A fleet that the caller owns or is a member of.")
    async def fleet(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The fleet.")]
    ) -> Fleet | None:
        account_id = info.context.caller.signed_in().id
        row = await find_fleet(account_id, ids.from_global("fleet", id), FleetAction.READ)
        return Fleet.from_row(row) if row else None

    @strawberry.field(description="What an invitation link offers, for the person who holds it.")
    async def fleet_invitation(
        self, token: Annotated[Secret, strawberry.argument(description="The token in the mailed link.")]
    ) -> FleetInvitation | None:
        row = await find_invitation(token)
        return FleetInvitation.from_row(row) if row else None

    @strawberry.field(
        description="Sign-in methods that this installation offers, and its rules: "
        "what a sign-up form needs to draw itself."
    )
    async def sign_in_options(self, info: Info) -> SignInOptions:
        services = info.context.caller.services
        return SignInOptions(
            social_providers=list(services.providers),
            password_min_length=password_rules.MIN_LENGTH,
            password_max_length=password_rules.MAX_LENGTH,
            verified_authenticator_apps=list(VERIFIED_APPS),
            privacy_policy_url=services.settings.privacy_policy_url,
        )


async def find_node(info: Info, global_id: str) -> Node | None:
    """SECURITY: every look-up is scoped to the caller's account; foreign, unknown and malformed ids are all null."""
    caller = info.context.caller
    account_id = caller.signed_in().id
    if ids.from_global("account", global_id) == account_id:
        return Account.of_caller(caller)
    if key_id := ids.from_global("apikey", global_id):
        key = await models.ApiKey.filter(id=key_id, account_id=account_id).first()
        return ApiKey.from_row(key) if key else None
    if login_id := ids.from_global("identity", global_id):
        login = await models.SocialLogin.filter(id=login_id, account_id=account_id).first()
        return SocialIdentity.from_row(login) if login else None
    if event_id := ids.from_global("event", global_id):
        event = await models.SecurityEvent.filter(id=event_id, account_id=account_id).first()
        return SecurityEvent.from_row(event) if event else None
    return await find_fleet_node(account_id, global_id)
