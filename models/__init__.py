"""What is stored, and the rules that a row can keep by itself. The ORM loads every model named here."""

from models.accounts import Account, PendingSignUp, SignInOrigin
from models.api_keys import ApiKey, ApiKeySecret
from models.attempt_counters import AttemptCounter, DatabaseCounters
from models.events import SecurityEvent, SecurityEventKind
from models.fleets import Device, Fleet
from models.members import FleetInvitation, FleetRole, Membership, OwnershipOffer
from models.outgoing_mail import Message, OutgoingMail

__all__ = [
    "Account",
    "ApiKey",
    "ApiKeySecret",
    "AttemptCounter",
    "DatabaseCounters",
    "Device",
    "Fleet",
    "FleetInvitation",
    "FleetRole",
    "Membership",
    "Message",
    "OutgoingMail",
    "OwnershipOffer",
    "PendingSignUp",
    "SecurityEvent",
    "SecurityEventKind",
    "SignInOrigin",
]
