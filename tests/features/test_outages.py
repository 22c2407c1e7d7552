"""The database away, frozen, locked or unwritable (AV-3, AV-6): 503 soon, nothing wrongly counted, back by itself."""

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from kit import tokens
from kit.settings import Settings
from models import ApiKey, PendingSignUp, SecurityEvent
from models.database import sqlite_path
from process.gateway import Gateway
from tests.features.test_api_keys import CREATE, make
from tests.support.databases import SqliteTemplate, prepare_postgres
from tests.support.graphql_client import Answer
from tests.support.mailbox import Mailbox
from tests.support.people import PASSWORD, SIGN_UP, Person, sign_up
from tests.support.places import HOME, gateway_with, visitor
from tests.support.postgres import PostgresServer
from tests.support.services import running
from tests.support.sign_in import AUTHENTICATION, REFRESH, STEP_UP, try_password

SOON_SECONDS = 3.5
"""Three seconds as promised, and a little for a busy machine."""

WRONG = "not the right passphrase"


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that these tests may stop and freeze."""
    with running(PostgresServer) as server:
        prepare_postgres(server)
        yield server


def settings_for(url: str) -> Settings:
    return Settings(database_url=url, secret_keys=(secrets.token_bytes(32),), argon2_memory_kib=64, argon2_time_cost=1)


async def person_at(gateway: Gateway) -> Person:
    guest = visitor(gateway, HOME)
    return await sign_up(guest, Mailbox(guest.http))


async def timed(asked: Awaitable[Answer]) -> tuple[Answer, float]:
    started = time.monotonic()
    return await asked, time.monotonic() - started


async def all_reads(ann: Person, key: str) -> list[tuple[Answer, float]]:
    """Each kind of credential, and how long the answer took."""
    clients = [ann.client, ann.client.bearing(key)]
    return list(await asyncio.gather(*(timed(client.run(AUTHENTICATION)) for client in clients)))


async def all_writes(ann: Person) -> list[tuple[Answer, float]]:
    """One request of each kind that writes, all at once, and how long each took."""
    guest = ann.client.bearing(None)
    asked = [
        ann.client.run(CREATE, name="lost"),
        ann.client.run(REFRESH),
        ann.client.run(STEP_UP, password=PASSWORD),
        try_password(guest, ann.email, PASSWORD),
        try_password(guest, ann.email, WRONG),
        guest.run(SIGN_UP, email="eve@example.com", password=PASSWORD),
    ]
    return list(await asyncio.gather(*map(timed, asked)))


def assert_unavailable(answers: list[tuple[Answer, float]]) -> None:
    for answer, seconds in answers:
        assert (answer.status, answer.error_codes) == (503, ["UNAVAILABLE"]), answer.body
        assert int(answer.response.headers["retry-after"]) > 0
        assert seconds < SOON_SECONDS


async def assert_back(ann: Person) -> None:
    """All is as before, and nothing was counted as a wrong password meanwhile."""
    guest = ann.client.bearing(None)
    assert (await ann.client.run(AUTHENTICATION)).root["email"] == ann.email
    tries = [(await try_password(guest, ann.email, WRONG)).root["__typename"] for _ in range(9)]
    assert tries == ["InvalidCredentials"] * 9
    (await try_password(guest, ann.email, PASSWORD)).expect("SessionStarted")


async def probes(gateway: Gateway) -> tuple[httpx.Response, httpx.Response, float]:
    http = visitor(gateway).http
    alive, started = await http.get("/healthz"), time.monotonic()
    return alive, await http.get("/readyz"), time.monotonic() - started


@pytest.mark.parametrize("way", ["stopped", "frozen"])
async def test_postgres_away_is_503_and_back_without_a_restart(own_postgres: PostgresServer, way: str) -> None:
    url = await own_postgres.emptied_database()
    async with gateway_with(settings_for(url)) as gateway:
        ann = await person_at(gateway)
        key = (await make(ann))["key"]
        # This server does not wait for its disk, so what must outlast a sudden end is written down first.
        await own_postgres.execute("CHECKPOINT")
        own_postgres.stop() if way == "stopped" else own_postgres.freeze()
        try:
            (alive, ready, seconds), reads, writes, outbox = await asyncio.gather(
                probes(gateway), all_reads(ann, key), all_writes(ann), visitor(gateway).http.get("/outbox")
            )
            broken = await ann.client.bearing(broken_copy(key)).run(AUTHENTICATION)
        finally:
            own_postgres.start() if way == "stopped" else own_postgres.thaw()
        await assert_back(ann)
        kept, pending = await ApiKey.all().count(), await PendingSignUp.all().count()

    assert alive.status_code == 200
    assert (ready.status_code, ready.json()["missing"].keys()) == (503, {"database"})
    assert seconds < SOON_SECONDS
    assert_unavailable(reads)
    assert_unavailable(writes)
    assert broken.status == 401
    assert outbox.status_code == 503
    assert (kept, pending) == (1, 0)


def broken_copy(key: str) -> str:
    """The same key with a checksum that is wrong: nothing needs to be read to refuse it."""
    return key[:-1] + ("A" if key[-1] != "A" else "B")


async def test_postgres_that_freezes_under_load_keeps_nobody_waiting(own_postgres: PostgresServer) -> None:
    url = await own_postgres.emptied_database()
    async with gateway_with(settings_for(url)) as gateway:
        ann = await person_at(gateway)
        key = (await make(ann))["key"]
        own_postgres.freeze()
        try:
            answers = await asyncio.gather(*(timed(ann.client.bearing(key).run(AUTHENTICATION)) for _ in range(40)))
        finally:
            own_postgres.thaw()
        await assert_back(ann)

    assert_unavailable(list(answers))


@pytest.fixture
async def sqlite_file(sqlite_template: SqliteTemplate, tmp_path: Path) -> Path:
    return sqlite_path(sqlite_template.copy_to(tmp_path))


async def test_sqlite_locked_by_another_writer_is_503_for_writes_alone(sqlite_file: Path) -> None:
    async with gateway_with(settings_for(f"sqlite://{sqlite_file}")) as gateway:
        ann = await person_at(gateway)
        key = (await make(ann))["key"]
        with closing(sqlite3.connect(sqlite_file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writes = await all_writes(ann)
            reads = await all_reads(ann, key)
            alive, ready, _ = await probes(gateway)
        await assert_back(ann)
        kept, pending = await ApiKey.all().count(), await PendingSignUp.all().count()
        events = await SecurityEvent.filter(kind="SIGNED_IN").count()

    assert_unavailable(writes)
    assert {answer.status for answer, _ in reads} == {200}
    assert (alive.status_code, ready.status_code) == (200, 200)
    assert (kept, pending, events) == (1, 0, 1)


async def test_sqlite_that_cannot_be_read_is_503_and_not_a_bug(sqlite_file: Path) -> None:
    async with gateway_with(settings_for(f"sqlite://{sqlite_file}")) as gateway:
        ann = await person_at(gateway)
        key = (await make(ann))["key"]
        await make(ann, "another")
        spoil(sqlite_file)
        answers = await all_reads(ann, key) + await all_writes(ann)
        alive, ready, _ = await probes(gateway)

    # What is read may still be in memory.
    assert {answer.status for answer, _ in answers} in ({503}, {200, 503})
    assert (alive.status_code, ready.status_code) == (200, 200)


def spoil(file: Path) -> None:
    """Make the database unreadable, as a broken disk would."""
    for one in (file, file.with_name(f"{file.name}-wal")):
        content = one.read_bytes()
        one.write_bytes(b"\xff" * len(content))


async def test_writer_that_waits_its_turn_gets_it(sqlite_file: Path) -> None:
    async with gateway_with(settings_for(f"sqlite://{sqlite_file}")) as gateway:
        ann = await person_at(gateway)
        with closing(sqlite3.connect(sqlite_file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(ann.client.run(CREATE, name="patient"))
            done, _ = await asyncio.wait([waiting], timeout=0.5)
            other.execute("COMMIT")
        made = await waiting

    assert done == set()
    assert tokens.has_api_key_form(made.expect("ApiKeyCreated")["key"])
