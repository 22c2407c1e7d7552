"""Changing the account's address, as clients see it."""

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers import email_changes
from schema.context import Info
from schema.scalars import EmailAddress, Secret
from schema.sessions import AccountSecured
from schema.user_errors import InvalidCode, InvalidInput, Refused, StepUpRequired, TooManyAttempts


@strawberry.type(description="A change of address that waits for the mailed code.")
class EmailChangeStarted:
    new_email: EmailAddress = strawberry.field(description="Where the code was mailed.")
    expires_at: datetime = strawberry.field(description="Until when the code works.")


RequestEmailChangeResult = Annotated[
    EmailChangeStarted | InvalidInput | StepUpRequired | TooManyAttempts,
    strawberry.union("RequestEmailChangeResult", description="How `requestEmailChange` answers."),
]
ConfirmEmailChangeResult = Annotated[
    AccountSecured | InvalidCode | TooManyAttempts | Refused,
    strawberry.union("ConfirmEmailChangeResult", description="How `confirmEmailChange` answers."),
]


@strawberry.type
class EmailChangeMutations:
    @strawberry.mutation(description="Mails a code to the new address. Needs a fresh sign-in.")
    async def request_email_change(
        self, info: Info, new_email: Annotated[EmailAddress, strawberry.argument(description="The address to have.")]
    ) -> RequestEmailChangeResult:
        started = await email_changes.request_email_change(info.context.caller, new_email=new_email)
        return EmailChangeStarted(new_email=EmailAddress(started.new_email), expires_at=started.expires_at)

    @strawberry.mutation(
        description="Moves the account to the new address with the mailed code. Ends all other sessions."
    )
    async def confirm_email_change(
        self, info: Info, code: Annotated[Secret, strawberry.argument(description="The six digits that were mailed.")]
    ) -> ConfirmEmailChangeResult:
        return AccountSecured.of(await email_changes.confirm_email_change(info.context.caller, code=code))
