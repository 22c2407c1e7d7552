"""Passwords set, changed and reset, as clients see it."""

from typing import Annotated

import strawberry

from resolvers import password_changes, password_resets
from schema.context import Info
from schema.scalars import EmailAddress, Secret
from schema.sessions import AccountSecured
from schema.user_errors import InvalidCredentials, InvalidInput, InvalidToken, Refused, StepUpRequired, TooManyAttempts


@strawberry.input(description="What sets a new password.")
class ResetPasswordInput:
    token: Secret = strawberry.field(description="From the mailed link.")
    new_password: Secret = strawberry.field(description="The password to have: 8 to 256 characters, better 15 or more.")


@strawberry.input(description="The password, and what it is to be from now on.")
class ChangePasswordInput:
    current_password: Secret = strawberry.field(description="The account's password.")
    new_password: Secret = strawberry.field(description="The password to have: 8 to 256 characters, better 15 or more.")


@strawberry.type(description="Said whatever the truth is: the mail tells the rest.")
class MailSentIfKnown:
    email: EmailAddress = strawberry.field(description="The address that was asked for.")


@strawberry.type(description="The password is set, and every session has ended. Sign in with it.")
class PasswordReset:
    email: EmailAddress = strawberry.field(description="The account's address.")


RequestPasswordResetResult = Annotated[
    MailSentIfKnown | InvalidInput | TooManyAttempts,
    strawberry.union("RequestPasswordResetResult", description="How `requestPasswordReset` answers."),
]
ResetPasswordResult = Annotated[
    PasswordReset | InvalidToken | InvalidInput | TooManyAttempts,
    strawberry.union("ResetPasswordResult", description="How `resetPassword` answers."),
]
SetPasswordResult = Annotated[
    AccountSecured | InvalidInput | StepUpRequired | Refused,
    strawberry.union("SetPasswordResult", description="How `setPassword` answers."),
]
ChangePasswordResult = Annotated[
    AccountSecured | InvalidCredentials | InvalidInput | TooManyAttempts | Refused,
    strawberry.union("ChangePasswordResult", description="How `changePassword` answers."),
]


@strawberry.type
class PasswordMutations:
    @strawberry.mutation(description="Mails a reset link if the address has an account; always answers the same.")
    async def request_password_reset(
        self, info: Info, email: Annotated[EmailAddress, strawberry.argument(description="The account's address.")]
    ) -> RequestPasswordResetResult:
        asked_for = await password_resets.request_password_reset(info.context.caller, email=email)
        return MailSentIfKnown(email=EmailAddress(asked_for))

    @strawberry.mutation(
        description="Sets a new password with the mailed token, ends all sessions. Neither signs in nor touches "
        "two-factor authentication."
    )
    async def reset_password(
        self, info: Info, input: Annotated[ResetPasswordInput, strawberry.argument(description="Token and password.")]
    ) -> ResetPasswordResult:
        email = await password_resets.reset_password(
            info.context.caller, token=input.token, new_password=input.new_password
        )
        return PasswordReset(email=EmailAddress(email))

    @strawberry.mutation(description="Adds a password to an account made by social login. Needs a fresh sign-in.")
    async def set_password(
        self, info: Info, new_password: Annotated[Secret, strawberry.argument(description="The password to have.")]
    ) -> SetPasswordResult:
        return AccountSecured.of(await password_changes.set_password(info.context.caller, new_password=new_password))

    @strawberry.mutation(description="Replaces the password, which takes the current one. Ends all other sessions.")
    async def change_password(
        self, info: Info, input: Annotated[ChangePasswordInput, strawberry.argument(description="Both passwords.")]
    ) -> ChangePasswordResult:
        session = await password_changes.change_password(
            info.context.caller, current_password=input.current_password, new_password=input.new_password
        )
        return AccountSecured.of(session)
