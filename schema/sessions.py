"""Signing up and signing in, as clients see it."""

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers import accounts, sessions
from resolvers.sessions import StartedSession, TwoFactorTicket
from schema.accounts import Account
from schema.context import Info
from schema.scalars import EmailAddress, Secret
from schema.user_errors import (
    AuthenticationMethod,
    InvalidCode,
    InvalidCredentials,
    InvalidInput,
    InvalidToken,
    Refused,
    TooManyAttempts,
)


@strawberry.input(description="Who signs up.")
class SignUpInput:
    email: EmailAddress = strawberry.field(description="The address, which must be able to get mail.")
    password: Secret = strawberry.field(description="The password to have: 8 to 256 characters, better 15 or more.")


@strawberry.input(description="What finishes a sign-up.")
class CompleteSignUpInput:
    sign_up_token: Secret = strawberry.field(description="From `signUp`, in the client that started.")
    code: Secret = strawberry.field(description="The six digits that were mailed.")


@strawberry.input(description="Who signs in.")
class LogInInput:
    email: EmailAddress = strawberry.field(description="The account's address.")
    password: Secret = strawberry.field(description="The account's password.")


@strawberry.input(
    description="Give what the account has: the password, or (two-factor on) a code, "
    "or (no password) the result of a new social login."
)
class StepUpInput:
    password: Secret | None = strawberry.field(default=None, description="The account's password.")
    code: str | None = strawberry.field(default=None, description="The six digits that the authenticator app shows.")
    recovery_code: Secret | None = strawberry.field(
        default=None, description="One of the recovery codes, which is used up by it."
    )


@strawberry.type(description="A sign-up that waits for the mailed code.")
class SignUpStarted:
    email: EmailAddress = strawberry.field(description="Where the code was mailed.")
    sign_up_token: Secret = strawberry.field(description="Keep it: `completeSignUp` wants it beside the mailed code.")
    expires_at: datetime = strawberry.field(description="Until when the code works.")


@strawberry.type(
    description="A sign-in. Send `token` as `Authorization: Bearer …`; it ends at `expiresAt`, seven days on."
)
class SessionStarted:
    token: Secret = strawberry.field(description="The session token.")
    expires_at: datetime = strawberry.field(description="When the token ends.")
    account: Account = strawberry.field(description="Who is signed in.")

    @classmethod
    def of(cls, session: StartedSession) -> "SessionStarted":
        """What clients see of a session that began with this answer."""
        return cls(
            token=Secret(session.token),
            expires_at=session.claims.expires_at,
            account=Account.of_caller(session.caller),
        )


@strawberry.type(
    description="The first step was right, and a second is needed within minutes: see `completeTwoFactor`."
)
class TwoFactorRequired:
    ticket: Secret = strawberry.field(description="For `completeTwoFactor`, which it opens once, and nothing else.")
    expires_at: datetime = strawberry.field(description="Until when the ticket works.")
    methods: list[AuthenticationMethod] = strawberry.field(description="What the second step may be taken with.")

    @classmethod
    def of(cls, ticket: TwoFactorTicket) -> "TwoFactorRequired":
        """What clients see of a sign-in that waits for its second step."""
        methods = [AuthenticationMethod(method) for method in ticket.methods]
        return cls(ticket=Secret(ticket.raw_ticket), expires_at=ticket.expires_at, methods=methods)


def signed_in(outcome: StartedSession | TwoFactorTicket) -> SessionStarted | TwoFactorRequired:
    """What clients see of a first factor that was right."""
    return TwoFactorRequired.of(outcome) if isinstance(outcome, TwoFactorTicket) else SessionStarted.of(outcome)


@strawberry.type(description="A success after which the caller holds a new session: the older ones have ended.")
class AccountSecured:
    account: Account = strawberry.field(description="The account as it is now.")
    session: SessionStarted = strawberry.field(description="The caller's new session.")

    @classmethod
    def of(cls, session: StartedSession) -> "AccountSecured":
        """What clients see of a change that ended all sessions but the caller's new one."""
        return cls(account=Account.of_caller(session.caller), session=SessionStarted.of(session))


SignUpResult = Annotated[
    SignUpStarted | InvalidInput | TooManyAttempts,
    strawberry.union("SignUpResult", description="How `signUp` answers."),
]
CompleteSignUpResult = Annotated[
    SessionStarted | InvalidCode | InvalidToken | TooManyAttempts,
    strawberry.union("CompleteSignUpResult", description="How `completeSignUp` answers."),
]
LogInResult = Annotated[
    SessionStarted | TwoFactorRequired | InvalidCredentials | InvalidInput | TooManyAttempts,
    strawberry.union("LogInResult", description="How `logIn` answers."),
]
RefreshSessionResult = Annotated[
    SessionStarted | Refused, strawberry.union("RefreshSessionResult", description="How `refreshSession` answers.")
]
StepUpResult = Annotated[
    SessionStarted | InvalidCredentials | InvalidCode | InvalidInput | TooManyAttempts | Refused,
    strawberry.union("StepUpResult", description="How `stepUp` answers."),
]
SignOutEverywhereResult = Annotated[
    SessionStarted | Refused,
    strawberry.union("SignOutEverywhereResult", description="How `signOutEverywhere` answers."),
]


@strawberry.type
class SessionMutations:
    @strawberry.mutation(
        description="Starts a sign-up and mails a six-digit code. Answers the same whether or not the address has an "
        "account; the owner of an existing account gets a mail that says so instead."
    )
    async def sign_up(
        self, info: Info, input: Annotated[SignUpInput, strawberry.argument(description="Who signs up.")]
    ) -> SignUpResult:
        started = await accounts.sign_up(info.context.caller, email=input.email, password=input.password)
        return SignUpStarted(
            email=EmailAddress(started.email),
            sign_up_token=Secret(started.raw_token),
            expires_at=started.expires_at,
        )

    @strawberry.mutation(
        description="Finishes a sign-up with the mailed code, in the client that started it, and signs in."
    )
    async def complete_sign_up(
        self, info: Info, input: Annotated[CompleteSignUpInput, strawberry.argument(description="Token and code.")]
    ) -> CompleteSignUpResult:
        return SessionStarted.of(
            await accounts.complete_sign_up(info.context.caller, sign_up_token=input.sign_up_token, code=input.code)
        )

    @strawberry.mutation(
        description="Signs in with a password. With two-factor authentication on, "
        "the answer is a `TwoFactorRequired` ticket."
    )
    async def log_in(
        self, info: Info, input: Annotated[LogInInput, strawberry.argument(description="Who signs in.")]
    ) -> LogInResult:
        return signed_in(await sessions.log_in(info.context.caller, email=input.email, password=input.password))

    @strawberry.mutation(description="A fresh seven-day session token for a valid one. API keys can't be refreshed.")
    async def refresh_session(self, info: Info) -> RefreshSessionResult:
        return SessionStarted.of(await sessions.refresh_session(info.context.caller))

    @strawberry.mutation(
        description="Proves again who is calling: answers with a session fresh enough for sensitive changes."
    )
    async def step_up(
        self, info: Info, input: Annotated[StepUpInput, strawberry.argument(description="What proves it.")]
    ) -> StepUpResult:
        return SessionStarted.of(
            await sessions.step_up(
                info.context.caller, password=input.password, code=input.code, recovery_code=input.recovery_code
            )
        )

    @strawberry.mutation(
        description="Ends every session of the account, and answers with one new session for the caller."
    )
    async def sign_out_everywhere(self, info: Info) -> SignOutEverywhereResult:
        return SessionStarted.of(await sessions.sign_out_everywhere(info.context.caller))
