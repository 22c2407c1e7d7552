"""How a mail leaves the house."""

from kit.settings import Settings
from mails.transports.base import MailNotSent, MailRefused, Transport
from mails.transports.outbox import NoTransport, OutboxTransport
from mails.transports.smtp import SmtpTransport

__all__ = ["MailNotSent", "MailRefused", "NoTransport", "OutboxTransport", "SmtpTransport", "Transport"]


def open_transport(settings: Settings) -> Transport:
    """The transport that the settings name."""
    if not settings.mail_url.startswith("outbox:"):
        return SmtpTransport(settings.mail_url, sender=settings.mail_from)
    return NoTransport() if settings.is_production else OutboxTransport()
