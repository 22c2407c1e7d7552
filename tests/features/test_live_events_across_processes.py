import asyncio
import base64
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.features.test_api_keys import CREATE
from tests.features.test_live_events import A_SECOND, ENDED, EVENTS, SIGN_OUT
from tests.support.databases import SqliteTemplate
from tests.support.gateway_process import GatewayProcess, running_gateway
from tests.support.graphql_client import GraphQLClient
from tests.support.live import COMPLETE, following
from tests.support.mailbox import Mailbox
from tests.support.people import Person, sign_up
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.process


@pytest.fixture(params=["sqlite", "postgres", "redis"])
async def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    environment = {"GATEHOUSE_SECRET_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")}
    if request.param == "sqlite":
        template: SqliteTemplate = request.getfixturevalue("sqlite_template")
        return environment | {"GATEHOUSE_DATABASE_URL": template.copy_to(tmp_path)}
    server: PostgresServer = request.getfixturevalue("postgres")
    environment |= {"GATEHOUSE_DATABASE_URL": await server.emptied_database()}
    if request.param == "redis":
        environment |= {"GATEHOUSE_REDIS_URL": request.getfixturevalue("redis_url")}
    return environment


@pytest.fixture
def here_and_there(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[GatewayProcess, GatewayProcess]]:
    """Two gateways on one database."""
    with ExitStack() as stack:
        folders = [tmp_path / name for name in ("here", "there")]
        for folder in folders:
            folder.mkdir()
        here, there = (stack.enter_context(running_gateway(folder, environment)) for folder in folders)
        yield here, there


async def test_what_happens_on_one_gateway_is_heard_on_another(
    here_and_there: tuple[GatewayProcess, GatewayProcess],
) -> None:
    here, there = here_and_there
    async with httpx.AsyncClient(base_url=there.base_url) as http:
        ann = await _sign_up(http)
        async with (
            following(here.base_url, EVENTS, token=ann.token) as events,
            following(here.base_url, ENDED, token=ann.token) as ended,
        ):
            await ann.client.run(CREATE, name="made there")
            event = await events.value(within=A_SECOND)
            await ann.client.run(SIGN_OUT)
            end = await ended.value(within=A_SECOND)
            last_event, completions = await events.value(), [await events.message(), await ended.message()]

    assert event["details"]["name"] == "made there"
    assert end["reason"] == last_event["kind"] == "SIGNED_OUT_EVERYWHERE"
    assert completions == [COMPLETE, COMPLETE]


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_streams_hear_all_workers_and_end_when_they_stop(tmp_path: Path, workers: str) -> None:
    with running_gateway(tmp_path, {"GATEHOUSE_WORKERS": workers}) as gateway:
        async with httpx.AsyncClient(base_url=gateway.base_url) as http:
            ann = await _sign_up(http)
            streams = [following(gateway.base_url, EVENTS, token=ann.token) for _ in range(8)]
            opened = await asyncio.gather(*(stream.__aenter__() for stream in streams))
            await ann.client.run(CREATE, name="deploy")
            events = await asyncio.gather(*(answers.value(within=A_SECOND) for answers in opened))
            asked_at = time.monotonic()
            gateway.ask_to_stop()
            ends = await asyncio.gather(*(answers.message() for answers in opened))
        code = await asyncio.to_thread(gateway.wait)
        took = time.monotonic() - asked_at

    assert {event["details"]["name"] for event in events} == {"deploy"}
    assert ends == [None] * len(opened)
    assert code == 0
    assert took < 5


async def _sign_up(http: httpx.AsyncClient) -> Person:
    return await sign_up(GraphQLClient(http), Mailbox(http))
