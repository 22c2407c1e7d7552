"""What live streams ask the database, for many accounts in one statement: what happened, and whose credential holds.

Read on the event loop on SQLite, for the reasons in models/credentials.py.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import orjson
from tortoise.connection import get_connection

from kit.errors import Unavailable
from models.asyncpg_client import OUTAGES
from models.credentials import KeyFacts
from models.database import CONNECTION, is_sqlite, read_only_connection

EventIds = dict[UUID, set[UUID]]
"""Ids of security events by account."""

_EVENTS = "SELECT account_id, id FROM security_events WHERE account_id {among} AND id > {since}"
_GENERATIONS = "SELECT id, generation FROM accounts WHERE id {among}"
_SECRETS = """
    SELECT s.digest, k.id, s.ends_at, k.expires_at
    FROM api_key_secrets s JOIN api_keys k ON k.id = s.api_key_id WHERE s.digest {among}"""


class LiveReader(Protocol):
    """Answers from the database as it is now. All raise Unavailable."""

    async def event_ids(self, account_ids: Collection[UUID], since: UUID) -> EventIds:
        """The accounts' events with a greater id than this one."""

    async def generations(self, account_ids: Collection[UUID]) -> dict[UUID, int]:
        """The accounts' present generations; one that is gone has none."""

    async def secrets(self, digests: Collection[str]) -> dict[str, KeyFacts]:
        """What is known of the API-key secrets of these digests; nothing of one that is gone."""

    def close(self) -> None:
        """Let go of the connection."""


def open_live_reader(database_url: str) -> LiveReader:
    """The reader for the open database."""
    return SqliteLiveReader(database_url) if is_sqlite(database_url) else PostgresLiveReader()


class SqliteLiveReader:
    """Reads on the event loop, on a connection that cannot write."""

    _AMONG = "IN (SELECT value FROM json_each(?))"

    def __init__(self, database_url: str) -> None:
        self._connection = read_only_connection(database_url)

    async def event_ids(self, account_ids: Collection[UUID], since: UUID) -> EventIds:
        rows = self._rows(_EVENTS.format(among=self._AMONG, since="?"), account_ids, str(since))
        return _by_account((UUID(account_id), UUID(event_id)) for account_id, event_id in rows)

    async def generations(self, account_ids: Collection[UUID]) -> dict[UUID, int]:
        rows = self._rows(_GENERATIONS.format(among=self._AMONG), account_ids)
        return {UUID(account_id): generation for account_id, generation in rows}

    async def secrets(self, digests: Collection[str]) -> dict[str, KeyFacts]:
        rows = self._rows(_SECRETS.format(among=self._AMONG), digests)
        return {digest: KeyFacts(UUID(key_id), _instant(end), _instant(expiry)) for digest, key_id, end, expiry in rows}

    def _rows(self, statement: str, among: Collection[UUID] | Collection[str], *values: str) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement, (orjson.dumps(list(among)).decode(), *values)).fetchall()
        except sqlite3.DatabaseError as error:
            raise Unavailable("The database") from error

    def close(self) -> None:
        self._connection.close()


class PostgresLiveReader:
    """Reads on the ORM's pool with statements that asyncpg keeps prepared."""

    _AMONG = "= ANY($1)"

    async def event_ids(self, account_ids: Collection[UUID], since: UUID) -> EventIds:
        rows = await self._rows(_EVENTS.format(among=self._AMONG, since="$2"), account_ids, since)
        return _by_account((account_id, event_id) for account_id, event_id in rows)

    async def generations(self, account_ids: Collection[UUID]) -> dict[UUID, int]:
        return dict(await self._rows(_GENERATIONS.format(among=self._AMONG), account_ids))

    async def secrets(self, digests: Collection[str]) -> dict[str, KeyFacts]:
        rows = await self._rows(_SECRETS.format(among=self._AMONG), digests)
        return {digest: KeyFacts(key_id, end, expiry) for digest, key_id, end, expiry in rows}

    async def _rows(
        self, statement: str, among: Collection[UUID] | Collection[str], *values: UUID
    ) -> list[tuple[Any, ...]]:
        try:
            async with get_connection(CONNECTION).acquire_connection() as connection:
                found: list[asyncpg.Record] = await connection.fetch(statement, list(among), *values)
                return [tuple(row) for row in found]
        except OUTAGES as error:
            raise Unavailable("The database") from error

    def close(self) -> None:
        """Nothing of its own to let go of."""


def _by_account(rows: Iterable[tuple[UUID, UUID]]) -> EventIds:
    found: EventIds = defaultdict(set)
    for account_id, event_id in rows:
        found[account_id].add(event_id)
    return found


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
