"""Mail by SMTP: over STARTTLS, over TLS, or plain to a local relay."""

import asyncio
import ssl
from dataclasses import dataclass, field
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib

from kit.errors import Unavailable
from mails.letters import POLICY, compose
from mails.transports.base import SLOWEST_SECONDS, MailNotSent, MailRefused
from models import Message

ANSWER_SECONDS = 10.0
"""How long the server may take over one step."""

_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_FAILURES = (aiosmtplib.SMTPException, OSError, ssl.SSLError, TimeoutError)


@dataclass(frozen=True, slots=True)
class MailServer:
    """What a `GATEHOUSE_MAIL_URL` names."""

    scheme: str
    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)

    @classmethod
    def from_url(cls, url: str) -> "MailServer":
        """Read the URL; what is percent-encoded in name and password is decoded. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("no mail server's URL")
        return cls(
            scheme=parts.scheme,
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password or "") if parts.username else None,
        )


class SmtpTransport:
    """Sends over one connection, which stays open from one mail to the next until there are no more."""

    keeps_text = False

    def __init__(self, mail_url: str, *, sender: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._server = MailServer.from_url(mail_url)
        self._sender = sender
        self._address = parseaddr(sender)[1]
        self._answer_seconds = answer_seconds
        # Made once: it reads all certificate authorities of the machine.
        self._tls = None if self._server.scheme == "smtp+plain" else ssl.create_default_context()
        self._open: aiosmtplib.SMTP | None = None

    async def send(self, message: Message, *, mail_id: str) -> None:
        """Hand one mail to the server. Raises MailNotSent, MailRefused."""
        try:
            letter = compose(message, sender=self._sender, mail_id=mail_id).as_bytes(policy=POLICY)
        except ValueError:
            raise MailRefused("it makes no letter") from None
        try:
            async with asyncio.timeout(SLOWEST_SECONDS):
                client = await self._client()
                await client.sendmail(self._address, [message.to], letter)
        except _FAILURES as error:
            self._drop()
            raise _as_not_sent(error) from None
        except BaseException:
            self._drop()
            raise

    async def rest(self) -> None:
        """Say goodbye to the server."""
        client, self._open = self._open, None
        if client is None:
            return
        try:
            await client.quit()
        except _FAILURES:
            client.close()

    async def check(self) -> None:
        """Connect, and sign in where the URL has a name. Raises Unavailable."""
        try:
            async with asyncio.timeout(SLOWEST_SECONDS):
                await self._client()
        except _FAILURES as error:
            raise Unavailable(f"The mail server ({_reason(error)})") from None
        finally:
            await self.rest()

    async def _client(self) -> aiosmtplib.SMTP:
        """A connection that answers: the one that is open, or a new one."""
        if self._open is not None and await _still_answers(self._open):
            return self._open
        self._drop()
        client = self._new_client()
        await client.connect()
        self._open = client
        return client

    def _new_client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.scheme == "smtps",
            # SECURITY: demanded, not merely taken where it is offered: a man in the middle would not offer it.
            start_tls=server.scheme == "smtp",
            tls_context=self._tls,
            local_hostname=self._address.rpartition("@")[2],
            timeout=self._answer_seconds,
        )

    def _drop(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


async def _still_answers(client: aiosmtplib.SMTP) -> bool:
    """Asked before each further mail: a connection that breaks later may have taken the mail, and it goes out twice."""
    try:
        await client.rset()
    except _FAILURES:
        return False
    return True


def _as_not_sent(error: BaseException) -> MailNotSent:
    """Refused for good is what is said of this recipient or this text, not of our name or the server's state."""
    refused = error.recipients[0] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error
    about_this_mail = isinstance(refused, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError)
    if about_this_mail and isinstance(refused, aiosmtplib.SMTPResponseException) and refused.code >= 500:  # noqa: PLR2004 - RFC 5321 section 4.2.1: 5yz is permanent
        return MailRefused(_reason(refused))
    return MailNotSent(_reason(refused))


_REASONS: dict[type[BaseException], str] = {
    aiosmtplib.SMTPAuthenticationError: "it refused the user name and password",
    aiosmtplib.SMTPResponseException: "it said no",
    ssl.SSLCertVerificationError: "its certificate is not trusted",
    TimeoutError: "it took too long",
    aiosmtplib.SMTPConnectError: "it can't be reached",
    ConnectionError: "the connection broke",
    aiosmtplib.SMTPException: "it does not offer what the URL asks for: encryption, or a way to sign in",
}


def _reason(error: BaseException) -> str:
    """What went wrong, for the log.

    SECURITY: never the server's own words, which may repeat addresses or what was sent (ASVS 16.2.5).
    """
    causes = (error.__cause__, error)
    known = (text for kind, text in _REASONS.items() if any(isinstance(cause, kind) for cause in causes))
    reason = next(known, "the connection broke")
    return f"{reason}, with {error.code}" if isinstance(error, aiosmtplib.SMTPResponseException) else reason
