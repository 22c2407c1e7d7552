"""Ways that end at home: development's, and production's where no mail server is set."""

import structlog

from mails.transports.base import MailNotSent
from models import Message

log = structlog.get_logger("gatehouse.mail")


class OutboxTransport:
    """Development's transport: mails go no further than the table, where `GET /outbox` shows them, and the log."""

    keeps_text = True

    async def send(self, message: Message, *, mail_id: str) -> None:
        """Print the mail."""
        log.info("mail", id=mail_id, to=message.to, subject=message.subject, text=message.text)

    async def rest(self) -> None:
        """Nothing is open."""

    async def check(self) -> None:
        """The table is all there is."""


class NoTransport:
    """Production without a mail server: mails wait, sealed, for one.

    SECURITY: they are not printed. Their codes and links open accounts, and logs are read by many (ASVS 16.2.5).
    """

    keeps_text = False

    async def send(self, message: Message, *, mail_id: str) -> None:
        """Leave the mail where it is. Raises MailNotSent."""
        del message, mail_id
        raise MailNotSent("GATEHOUSE_MAIL_URL names no mail server")

    async def rest(self) -> None:
        """Nothing is open."""

    async def check(self) -> None:
        """There is nothing to reach; that it is so is said at the start."""
