"""How a process ends, and what it leaves: asked to stop in the middle of work, killed, or out of disk."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import psutil
import pytest

from tests.features.test_api_keys import CREATE, VIEWER
from tests.support.gateway_process import GatewayProcess, running_gateway
from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import PASSWORD, Person, sign_up
from tests.support.sign_in import AUTHENTICATION, try_password

pytestmark = pytest.mark.process

CHEAP = {"GATEHOUSE_ARGON2_MEMORY_KIB": "64", "GATEHOUSE_ARGON2_TIME_COST": "1"}
IN_FLIGHT = 8
"""Fewer than the ten tries of a password that may be under way at once."""

ENOUGH = 10


@asynccontextmanager
async def connected(gateway: GatewayProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateway.base_url, timeout=20) as http:
        yield http


async def test_requests_in_flight_end_before_the_process_does(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as gateway:
        async with connected(gateway) as http:
            ann = await sign_up(GraphQLClient(http), Mailbox(http))
            # Open connections first: after the signal none is taken any more.
            await asyncio.gather(*(http.get("/healthz") for _ in range(IN_FLIGHT)))
            asked = [asyncio.create_task(sign_in(http, ann)) for _ in range(IN_FLIGHT)]
            await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            gateway.ask_to_stop()
            answers = await asyncio.gather(*asked)
        exit_code = gateway.wait()
        async with connected(gateway) as http:
            with pytest.raises(httpx.ConnectError):
                await http.get("/readyz")

    assert {answer.root["__typename"] for answer in answers} == {"SessionStarted"}
    assert exit_code == 0
    assert "Traceback" not in gateway.output
    assert count(tmp_path, "security_events WHERE kind = 'SIGNED_IN'") == IN_FLIGHT


async def sign_in(http: httpx.AsyncClient, ann: Person) -> Answer:
    return await try_password(GraphQLClient(http), ann.email, PASSWORD)


def count(folder: Path, rows: str) -> int:
    with closing(sqlite3.connect(folder / "data/gatehouse.sqlite3")) as database:
        return int(database.execute(f"SELECT count(*) FROM {rows}").fetchone()[0])  # noqa: S608 - the tests' own words


async def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    gateway, keys = GatewayProcess(tmp_path, CHEAP), list[str]()
    try:
        gateway.start()
        async with connected(gateway) as http:
            ann = await sign_up(GraphQLClient(http), Mailbox(http))
        for _ in range(2):
            keys += await keys_until_killed(gateway, ann)
            gateway.start()
        async with connected(gateway) as http:
            seen = [(await GraphQLClient(http, key).run(VIEWER)).status for key in keys]
            total = (await GraphQLClient(http, ann.token).run(VIEWER)).root["apiKeys"]["totalCount"]
    finally:
        gateway.kill()

    assert len(keys) >= 2 * ENOUGH
    assert set(seen) == {200}
    # A key whose answer was lost on the way may stand there, but whole: with its secret, its event and its mail.
    assert total >= len(keys)
    events = count(tmp_path, "security_events WHERE kind = 'API_KEY_CREATED'")
    # One more mail had the sign-up's code.
    mails = count(tmp_path, "outgoing_mails") - 1
    assert total == count(tmp_path, "api_key_secrets") == events == mails


async def keys_until_killed(gateway: GatewayProcess, ann: Person) -> list[str]:
    """Make keys all the time, kill the process meanwhile; returns the keys that were answered."""
    made: list[str] = []
    enough = asyncio.Event()

    async def make_keys(http: httpx.AsyncClient) -> None:
        try:
            while True:
                answer = await GraphQLClient(http, ann.token).run(CREATE, name="loop")
                made.append(answer.expect("ApiKeyCreated")["key"])
                if len(made) == ENOUGH:
                    enough.set()
        except httpx.TransportError:
            return

    async with connected(gateway) as http:
        makers = [asyncio.create_task(make_keys(http)) for _ in range(4)]
        await enough.wait()
        gateway.kill()
        await asyncio.gather(*makers)
    return made


async def test_full_disk_is_503_until_there_is_room_again(tmp_path: Path) -> None:
    if not hasattr(psutil, "RLIMIT_FSIZE"):
        pytest.skip("this system cannot bound the size of another process's files")
    with running_gateway(tmp_path, CHEAP | {"GATEHOUSE_LOG_LEVEL": "error"}) as gateway:
        async with connected(gateway) as http:
            ann = await sign_up(GraphQLClient(http), Mailbox(http))
            process = psutil.Process(gateway.pid)
            unlimited = process.rlimit(psutil.RLIMIT_FSIZE)
            process.rlimit(psutil.RLIMIT_FSIZE, (1_024, unlimited[1]))
            full = [await ann.client.run(CREATE, name="lost"), await sign_in(http, ann)]
            reading, alive = await ann.client.run(AUTHENTICATION), await http.get("/healthz")
            process.rlimit(psutil.RLIMIT_FSIZE, unlimited)
            made = await ann.client.run(CREATE, name="found")

    assert [(answer.status, answer.error_codes) for answer in full] == [(503, ["UNAVAILABLE"])] * 2
    assert (reading.status, alive.status_code) == (200, 200)
    made.expect("ApiKeyCreated")
    assert count(tmp_path, "api_keys") == 1
