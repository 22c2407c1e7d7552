"""Two-factor authentication, as clients see it."""

import asyncio
from datetime import datetime
from typing import Annotated

import strawberry

from kit import totp
from resolvers import two_factor
from resolvers.two_factor import StartedPairing
from schema.context import Info
from schema.scalars import SVG, Secret
from schema.sessions import AccountSecured, SessionStarted
from schema.user_errors import (
    InvalidCode,
    InvalidCredentials,
    InvalidInput,
    InvalidToken,
    Refused,
    StepUpRequired,
    TooManyAttempts,
)

_GROUP = 4
"""Characters that a person reads at a time."""


@strawberry.input(description="Give exactly one of `code` and `recoveryCode`.")
class CompleteTwoFactorInput:
    ticket: Secret = strawberry.field(description="From `logIn` or `completeSocialLogin`.")
    code: str | None = strawberry.field(default=None, description="The six digits that the authenticator app shows.")
    recovery_code: Secret | None = strawberry.field(
        default=None, description="One of the recovery codes, which is used up by it; case and hyphens don't matter."
    )


@strawberry.type(description="A pairing that waits for the app's first code. Nothing is switched on yet.")
class TwoFactorPairing:
    manual_entry_key: Secret = strawberry.field(description="For apps that can't scan: base32 in groups of four.")
    otpauth_uri: Secret = strawberry.field(description="What the QR code says.")
    expires_at: datetime = strawberry.field(description="Until when a code confirms this pairing.")

    @strawberry.field(description="Scan it with the authenticator app.")
    async def qr_svg(self) -> SVG:
        # It takes some 20 ms, in which others need not wait.
        return SVG(await asyncio.to_thread(totp.qr_svg, self.otpauth_uri))

    @classmethod
    def of(cls, pairing: StartedPairing) -> "TwoFactorPairing":
        """What clients see of a pairing: only here."""
        key = pairing.raw_secret
        return cls(
            manual_entry_key=Secret(" ".join(key[start : start + _GROUP] for start in range(0, len(key), _GROUP))),
            otpauth_uri=Secret(pairing.raw_uri),
            expires_at=pairing.expires_at,
        )


@strawberry.type(description="Two-factor authentication is on.")
class TwoFactorEnabled:
    recovery_codes: list[Secret] = strawberry.field(
        description="Each signs in once in place of a code. The only time that they are shown."
    )
    session: SessionStarted = strawberry.field(description="A fresh session: the older ones have ended.")


@strawberry.type(description="New recovery codes.")
class RecoveryCodes:
    recovery_codes: list[Secret] = strawberry.field(
        description="Each signs in once in place of a code. The only time that they are shown."
    )


CompleteTwoFactorResult = Annotated[
    SessionStarted | InvalidCode | InvalidToken | InvalidInput | TooManyAttempts,
    strawberry.union("CompleteTwoFactorResult", description="How `completeTwoFactor` answers."),
]
BeginTwoFactorPairingResult = Annotated[
    TwoFactorPairing | StepUpRequired | Refused,
    strawberry.union("BeginTwoFactorPairingResult", description="How `beginTwoFactorPairing` answers."),
]
ConfirmTwoFactorPairingResult = Annotated[
    TwoFactorEnabled | InvalidCode | TooManyAttempts | Refused,
    strawberry.union("ConfirmTwoFactorPairingResult", description="How `confirmTwoFactorPairing` answers."),
]
RegenerateRecoveryCodesResult = Annotated[
    RecoveryCodes | StepUpRequired | Refused,
    strawberry.union("RegenerateRecoveryCodesResult", description="How `regenerateRecoveryCodes` answers."),
]
DisableTwoFactorResult = Annotated[
    AccountSecured | InvalidCredentials | TooManyAttempts | Refused,
    strawberry.union("DisableTwoFactorResult", description="How `disableTwoFactor` answers."),
]


@strawberry.type
class TwoFactorMutations:
    @strawberry.mutation(
        description="Second step of any sign-in: a code from the authenticator app, or one recovery code."
    )
    async def complete_two_factor(
        self,
        info: Info,
        input: Annotated[CompleteTwoFactorInput, strawberry.argument(description="The ticket and what proves it.")],
    ) -> CompleteTwoFactorResult:
        return SessionStarted.of(
            await two_factor.complete_two_factor(
                info.context.caller, ticket=input.ticket, code=input.code, recovery_code=input.recovery_code
            )
        )

    @strawberry.mutation(
        description="Starts pairing an authenticator app. Nothing is switched on yet. Needs a fresh sign-in."
    )
    async def begin_two_factor_pairing(self, info: Info) -> BeginTwoFactorPairingResult:
        return TwoFactorPairing.of(await two_factor.begin_two_factor_pairing(info.context.caller))

    @strawberry.mutation(
        description="Switches two-factor authentication on with a code from the app, and shows the recovery codes: "
        "only here."
    )
    async def confirm_two_factor_pairing(
        self, info: Info, code: Annotated[str, strawberry.argument(description="The six digits that the app shows.")]
    ) -> ConfirmTwoFactorPairingResult:
        enabled = await two_factor.confirm_two_factor_pairing(info.context.caller, code=code)
        return TwoFactorEnabled(
            recovery_codes=[Secret(raw_code) for raw_code in enabled.raw_codes],
            session=SessionStarted.of(enabled.session),
        )

    @strawberry.mutation(description="New recovery codes; the old ones stop working. Needs a fresh sign-in.")
    async def regenerate_recovery_codes(self, info: Info) -> RegenerateRecoveryCodesResult:
        raw_codes = await two_factor.regenerate_recovery_codes(info.context.caller)
        return RecoveryCodes(recovery_codes=[Secret(raw_code) for raw_code in raw_codes])

    @strawberry.mutation(
        description="Switches two-factor authentication off and wipes the app's secret and the recovery codes. "
        "Needs a session that passed the second factor."
    )
    async def disable_two_factor(
        self, info: Info, password: Annotated[Secret, strawberry.argument(description="The account's password.")]
    ) -> DisableTwoFactorResult:
        return AccountSecured.of(await two_factor.disable_two_factor(info.context.caller, password=password))
