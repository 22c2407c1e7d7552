"""A real SMTP server in a thread of its own, which can be told to refuse, to stall and to hang up."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kit import clock
from tests.support.services import HOST, PATIENCE_SECONDS, free_port

USER, PASSWORD = "post@example.org", "p@ss:w/rd%20"


@dataclass(frozen=True)
class Delivery:
    """One mail as the server took it."""

    sender: str
    recipients: list[str]
    letter: EmailMessage
    was_encrypted: bool
    user: bytes | None

    @property
    def text(self) -> str:
        return self.part("plain")

    @property
    def html(self) -> str:
        return self.part("html")

    def part(self, kind: str) -> str:
        """The text of one of the two parts."""
        body = self.letter.get_body((kind,))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")


class MailServer:
    """Takes mails, as long as it is not told otherwise. What it answers may be changed at any time."""

    def __init__(self) -> None:
        self.port = free_port()
        self.deliveries: list[Delivery] = []
        self.connections = 0
        self.recipient_answer = "250 OK"
        self.text_answer = "250 OK"
        self.stalls = False
        self.hangs_up = False
        self.has_text = threading.Event()
        self.let_go = threading.Event()
        self._changed = threading.Condition()

    def url(self, scheme: str, user: str = "") -> str:
        """What `GATEHOUSE_MAIL_URL` is to be."""
        return f"{scheme}://{user}{HOST}:{self.port}"

    def wait_for(self, mails: int) -> list[Delivery]:
        """Wait until so many mails have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.deliveries) >= mails, PATIENCE_SECONDS)
        return self.deliveries

    # --- What aiosmtpd calls, by these names

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        del server, envelope
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.has_text.set()
        if self.stalls:
            await asyncio.to_thread(self.let_go.wait, PATIENCE_SECONDS)
        if self.hangs_up:
            assert server.transport is not None
            server.transport.close()
            return "421 Gone"
        if self.text_answer.startswith("250"):
            with self._changed:
                self.deliveries.append(_delivery(session, envelope))
                self._changed.notify_all()
        return self.text_answer


def _delivery(session: Session, envelope: Envelope) -> Delivery:
    content = envelope.content
    assert isinstance(content, bytes)
    login, encryption = cast("object", session.auth_data), cast("object", session.ssl)
    return Delivery(
        sender=str(envelope.mail_from),
        recipients=list(envelope.rcpt_tos),
        letter=message_from_bytes(content, policy=policy.default),
        was_encrypted=encryption is not None,
        user=login.login if isinstance(login, LoginPassword) else None,
    )


def _knows(server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any) -> AuthResult:
    is_right = isinstance(login, LoginPassword) and (login.login, login.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False, auth_data=login)


@contextmanager
def running_mail_server(
    certificate: Path | None = None, *, encrypted_from_the_start: bool = False, asks_who: bool = False
) -> Iterator[MailServer]:
    """Run a server: with STARTTLS where it has a certificate, or with TLS from the start."""
    mail_server = MailServer()
    tls = None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    options: dict[str, Any] = {"ssl_context": tls} if encrypted_from_the_start else {"tls_context": tls}
    if asks_who:
        # aiosmtpd knows only of TLS that it began itself.
        is_late = not encrypted_from_the_start
        options |= {"authenticator": _knows, "auth_required": is_late, "auth_require_tls": is_late}
    controller = Controller(mail_server, hostname=HOST, port=mail_server.port, server_hostname="mail.test", **options)
    controller.start()
    # What the controller's own probe did.
    mail_server.connections = 0
    try:
        yield mail_server
    finally:
        mail_server.let_go.set()
        controller.stop()


def make_certificate(folder: Path) -> Path:
    """A certificate for the loopback address that vouches for itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file
