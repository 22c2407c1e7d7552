"""The hot path's one question: whose credential is this, if it still holds.

Plain SQL without ORM rows, since every request asks it. On SQLite a read-only connection of its own is read right
on the event loop: under WAL it never waits for a writer, and costs microseconds where a thread would cost hundreds.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

from kit.errors import Unavailable
from models.database import is_sqlite, postgres_credentials, read_only_connection
from models.read_connections import ReadConnections


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What is read of the caller's account on every request. Never changed, never kept past the request."""

    id: UUID
    email: str
    created_at: datetime
    generation: int
    has_password: bool
    two_factor_enabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What is read of the API key that a request came with."""

    id: UUID
    ends_at: datetime | None
    expires_at: datetime | None


_ACCOUNT_COLUMNS = (
    "a.id",
    "a.email",
    "a.created_at",
    "a.generation",
    "a.password_hash IS NOT NULL",
    "a.two_factor_enabled_at",
)
"""In the order in which _account_facts() takes them."""

_KEY_COLUMNS = ("k.id", "k.expires_at", "s.ends_at")
"""In the order in which _key_facts() takes them."""

_ACCOUNT, _KEY, _WIDTH = ", ".join(_ACCOUNT_COLUMNS), ", ".join(_KEY_COLUMNS), len(_ACCOUNT_COLUMNS)
_BY_ID = f"SELECT {_ACCOUNT} FROM accounts a WHERE a.id = "  # noqa: S608 - constants
_BY_SECRET = f"""
    SELECT {_ACCOUNT}, {_KEY}
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
    return SqliteCredentialReader(database_url) if is_sqlite(database_url) else PostgresCredentialReader(database_url)


class SqliteCredentialReader:
    """Reads on the event loop, on a connection that cannot write."""

    def __init__(self, database_url: str) -> None:
        self._connection = read_only_connection(database_url)

    async def find_account(self, account_id: UUID) -> AccountFacts | None:
        row = self._one(_BY_ID + "?", str(account_id))
        return _account_facts(*row) if row else None

    async def find_key(self, digest: str) -> tuple[AccountFacts, KeyFacts] | None:
        row = self._one(_BY_SECRET + "?", digest)
        return (_account_facts(*row[:_WIDTH]), _key_facts(*row[_WIDTH:])) if row else None

    def _one(self, statement: str, value: str) -> tuple[Any, ...] | None:
        try:
            row: tuple[Any, ...] | None = self._connection.execute(statement, (value,)).fetchone()
        except sqlite3.DatabaseError as error:
            raise Unavailable("The database") from error
        return row

    def close(self) -> None:
        self._connection.close()


class PostgresCredentialReader:
    """Reads on connections of its own with statements that asyncpg keeps prepared."""

    def __init__(self, database_url: str) -> None:
        self._connections = ReadConnections(postgres_credentials(database_url))

    async def find_account(self, account_id: UUID) -> AccountFacts | None:
        row = await self._connections.fetch_row(_BY_ID + "$1", account_id)
        return _account_facts(*row) if row else None

    async def find_key(self, digest: str) -> tuple[AccountFacts, KeyFacts] | None:
        row = await self._connections.fetch_row(_BY_SECRET + "$1", digest)
        return (_account_facts(*row[:_WIDTH]), _key_facts(*row[_WIDTH:])) if row else None

    def close(self) -> None:
        self._connections.close()


# Remembers nothing but what the same columns look like as facts: the row is read anew for every request.
@lru_cache(maxsize=4_096)
def _account_facts(
    account_id: UUID | str,
    email: str,
    created_at: datetime | str,
    generation: int,
    has_password: int,
    two_factor_enabled_at: datetime | str | None,
) -> AccountFacts:
    return AccountFacts(
        id=_uuid(account_id),
        email=email,
        created_at=_instant(created_at),
        generation=generation,
        has_password=bool(has_password),
        two_factor_enabled_at=_instant(two_factor_enabled_at) if two_factor_enabled_at else None,
    )


@lru_cache(maxsize=4_096)
def _key_facts(key_id: UUID | str, expires_at: datetime | str | None, ends_at: datetime | str | None) -> KeyFacts:
    return KeyFacts(
        id=_uuid(key_id),
        ends_at=_instant(ends_at) if ends_at else None,
        expires_at=_instant(expires_at) if expires_at else None,
    )


def _uuid(value: UUID | str) -> UUID:
    return UUID(value) if isinstance(value, str) else value


def _instant(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
