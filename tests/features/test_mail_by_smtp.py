"""The gateway with a real mail server, in this process and as processes."""

import asyncio
import base64
import os
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from kit.settings import Settings
from process.gateway import Gateway
from tests.support.gateway_process import GatewayProcess, running_gateway
from tests.support.graphql_client import GraphQLClient
from tests.support.mail_server import Delivery, MailServer, running_mail_server
from tests.support.mailbox import code_in, link_in
from tests.support.people import COMPLETE_SIGN_UP, PASSWORD, SIGN_UP
from tests.support.resets import request, reset
from tests.support.ways_in import NEW_PASSWORD

PRODUCTION = {
    "GATEHOUSE_ENVIRONMENT": "production",
    "GATEHOUSE_PUBLIC_URL": "https://accounts.example.org",
    "GATEHOUSE_ARGON2_MEMORY_KIB": "64",
    "GATEHOUSE_LOG_LEVEL": "debug",
}


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with running_mail_server() as server:
        yield server


@pytest.fixture
async def client_by_mail(database_url: str, mail_server: MailServer) -> AsyncIterator[GraphQLClient]:
    """A guest of a gateway that mails by SMTP."""
    settings = Settings(
        database_url=database_url,
        secret_keys=(secrets.token_bytes(32),),
        argon2_memory_kib=64,
        argon2_time_cost=1,
        mail_url=mail_server.url("smtp+plain"),
    )
    gateway = Gateway(settings)
    transport = httpx.ASGITransport(gateway.app)
    async with gateway.started(), httpx.AsyncClient(transport=transport, base_url=settings.public_url) as http:
        yield GraphQLClient(http)


async def sign_up(client: GraphQLClient, server: MailServer, email: str = "ann@example.com") -> Delivery:
    before = len(server.deliveries)
    started = (await client.run(SIGN_UP, email=email, password=PASSWORD)).expect("SignUpStarted")
    mail = (await asyncio.to_thread(server.wait_for, before + 1))[before]
    code = code_in(mail.text)
    (await client.run(COMPLETE_SIGN_UP, token=started["signUpToken"], code=code)).expect("SessionStarted")
    return mail


async def test_whole_way_back_by_mail(client_by_mail: GraphQLClient, mail_server: MailServer) -> None:
    welcome = await sign_up(client_by_mail, mail_server)
    (await request(client_by_mail)).expect("MailSentIfKnown")
    link = link_in((await asyncio.to_thread(mail_server.wait_for, 2))[1].text)

    (await reset(client_by_mail, link.rpartition("=")[2])).expect("PasswordReset")

    notice = (await asyncio.to_thread(mail_server.wait_for, 3))[2]
    assert [mail.recipients for mail in mail_server.deliveries] == [["ann@example.com"]] * 3
    assert welcome.letter["Auto-Submitted"] == "auto-generated"
    assert link in mail_server.deliveries[1].html
    assert notice.letter["Subject"] == "Your Gatehouse password was reset"
    assert NEW_PASSWORD not in notice.text


async def test_stalling_server_holds_no_request_up(client_by_mail: GraphQLClient, mail_server: MailServer) -> None:
    await sign_up(client_by_mail, mail_server)
    mail_server.stalls = True

    async with asyncio.timeout(2):
        for email in ("ann@example.com", "nobody@example.com") * 2:
            (await request(client_by_mail, email)).expect("MailSentIfKnown")

    assert len(mail_server.deliveries) == 1
    mail_server.let_go.set()


@pytest.mark.process
def test_processes_on_one_database_send_each_mail_once(tmp_path: Path, mail_server: MailServer) -> None:
    database = {
        "GATEHOUSE_DATABASE_URL": f"sqlite://{tmp_path / 'shared.sqlite3'}",
        "GATEHOUSE_SECRET_KEYS": new_key(),
        "GATEHOUSE_MAIL_URL": mail_server.url("smtp+plain"),
    }
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    people = [f"a{number}@x.test" for number in range(24)]

    with running_gateway(folders[0], database) as one, running_gateway(folders[1], database) as two:
        for number, email in enumerate(people):
            assert "SignUpStarted" in sign_up_at((one, two)[number % 2], email)
        mail_server.wait_for(len(people))
        one.stop()
        two.stop()

    assert sorted(mail.recipients[0] for mail in mail_server.deliveries) == sorted(people)


@pytest.mark.process
def test_production_without_a_mail_server_prints_no_code(tmp_path: Path, mail_server: MailServer) -> None:
    environment = PRODUCTION | {"GATEHOUSE_SECRET_KEYS": new_key()}
    gateway = GatewayProcess(tmp_path, environment)
    assert gateway.run("migrate").returncode == 0
    try:
        gateway.start()
        assert "SignUpStarted" in sign_up_at(gateway, "ann@example.com")
        gateway.stop()
        silent = gateway.output

        # Once there is a server, the mail that waited goes out.
        late = GatewayProcess(tmp_path, environment | {"GATEHOUSE_MAIL_URL": mail_server.url("smtp+plain")})
        late.start()
        (mail,) = mail_server.wait_for(1)
        assert late.stop() == 0
    finally:
        gateway.kill()

    code = code_in(mail.text)
    assert "mail_not_sent" in silent
    assert not re.search(rf"\b{code}\b", gateway.output)
    assert "Welcome to Gatehouse" not in gateway.output


@pytest.mark.process
def test_check_says_what_is_wrong_with_the_mail_server(tmp_path: Path, mail_server: MailServer) -> None:
    reached = GatewayProcess(tmp_path, {"GATEHOUSE_MAIL_URL": mail_server.url("smtp+plain")}).run("check")
    unencrypted = GatewayProcess(tmp_path, {"GATEHOUSE_MAIL_URL": mail_server.url("smtp", "post:hidden@")}).run("check")

    assert (reached.returncode, unencrypted.returncode) == (0, 1)
    assert "mail: The mail server (it does not offer what the URL asks for" in unencrypted.stdout
    assert "hidden" not in unencrypted.stdout + unencrypted.stderr


def new_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


def sign_up_at(gateway: GatewayProcess, email: str) -> str:
    body = {"query": SIGN_UP, "variables": {"email": email, "password": PASSWORD}}
    return httpx.post(f"{gateway.base_url}/graphql", json=body, timeout=10).text
