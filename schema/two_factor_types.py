"""Types of two-factor authentication, apart from its mutations: the account and the sign-in options need them too."""

from datetime import datetime

import strawberry

import models
from models.credentials import AccountFacts


@strawberry.type(description="Whether signing in takes a second factor, and what is left to get in without the app.")
class TwoFactorStatus:
    enabled: bool = strawberry.field(description="Whether two-factor authentication is on.")
    enabled_at: datetime | None = strawberry.field(description="Since when; null while it is off.")
    account: strawberry.Private[AccountFacts]

    @classmethod
    def of(cls, account: AccountFacts) -> "TwoFactorStatus":
        """What clients see of the account's second factor."""
        enabled_at = account.two_factor_enabled_at
        return cls(enabled=enabled_at is not None, enabled_at=enabled_at, account=account)

    @strawberry.field(description="How many recovery codes are left; none while it is off.")
    async def recovery_codes_remaining(self) -> int:
        return await models.RecoveryCode.remaining(self.account.id) if self.enabled else 0


@strawberry.type(description="An app that shows one-time codes.")
class AuthenticatorApp:
    name: str = strawberry.field(description="What the app is called.")
    url: str = strawberry.field(description="Where to get it.")


VERIFIED_APPS = (
    AuthenticatorApp(name="Google Authenticator", url="https://support.google.com/accounts/answer/1066447"),
    AuthenticatorApp(name="Authy", url="https://www.authy.com/download/"),
    AuthenticatorApp(name="1Password", url="https://1password.com/downloads"),
)
