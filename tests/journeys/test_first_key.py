"""The main job on the real thing: a process on a fresh folder, from sign-up to a key that is revoked, over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.features.test_api_keys import CREATE, REVOKE, VIEWER
from tests.support.gateway_process import running_gateway
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import sign_up
from tests.support.postgres import PostgresServer
from tests.support.sign_in import try_password

pytestmark = pytest.mark.process


@pytest.fixture(params=["sqlite", "postgres"])
async def environment(request: pytest.FixtureRequest) -> AsyncIterator[dict[str, str]]:
    """Nothing at all, or the address of an empty PostgreSQL."""
    if request.param == "sqlite":
        yield {}
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    async with postgres.own_database(template="template1") as url:
        yield {"GATEHOUSE_DATABASE_URL": url}


async def test_from_nothing_to_a_key_and_back(tmp_path: Path, environment: dict[str, str]) -> None:
    with running_gateway(tmp_path, environment) as gateway:
        async with httpx.AsyncClient(base_url=gateway.base_url) as http:
            guest = GraphQLClient(http)

            ann = await sign_up(guest, Mailbox(http))
            made = (await ann.client.run(CREATE, name="first key")).expect("ApiKeyCreated")
            program = guest.bearing(made["key"])
            seen = (await program.run(VIEWER)).root
            revoked = (await ann.client.run(REVOKE, ids=[made["apiKey"]["id"]])).expect("ApiKeysRevoked")
            refused = await program.run(VIEWER)
            mails = await Mailbox(http).mails(ann.email)
        exit_code = gateway.stop()
        gateway.start()
        async with httpx.AsyncClient(base_url=gateway.base_url) as http:
            again = await try_password(GraphQLClient(http), ann.email, ann.password)
            still = await GraphQLClient(http, ann.token).run(VIEWER)

    assert seen["email"] == ann.email
    assert [key["name"] for key in seen["apiKeys"]["nodes"]] == ["first key"]
    assert revoked["account"]["apiKeys"]["totalCount"] == 0
    assert (refused.status, refused.error_codes) == (401, ["UNAUTHENTICATED"])
    assert len(mails) == 2
    assert exit_code == 0
    again.expect("SessionStarted")
    assert still.root["email"] == ann.email
