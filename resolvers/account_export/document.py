"""The document as a whole: who may have it, and which section tells of which tables.

The shape is the schema's: ids are the global ones, names are the fields'.

SECURITY: no secret and no digest is in it, and other people's addresses only where the account's owner sees them in the
product.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kit import clock
from kit.addresses import client_network
from kit.throttle import EXPORT_ACCOUNT
from models import (
    Account,
    ApiKey,
    ApiKeySecret,
    Device,
    EmailChange,
    Fleet,
    FleetInvitation,
    Membership,
    OutgoingMail,
    OwnershipOffer,
    PasswordReset,
    RecoveryCode,
    SecurityEvent,
    SecurityEventKind,
    SignInOrigin,
    SignInTicket,
    SocialLogin,
    SocialLoginAttempt,
    TotpDevice,
)
from models.base import Row
from resolvers.account_export import fleets, person
from resolvers.callers import Caller


@dataclass(frozen=True, slots=True)
class AccountDataExport:
    """The document, and when its reading began."""

    generated_at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document, and the tables that it tells all of."""

    read: Callable[[Account, Caller], Awaitable[Any]]
    covers: tuple[type[Row], ...]


async def export_account_data(caller: Caller) -> AccountDataExport:
    """Five times a day, with a fresh sign-in. Raises Unauthenticated, StepUpRequired, TooManyAttempts.

    The unit of work ends before the document is read, and that goes statement by statement: a large account would keep
    everybody else waiting. So it is no picture of one moment; what changes meanwhile is in it as it was or as it is.
    """
    account_id = caller.freshly_signed_in().id
    client = client_network(caller.origin.ip_address)
    await caller.services.throttle.take([(EXPORT_ACCOUNT, str(account_id))], client=client)
    async with caller.changing_account() as account:
        await caller.record(account.id, SecurityEventKind.DATA_EXPORTED)
        generated_at = clock.now()
    data = {name: await section.read(account, caller) for name, section in SECTIONS.items()}
    # SECURITY: reading took its time, and whoever was signed out meanwhile takes nothing along.
    await caller.check_still_signed_in()
    return AccountDataExport(generated_at, data)


SECTIONS: Mapping[str, Section] = {
    "account": Section(person.account, (Account,)),
    "socialIdentities": Section(person.social_identities, (SocialLogin,)),
    "socialLoginAttempts": Section(person.social_login_attempts, (SocialLoginAttempt,)),
    "twoFactor": Section(person.two_factor, (TotpDevice, RecoveryCode)),
    "emailChange": Section(person.email_change, (EmailChange,)),
    "passwordResets": Section(person.password_resets, (PasswordReset,)),
    "apiKeys": Section(person.api_keys, (ApiKey, ApiKeySecret)),
    "fleets": Section(fleets.fleets, (Fleet, Membership, Device, OwnershipOffer)),
    "invitations": Section(fleets.invitations, (FleetInvitation,)),
    "securityEvents": Section(person.security_events, (SecurityEvent,)),
    "signInTickets": Section(person.sign_in_tickets, (SignInTicket,)),
    "signInOrigins": Section(person.sign_in_origins, (SignInOrigin,)),
    "mails": Section(person.mails, (OutgoingMail,)),
}
"""What the document has, by the names of `Account`'s fields where there are any. A test finds the tables about accounts
that no section names."""
