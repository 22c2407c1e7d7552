"""Signals between processes by way of the database, and over Redis where there is one."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from tortoise.connection import get_connection

from kit.settings import Settings
from kit.signals import RETRY_SECONDS, Heard, RedisChannel, Signals, account_in
from models.asyncpg_client import OUTAGES
from models.base import after_commit
from models.database import CONNECTION, is_sqlite, postgres_credentials, read_only_connection

log = structlog.get_logger("gatehouse.signals")

POLL_SECONDS = 0.1
"""How often SQLite is asked whether anybody has committed: one read of a counter, in microseconds."""

_CHANNEL = "gatehouse_accounts"
_CLOSE_SECONDS = 1.0

InBackground = Callable[[Coroutine[Any, Any, None]], None]


def open_signals(settings: Settings, in_background: InBackground) -> Signals:
    """What carries signals in this installation."""
    if settings.redis_url:
        return RedisSignals(RedisChannel(settings.redis_url), in_background)
    if is_sqlite(settings.database_url):
        return SqliteSignals(settings.database_url)
    return PostgresSignals(settings.database_url)


class SqliteSignals:
    """Every commit of another connection changes `data_version`, so that the file itself is the witness."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    async def announce(self, account_id: UUID) -> None:
        """Nothing to do: the commit is the signal."""

    async def listen(self, heard: Heard) -> None:
        connection = read_only_connection(self._database_url)
        try:
            version = 0
            while True:
                former, (version,) = version, connection.execute("PRAGMA data_version").fetchone()
                if version != former:
                    heard(None)
                await asyncio.sleep(POLL_SECONDS)
        finally:
            connection.close()

    async def close(self) -> None:
        """Nothing is held between two calls of listen()."""


class PostgresSignals:
    """LISTEN and NOTIFY: the server itself sends what a transaction notified, when that commits."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    async def announce(self, account_id: UUID) -> None:
        await get_connection(CONNECTION).execute_query("SELECT pg_notify($1, $2)", [_CHANNEL, str(account_id)])

    async def listen(self, heard: Heard) -> None:
        while True:
            try:
                await self._listen_once(heard)
            except OUTAGES:
                log.warning("signals_not_heard")
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen_once(self, heard: Heard) -> None:
        """Listen on one connection until it is lost."""
        connection = await asyncpg.connect(**postgres_credentials(self._database_url))
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(_CHANNEL, lambda *notice: heard(account_in(str(notice[-1]))))
            heard(None)
            await lost.wait()
        finally:
            await _close(connection)

    async def close(self) -> None:
        """Nothing is held between two calls of listen()."""


async def _close(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    try:
        await connection.close(timeout=_CLOSE_SECONDS)
    except OUTAGES:
        connection.terminate()


class RedisSignals:
    """Publishes what was committed; several machines share the channel."""

    def __init__(self, channel: RedisChannel, in_background: InBackground) -> None:
        self._channel = channel
        self._in_background = in_background

    async def announce(self, account_id: UUID) -> None:
        after_commit(lambda: self._in_background(self._channel.publish(account_id)))

    async def listen(self, heard: Heard) -> None:
        await self._channel.listen(heard)

    async def close(self) -> None:
        await self._channel.close()
