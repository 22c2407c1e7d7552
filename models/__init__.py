"""What is stored, and the rules that a row can keep by itself. The ORM loads every model named here."""

from models.accounts import Account, PendingSignUp, SignInOrigin
from models.api_keys import ApiKey, ApiKeySecret
from models.attempt_counters import AttemptCounter, DatabaseCounters
from models.events import SecurityEvent, SecurityEventKind
from models.outgoing_mail import Message, OutgoingMail
from models.two_factor import RecoveryCode, SignInTicket, TotpDevice

__all__ = [
    "Account",
    "ApiKey",
    "ApiKeySecret",
    "AttemptCounter",
    "DatabaseCounters",
    "Message",
    "OutgoingMail",
    "PendingSignUp",
    "RecoveryCode",
    "SecurityEvent",
    "SecurityEventKind",
    "SignInOrigin",
    "SignInTicket",
    "TotpDevice",
]
