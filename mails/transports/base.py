"""What a way out of the house must be able to do."""

from typing import Protocol

from models import Message

SLOWEST_SECONDS = 30.0
"""How long a transport may take over one mail, at most."""


class MailNotSent(Exception):
    """The transport could not hand the mail over; it stays in the outbox."""


class MailRefused(MailNotSent):
    """This mail was refused, and would most likely be again."""


class Transport(Protocol):
    """How a mail leaves."""

    keeps_text: bool
    """Whether the text stays readable in the table after sending: for the development outbox alone."""

    async def send(self, message: Message, *, mail_id: str) -> None:
        """Hand the mail over within SLOWEST_SECONDS. Raises MailNotSent, MailRefused."""

    async def rest(self) -> None:
        """There are no more mails for now: let go of what was kept open for the next."""

    async def check(self) -> None:
        """Reach whatever takes the mails. Raises Unavailable."""
