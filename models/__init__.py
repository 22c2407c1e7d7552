"""What is stored, and the rules that a row can keep by itself. The ORM loads every model named here."""

from models.accounts import Account, PendingSignUp, SignInOrigin
from models.api_keys import ApiKey, ApiKeySecret
from models.attempt_counters import AttemptCounter, DatabaseCounters
from models.email_changes import EmailChange
from models.events import NobodysEvent, SecurityEvent, SecurityEventKind
from models.fleets import Device, Fleet
from models.members import FleetInvitation, FleetRole, Membership, OwnershipOffer
from models.outgoing_mail import Message, OutgoingMail
from models.passwords import PasswordReset
from models.social_logins import SocialLogin, SocialLoginAttempt
from models.two_factor import RecoveryCode, SignInTicket, TotpDevice

__all__ = [
    "Account",
    "ApiKey",
    "ApiKeySecret",
    "AttemptCounter",
    "DatabaseCounters",
    "Device",
    "EmailChange",
    "Fleet",
    "FleetInvitation",
    "FleetRole",
    "Membership",
    "Message",
    "NobodysEvent",
    "OutgoingMail",
    "OwnershipOffer",
    "PasswordReset",
    "PendingSignUp",
    "RecoveryCode",
    "SecurityEvent",
    "SecurityEventKind",
    "SignInOrigin",
    "SignInTicket",
    "SocialLogin",
    "SocialLoginAttempt",
    "TotpDevice",
]
