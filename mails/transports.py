"""How a mail leaves the house."""

from typing import Protocol

import structlog

from models import Message

log = structlog.get_logger("gatehouse.mail")


class MailNotSent(Exception):
    """The transport could not hand the mail over; it stays in the outbox."""


class Transport(Protocol):
    """How a mail leaves."""

    keeps_text: bool
    """Whether the text stays readable in the table after sending: for the development outbox alone."""

    async def send(self, message: Message, *, mail_id: str) -> None:
        """Hand the mail over. Raises MailNotSent."""

    async def check(self) -> None:
        """Reach whatever takes the mails. Raises Unavailable."""


class OutboxTransport:
    """Development's transport: mails go no further than the table, where `GET /outbox` shows them, and the log."""

    keeps_text = True

    async def send(self, message: Message, *, mail_id: str) -> None:
        """Print the mail."""
        log.info("mail", id=mail_id, to=message.to, subject=message.subject, text=message.text)

    async def check(self) -> None:
        """The table is all there is."""


def open_transport(mail_url: str) -> Transport:
    """The transport that the setting names. Raises ValueError."""
    if mail_url != "outbox:":
        raise ValueError("only `outbox:` is there yet")
    return OutboxTransport()
