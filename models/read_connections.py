"""A few PostgreSQL connections that only read, for statements that every request asks.

Not asyncpg's pool: to give a connection back there takes a task and a second round trip to undo what it may have set,
which together cost more than the look-up. Nothing is ever set on these.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg

from kit.errors import Unavailable
from models.asyncpg_client import CONNECTION_SECONDS, OUTAGES

MOST = 4
"""Connections a process. A look-up holds one for a fraction of a millisecond."""

_LOST = (
    ConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresConnectionError,
)
"""How asyncpg says that a connection is not there any more, or is just being told so."""


class ReadConnections:
    """Opened when they are needed. One that failed, or whose reader was cancelled, is not used again."""

    def __init__(self, credentials: Mapping[str, Any]) -> None:
        self._credentials = credentials
        self._idle: list[asyncpg.Connection[asyncpg.Record]] = []
        self._permits = asyncio.Semaphore(MOST)

    async def fetch_row(self, statement: str, value: object) -> tuple[Any, ...] | None:
        """The first row. Raises Unavailable when the server is away, or does not answer in time."""
        try:
            if self._idle and not self._permits.locked():
                # Bounded by the statement's own time: a timer around it would cost more than the permit.
                return await self._with_permit(statement, value)
            async with asyncio.timeout(CONNECTION_SECONDS):
                return await self._with_permit(statement, value)
        except OUTAGES as error:
            raise Unavailable("The database") from error

    def close(self) -> None:
        """Hang up."""
        for connection in self._idle:
            connection.terminate()
        self._idle.clear()

    async def _with_permit(self, statement: str, value: object) -> tuple[Any, ...] | None:
        async with self._permits:
            return await self._fetch_row(statement, value)

    async def _fetch_row(self, statement: str, value: object) -> tuple[Any, ...] | None:
        while self._idle:
            try:
                return await self._ask(self._idle.pop(), statement, value)
            except _LOST:
                # The server hung up while nobody used it. To ask again changes nothing.
                continue
        return await self._ask(await self._connect(), statement, value)

    async def _ask(
        self, connection: "asyncpg.Connection[asyncpg.Record]", statement: str, value: object
    ) -> tuple[Any, ...] | None:
        try:
            row = await connection.fetchrow(statement, value)
        except BaseException:
            connection.terminate()
            raise
        self._idle.append(connection)
        return tuple(row) if row else None

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        settings = {"default_transaction_read_only": "on", "application_name": "gatehouse"}
        return await asyncpg.connect(**self._credentials, server_settings=settings)
