"""Social login, as clients see it."""

from datetime import datetime
from typing import Annotated

import strawberry

from kit import ids
from kit.providers import ProviderName
from resolvers import social_logins
from resolvers.social_logins import LinkedIdentity
from schema.accounts import Account
from schema.context import Info
from schema.identity_type import SocialIdentity
from schema.scalars import Secret
from schema.sessions import SessionStarted, TwoFactorRequired, signed_in
from schema.user_errors import InvalidInput, InvalidToken, NotFound, Refused, StepUpRequired, TooManyAttempts


@strawberry.input(description="Which provider, and where it sends the browser back to.")
class BeginSocialLoginInput:
    provider: ProviderName = strawberry.field(description="Who is to vouch for the person.")
    redirect_uri: str = strawberry.field(
        description="Where the provider sends the browser back to; must be on the installation's list."
    )
    link: bool | None = strawberry.field(
        default=False, description="Link the identity to the caller's account, instead of signing in with it."
    )


@strawberry.input(description="What the provider sent back to the front-end, and the handle that stayed there.")
class CompleteSocialLoginInput:
    handle: Secret = strawberry.field(description="The handle from `beginSocialLogin`, kept by the client that began.")
    state: str = strawberry.field(description="The `state` that came back.")
    code: Secret = strawberry.field(description="The `code` that came back.")


@strawberry.type(description="A sign-in that waits for the provider.")
class SocialLoginStarted:
    authorization_url: str = strawberry.field(description="Where to send the browser.")
    handle: Secret = strawberry.field(description="Keep it in this client: `completeSocialLogin` wants it.")
    state: str = strawberry.field(description="What the provider must send back.")
    expires_at: datetime = strawberry.field(description="Until when it can be finished.")


@strawberry.type(description="An identity opens the caller's account from now on.")
class SocialIdentityLinked:
    identity: SocialIdentity = strawberry.field(description="The identity.")
    account: Account = strawberry.field(description="The account as it is now.")


@strawberry.type(description="A success whose outcome is the account itself.")
class AccountUpdated:
    account: Account = strawberry.field(description="The account as it is now.")


BeginSocialLoginResult = Annotated[
    SocialLoginStarted | InvalidInput | StepUpRequired | Refused,
    strawberry.union("BeginSocialLoginResult", description="How `beginSocialLogin` answers."),
]
CompleteSocialLoginResult = Annotated[
    SessionStarted | TwoFactorRequired | SocialIdentityLinked | InvalidToken | TooManyAttempts | Refused,
    strawberry.union("CompleteSocialLoginResult", description="How `completeSocialLogin` answers."),
]
UnlinkSocialIdentityResult = Annotated[
    AccountUpdated | NotFound | StepUpRequired | Refused,
    strawberry.union("UnlinkSocialIdentityResult", description="How `unlinkSocialIdentity` answers."),
]


@strawberry.type
class SocialLoginMutations:
    @strawberry.mutation(
        description="Starts a sign-in with Google or GitHub, or (with a session, `link: true`) links one to the "
        "account."
    )
    async def begin_social_login(
        self,
        info: Info,
        input: Annotated[BeginSocialLoginInput, strawberry.argument(description="Which provider, and whereto.")],
    ) -> BeginSocialLoginResult:
        started = await social_logins.begin_social_login(
            info.context.caller, provider=input.provider, redirect_uri=input.redirect_uri, link=bool(input.link)
        )
        return SocialLoginStarted(
            authorization_url=started.authorization_url,
            handle=Secret(started.raw_handle),
            state=started.state,
            expires_at=started.expires_at,
        )

    @strawberry.mutation(description="Finishes it with what the provider sent back to the front-end.")
    async def complete_social_login(
        self,
        info: Info,
        input: Annotated[CompleteSocialLoginInput, strawberry.argument(description="Handle, state and code.")],
    ) -> CompleteSocialLoginResult:
        caller = info.context.caller
        outcome = await social_logins.complete_social_login(
            caller, raw_handle=input.handle, state=input.state, code=input.code
        )
        if isinstance(outcome, LinkedIdentity):
            identity = SocialIdentity.from_row(outcome.login)
            return SocialIdentityLinked(identity=identity, account=Account.of_caller(caller))
        return signed_in(outcome)

    @strawberry.mutation(
        description="Takes an identity off the account. Refused for the last way in. Needs a fresh sign-in."
    )
    async def unlink_social_identity(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The identity.")]
    ) -> UnlinkSocialIdentityResult:
        caller = info.context.caller
        await social_logins.unlink_social_identity(caller, ids.from_global("identity", id))
        return AccountUpdated(account=Account.of_caller(caller))
