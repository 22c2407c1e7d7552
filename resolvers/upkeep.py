"""What an operator does now and then: sealing anew under the newest key, and removing what has expired."""

from datetime import timedelta

from kit import clock
from kit.keyring import Keyring
from models import (
    DatabaseCounters,
    EmailChange,
    FleetInvitation,
    NobodysEvent,
    OutgoingMail,
    OwnershipOffer,
    PasswordReset,
    PendingSignUp,
    SignInTicket,
    SocialLoginAttempt,
    TotpDevice,
)
from models.base import unit_of_work

SENT_MAILS_KEPT = timedelta(days=30)


async def rotate_secrets(keyring: Keyring) -> dict[str, int]:
    """Seal under the newest key whatever rests under an older one; returns how many rows of which table."""
    return {"outgoing_mails": await OutgoingMail.reseal(keyring), "totp_devices": await TotpDevice.reseal(keyring)}


async def purge() -> dict[str, int]:
    """Remove what has expired; returns how many rows of which table."""
    counters = await DatabaseCounters().purge()
    async with unit_of_work():
        return {
            "attempt_counters": counters,
            "email_changes": await EmailChange.purge(),
            "nobodys_events": await NobodysEvent.purge(),
            "password_resets": await PasswordReset.purge(),
            "fleet_invitations": await FleetInvitation.purge(),
            "ownership_offers": await OwnershipOffer.purge(),
            "pending_sign_ups": await PendingSignUp.purge(),
            "sign_in_tickets": await SignInTicket.purge(),
            "social_login_attempts": await SocialLoginAttempt.purge(),
            "totp_devices": await TotpDevice.purge(),
            "outgoing_mails": await OutgoingMail.purge(sent_before=clock.now() - SENT_MAILS_KEPT),
        }
