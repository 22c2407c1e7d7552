"""How a mail leaves the house."""

from kit.settings import Settings
from mails.transports.base import MailNotSent, MailRefused, Transport
from mails.transports.outbox import NoTransport, OutboxTransport

__all__ = ["MailNotSent", "MailRefused", "NoTransport", "OutboxTransport", "Transport"]


def open_transport(settings: Settings) -> Transport:
    """The transport that the settings name."""
    if not settings.mail_url.startswith("outbox:"):
        from mails.transports.smtp import SmtpTransport  # noqa: PLC0415 - a start without a mail server needs no client

        return SmtpTransport(settings.mail_url, sender=settings.mail_from)
    return NoTransport() if settings.is_production else OutboxTransport()
