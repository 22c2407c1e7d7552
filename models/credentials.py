"""The hot path's one question: whose credential is this, if it still holds.

Plain SQL without ORM rows, since every request asks it. On SQLite a read-only connection of its own is read right
on the event loop: under WAL it never waits for a writer, and costs microseconds where a thread would cost hundreds.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg
from tortoise.connection import get_connection

from kit.errors import Unavailable
from models.asyncpg_client import OUTAGES
from models.database import CONNECTION, is_sqlite, read_only_connection


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What is read of the caller's account on every request. Never changed, never kept past the request."""

    id: UUID
    email: str
    created_at: datetime
    generation: int
    has_password: bool


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What is read of the API key that a request came with."""

    id: UUID
    ends_at: datetime | None
    expires_at: datetime | None


_ACCOUNT = "a.id, a.email, a.created_at, a.generation, a.password_hash IS NOT NULL AS has_password"
_BY_ID = f"SELECT {_ACCOUNT} FROM accounts a WHERE a.id = "  # noqa: S608 - constants
_BY_SECRET = f"""
    SELECT {_ACCOUNT}, k.id AS key_id, k.expires_at, s.ends_at
    FROM api_key_secrets s JOIN api_keys k ON k.id = s.api_key_id JOIN accounts a ON a.id = k.account_id
    WHERE s.digest = """  # noqa: S608 - constants


class CredentialReader(Protocol):
    """Answers from the database as it is now. Both raise Unavailable."""

    async def find_account(self, account_id: UUID) -> AccountFacts | None:
        """The account of a session token."""

    async def find_key(self, digest: str) -> tuple[AccountFacts, KeyFacts] | None:
        """The account and the key of an API key's digest; whether they still hold is for the caller to see."""

    def close(self) -> None:
        """Let go of the connection."""


def open_reader(database_url: str) -> CredentialReader:
    """The reader for the open database."""
    return SqliteCredentialReader(database_url) if is_sqlite(database_url) else PostgresCredentialReader()


class SqliteCredentialReader:
    """Reads on the event loop, on a connection that cannot write."""

    def __init__(self, database_url: str) -> None:
        self._connection = read_only_connection(database_url)

    async def find_account(self, account_id: UUID) -> AccountFacts | None:
        row = self._one(_BY_ID + "?", str(account_id))
        return _account_facts(row) if row else None

    async def find_key(self, digest: str) -> tuple[AccountFacts, KeyFacts] | None:
        row = self._one(_BY_SECRET + "?", digest)
        return (_account_facts(row), _key_facts(row)) if row else None

    def _one(self, statement: str, value: str) -> dict[str, Any] | None:
        try:
            row = self._connection.execute(statement, (value,)).fetchone()
        except sqlite3.OperationalError as error:
            raise Unavailable("The database") from error
        return dict(row) if row else None

    def close(self) -> None:
        self._connection.close()


class PostgresCredentialReader:
    """Reads on the ORM's pool with a statement that asyncpg keeps prepared."""

    async def find_account(self, account_id: UUID) -> AccountFacts | None:
        row = await self._one(_BY_ID + "$1", account_id)
        return _account_facts(row) if row else None

    async def find_key(self, digest: str) -> tuple[AccountFacts, KeyFacts] | None:
        row = await self._one(_BY_SECRET + "$1", digest)
        return (_account_facts(row), _key_facts(row)) if row else None

    async def _one(self, statement: str, value: object) -> dict[str, Any] | None:
        try:
            async with get_connection(CONNECTION).acquire_connection() as connection:
                row: asyncpg.Record | None = await connection.fetchrow(statement, value)
                return dict(row) if row else None
        except OUTAGES as error:
            raise Unavailable("The database") from error

    def close(self) -> None:
        """Nothing of its own to let go of."""


def _account_facts(row: Mapping[str, Any]) -> AccountFacts:
    return AccountFacts(
        id=_uuid(row["id"]),
        email=row["email"],
        created_at=_instant(row["created_at"]),
        generation=row["generation"],
        has_password=bool(row["has_password"]),
    )


def _key_facts(row: Mapping[str, Any]) -> KeyFacts:
    ends_at, expires_at = row["ends_at"], row["expires_at"]
    return KeyFacts(
        id=_uuid(row["key_id"]),
        ends_at=_instant(ends_at) if ends_at else None,
        expires_at=_instant(expires_at) if expires_at else None,
    )


def _uuid(value: UUID | str) -> UUID:
    return UUID(value) if isinstance(value, str) else value


def _instant(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
