import asyncio
import base64
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

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
def source(request: pytest.FixtureRequest) -> tuple[SqliteTemplate | PostgresServer, str | None]:
    """Where the database comes from, and the Redis beside it: each way has a carrier of its own."""
    redis_url = request.getfixturevalue("redis_url") if request.param == "redis" else None
    return request.getfixturevalue("sqlite_template" if request.param == "sqlite" else "postgres"), redis_url


@pytest.fixture
async def environment(source: tuple[SqliteTemplate | PostgresServer, str | None], tmp_path: Path) -> dict[str, str]:
    database, redis_url = source
    url = database.copy_to(tmp_path) if isinstance(database, SqliteTemplate) else await database.emptied_database()
    keys = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    return {
        "GATEHOUSE_DATABASE_URL": url,
        "GATEHOUSE_REDIS_URL": redis_url or "",
        "GATEHOUSE_SECRET_KEYS": keys,
    }


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


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_sockets_leave_no_secret_in_the_log(tmp_path: Path, workers: str) -> None:
    noisy = {"GATEHOUSE_LOG_LEVEL": "debug", "GATEHOUSE_WORKERS": workers}
    with running_gateway(tmp_path, noisy) as gateway:
        async with httpx.AsyncClient(base_url=gateway.base_url) as http:
            ann = await _sign_up(http)
        address = f"{gateway.base_url.replace('http', 'ws')}/graphql?token=misplaced-secret"
        async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
            hello = {"type": "connection_init", "payload": {"Authorization": f"Bearer {ann.token}"}}
            await socket.send(json.dumps(hello))
            acknowledged = await socket.recv()
        gateway.stop()

    assert acknowledged == '{"type":"connection_ack"}'
    assert "Shutting down" in gateway.output
    assert "misplaced-secret" not in gateway.output
    assert ann.token not in gateway.output


async def _sign_up(http: httpx.AsyncClient) -> Person:
    return await sign_up(GraphQLClient(http), Mailbox(http))
