from pathlib import Path
from urllib.parse import quote

import pytest

from kit.errors import Unavailable
from mails.transports import MailNotSent, MailRefused
from mails.transports.smtp import MailServer as NamedServer
from mails.transports.smtp import SmtpTransport
from models import Message
from tests.support.mail_server import PASSWORD, USER, MailServer, running_mail_server
from tests.support.services import free_port

MESSAGE = Message("ann@example.com", "A subject", "Hello,\n\n.a line with a dot\n\nhttps://localhost:8000/x\n")
LOGIN = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@"


def transport(url: str, answer_seconds: float = 5) -> SmtpTransport:
    return SmtpTransport(url, sender="Gatehouse <no-reply@example.org>", answer_seconds=answer_seconds)


async def send(server: MailServer, scheme: str = "smtp+plain", *, user: str = "", answer_seconds: float = 5) -> None:
    way_out = transport(server.url(scheme, user), answer_seconds)
    try:
        await way_out.send(MESSAGE, mail_id="one")
    finally:
        await way_out.rest()


async def test_plain_relay_gets_the_mail() -> None:
    with running_mail_server() as server:
        await send(server)

    (delivery,) = server.deliveries
    assert (delivery.sender, delivery.recipients) == ("no-reply@example.org", ["ann@example.com"])
    assert delivery.text == MESSAGE.text
    assert delivery.letter["Message-ID"] == "<one@example.org>"
    assert not delivery.was_encrypted


@pytest.mark.parametrize(("scheme", "from_the_start"), [("smtp", False), ("smtps", True)])
async def test_encrypted_server_gets_name_and_password(trusted: Path, scheme: str, from_the_start: bool) -> None:
    with running_mail_server(trusted, encrypted_from_the_start=from_the_start, asks_who=True) as server:
        await send(server, scheme, user=LOGIN)

    (delivery,) = server.deliveries
    assert delivery.user == USER.encode()
    assert delivery.was_encrypted or from_the_start


async def test_server_without_encryption_gets_nothing() -> None:
    with running_mail_server() as server, pytest.raises(MailNotSent, match="does not offer"):
        await send(server, "smtp", user=LOGIN)

    assert server.deliveries == []


@pytest.mark.parametrize(("scheme", "from_the_start"), [("smtp", False), ("smtps", True)])
async def test_untrusted_server_gets_nothing(certificate: Path, scheme: str, from_the_start: bool) -> None:
    running = running_mail_server(certificate, encrypted_from_the_start=from_the_start)
    with running as server, pytest.raises(MailNotSent, match="certificate is not trusted"):
        await send(server, scheme)

    assert server.deliveries == []


async def test_wrong_password_is_no_fault_of_the_mail(trusted: Path) -> None:
    with running_mail_server(trusted, asks_who=True) as server, pytest.raises(MailNotSent) as caught:
        await send(server, "smtp", user=f"{quote(USER, safe='')}:wrong@")

    assert not isinstance(caught.value, MailRefused)
    assert "user name and password" in str(caught.value)
    assert "wrong" not in str(caught.value)
    assert server.deliveries == []


@pytest.mark.parametrize("answer", ["550 5.1.1 <ann@example.com> is unknown", "553 no"])
async def test_refused_recipient_is_told_apart(answer: str) -> None:
    with running_mail_server() as server:
        server.recipient_answer = answer
        with pytest.raises(MailRefused) as caught:
            await send(server)

    assert answer[:3] in str(caught.value)
    assert "ann@" not in str(caught.value)


@pytest.mark.parametrize(
    ("recipient", "text"), [("451 later", "250 OK"), ("250 OK", "452 full"), ("421 bye", "250 OK")]
)
async def test_server_that_says_later_is_asked_later(recipient: str, text: str) -> None:
    with running_mail_server() as server:
        server.recipient_answer, server.text_answer = recipient, text
        with pytest.raises(MailNotSent) as caught:
            await send(server)

    assert not isinstance(caught.value, MailRefused)
    assert server.deliveries == []


async def test_refused_text_is_told_apart() -> None:
    with running_mail_server() as server:
        server.text_answer = "554 looks like spam"
        with pytest.raises(MailRefused, match="554"):
            await send(server)


async def test_stalling_server_is_left_in_time() -> None:
    with running_mail_server() as server:
        server.stalls = True
        with pytest.raises(MailNotSent, match="too long"):
            await send(server, answer_seconds=0.2)


async def test_server_that_hangs_up_is_noticed() -> None:
    with running_mail_server() as server:
        server.hangs_up = True
        with pytest.raises(MailNotSent):
            await send(server)

    assert server.deliveries == []


async def test_absent_server_is_noticed() -> None:
    with pytest.raises(MailNotSent, match="can't be reached"):
        await transport(f"smtp+plain://127.0.0.1:{free_port()}").send(MESSAGE, mail_id="one")


async def test_one_connection_carries_many_mails() -> None:
    with running_mail_server() as server:
        way_out = transport(server.url("smtp+plain"))
        for number in range(3):
            await way_out.send(MESSAGE, mail_id=str(number))
        await way_out.rest()

    assert len(server.deliveries) == 3
    assert server.connections == 1


async def test_mail_after_a_refused_one_goes_out() -> None:
    with running_mail_server() as server:
        way_out = transport(server.url("smtp+plain"))
        server.recipient_answer = "550 no"
        with pytest.raises(MailRefused):
            await way_out.send(MESSAGE, mail_id="one")
        server.recipient_answer = "250 OK"
        await way_out.send(MESSAGE, mail_id="two")
        await way_out.rest()

    assert [delivery.letter["Message-ID"] for delivery in server.deliveries] == ["<two@example.org>"]


async def test_connection_that_broke_meanwhile_is_opened_anew() -> None:
    with running_mail_server() as server:
        way_out = transport(server.url("smtp+plain"))
        await way_out.send(MESSAGE, mail_id="one")
        assert way_out._open is not None
        way_out._open.close()
        await way_out.send(MESSAGE, mail_id="two")
        await way_out.rest()

    assert len(server.deliveries) == 2
    assert server.connections == 2


async def test_check_reaches_the_server(trusted: Path) -> None:
    with running_mail_server(trusted, asks_who=True) as server:
        await transport(server.url("smtp", LOGIN)).check()
        with pytest.raises(Unavailable, match="user name and password"):
            await transport(server.url("smtp", "eve:wrong@")).check()

    with pytest.raises(Unavailable, match="can't be reached"):
        await transport(server.url("smtp")).check()
    assert server.deliveries == []


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "password"),
    [
        ("smtp://mail.example.org", "mail.example.org", 587, None, None),
        ("smtps://mail.example.org", "mail.example.org", 465, None, None),
        ("smtp+plain://localhost", "localhost", 25, None, None),
        ("smtp://a%40b.c:p%3Aw%2F%25@[::1]:2525", "::1", 2525, "a@b.c", "p:w/%"),
    ],
)
def test_url_names_the_server(url: str, host: str, port: int, user: str | None, password: str | None) -> None:
    server = NamedServer.from_url(url)

    assert (server.host, server.port, server.user, server.password) == (host, port, user, password)
    assert not password or password not in repr(server)
