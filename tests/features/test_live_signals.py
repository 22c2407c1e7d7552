"""What carries signals between processes; that streams hear of everything also without them is tested beside them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from kit.settings import Settings
from kit.signals import RedisChannel, Signals, account_in
from models import Account, database
from models.base import unit_of_work
from models.signals import PostgresSignals, RedisSignals, SqliteSignals, open_signals
from tests.support.databases import SqliteTemplate
from tests.support.postgres import PostgresServer
from tests.support.services import RedisServer

PATIENCE_SECONDS = 10


@pytest.fixture
async def postgres_url(postgres: PostgresServer) -> AsyncIterator[str]:
    url = await postgres.emptied_database()
    context = await database.open_database(url)
    yield url
    await database.close_database(context)


async def test_postgres_carries_what_is_committed_and_nothing_else(postgres_url: str) -> None:
    await _carries_what_is_committed(PostgresSignals(postgres_url))


async def test_redis_carries_what_is_committed_and_nothing_else(postgres_url: str, redis_url: str) -> None:
    tasks = set[asyncio.Task[None]]()
    signals = RedisSignals(RedisChannel(redis_url), lambda work: tasks.add(asyncio.create_task(work)))

    await _carries_what_is_committed(signals)

    await asyncio.gather(*tasks)
    await signals.close()


async def test_any_commit_to_the_sqlite_file_is_a_signal(sqlite_template: SqliteTemplate, tmp_path: Path) -> None:
    url = sqlite_template.copy_to(tmp_path)
    context = await database.open_database(url)
    async with _heard_by(SqliteSignals(url)) as heard:
        assert await _next(heard) is None
        async with unit_of_work():
            await Account.create(email="ann@example.com", email_canonical="ann@example.com")
            assert heard.empty()

        assert await _next(heard) is None
    await database.close_database(context)


async def test_postgres_is_listened_to_again_after_its_connection_was_cut(
    postgres: PostgresServer, postgres_url: str
) -> None:
    async with _heard_by(PostgresSignals(postgres_url)) as heard:
        assert await _next(heard) is None
        await postgres.execute(_CUT)

        assert await _next(heard) is None


async def test_redis_is_listened_to_again_after_it_was_away(redis_server: RedisServer, redis_url: str) -> None:
    channel = RedisChannel(redis_url)
    async with _heard_by(RedisSignals(channel, lambda work: work.close())) as heard:
        assert await _next(heard) is None
        redis_server.stop()
        await channel.publish(uuid4())
        redis_server.start()

        assert await _next(heard) is None
    await channel.close()


def test_installation_decides_what_carries() -> None:
    postgres, redis = "postgres://gatehouse@localhost/gatehouse", "redis://localhost:1/0"
    carriers = [
        open_signals(Settings(database_url=url, redis_url=redis_url), lambda work: work.close())
        for url, redis_url in (("sqlite://x.sqlite3", None), (postgres, None), (postgres, redis))
    ]

    assert [type(carrier) for carrier in carriers] == [SqliteSignals, PostgresSignals, RedisSignals]


@pytest.mark.parametrize("payload", ["", "nonsense", "0" * 33, "\x00"])
def test_what_others_write_to_a_channel_names_no_account(payload: str) -> None:
    assert account_in(payload) is None


_CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"


async def _carries_what_is_committed(signals: Signals) -> None:
    committed, rolled_back = uuid4(), uuid4()
    async with _heard_by(signals) as heard:
        assert await _next(heard) is None
        with suppress(ZeroDivisionError):
            async with unit_of_work():
                await signals.announce(rolled_back)
                raise ZeroDivisionError
        async with unit_of_work():
            await signals.announce(committed)
            assert heard.empty()

        assert await _next(heard) == committed
        assert heard.empty()


@asynccontextmanager
async def _heard_by(signals: Signals) -> AsyncIterator["asyncio.Queue[UUID | None]"]:
    heard: asyncio.Queue[UUID | None] = asyncio.Queue()
    task = asyncio.create_task(signals.listen(heard.put_nowait))
    yield heard
    task.cancel()
    await asyncio.wait([task])


async def _next(heard: "asyncio.Queue[UUID | None]") -> UUID | None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await heard.get()
