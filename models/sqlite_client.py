"""The ORM's SQLite client with what an account store needs: immediate transactions, bounded waiting, clear outages.

Tortoise opens transactions with a plain `BEGIN`. Two processes that read and then write inside one meet
SQLITE_BUSY_SNAPSHOT at once, whatever the busy timeout: so every transaction here starts as a writer.
"""

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import (
    SqliteClient,
    SqliteTransactionContext,
    SqliteTransactionWrapper,
    translate_exceptions,
)
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError

from kit.errors import Unavailable

PATIENCE_SECONDS = 2.5
"""How long a transaction waits for other processes' writers before it answers that the database is unavailable."""

_OUR_MISTAKES = frozenset({sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_RANGE})

P = ParamSpec("P")
T = TypeVar("T")


def is_outage(error: object) -> bool:
    """Whether SQLite is locked, full, read-only or unreadable, as opposed to a statement of ours being wrong."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    # A file that cannot be read is a plain DatabaseError.
    is_of_the_file = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.IntegrityError)
    return is_of_the_file and code & 0xFF not in _OUR_MISTAKES


def _telling_outages(run: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    @wraps(run)
    async def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await run(*args, **kwargs)
        except OperationalError as error:
            if error.args and is_outage(error.args[0]):
                raise Unavailable("The database") from error
            raise
        except sqlite3.DatabaseError as error:
            if is_outage(error):
                raise Unavailable("The database") from error
            raise

    return told


@_telling_outages
@translate_exceptions
async def _execute_query(
    client: SqliteClient, query: str, values: list[Any] | None = None
) -> tuple[int, Sequence[dict[str, Any]]]:
    """As Tortoise's own, but a DELETE counts its own rows, as on PostgreSQL, and not those that go by cascade too."""
    if not query.startswith("DELETE"):
        answer: tuple[int, Sequence[dict[str, Any]]] = await SqliteClient.execute_query(client, query, values)
        return answer
    async with client.acquire_connection() as connection:
        client.log.debug("%s: %s", query, values)
        cursor = await connection.execute(query, values)
        await cursor.close()
        return cursor.rowcount, []


class PatientSqliteClient(SqliteClient):
    """One connection a process; its transactions are immediate and take turns."""

    execute_insert = _telling_outages(SqliteClient.execute_insert)
    execute_many = _telling_outages(SqliteClient.execute_many)
    execute_query = _execute_query
    execute_query_dict = _telling_outages(SqliteClient.execute_query_dict)

    def _in_transaction(self) -> TransactionContext:
        return ImmediateTransaction(ImmediateTransactionClient(self), self._lock)


class ImmediateTransactionClient(SqliteTransactionWrapper):
    """The connection while a transaction is open on it."""

    execute_insert = _telling_outages(SqliteClient.execute_insert)
    execute_many = _telling_outages(SqliteTransactionWrapper.execute_many)
    execute_query = _execute_query
    execute_query_dict = _telling_outages(SqliteClient.execute_query_dict)

    async def execute_script(self, query: str) -> None:
        """Run several statements, one by one: SQLite's own way commits first, and with that half a migration."""
        statement = ""
        for part in query.splitlines(keepends=True):
            statement += part
            if sqlite3.complete_statement(statement):
                await self.execute_query(statement)
                statement = ""
        if statement.strip():
            await self.execute_query(statement)

    async def begin(self) -> None:
        """Start as a writer. Undone when the caller is cancelled while SQLite was still at it.

        Raises sqlite3.OperationalError when another process writes.
        """
        try:
            await self._connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            await asyncio.shield(self._connection.rollback())
            raise

    async def commit(self) -> None:
        """Commit, or say that the database is unavailable (a full disk, say): then nothing was kept."""
        try:
            await super().commit()
        except sqlite3.DatabaseError as error:
            await asyncio.shield(self._connection.rollback())
            raise Unavailable("The database") from error


class ImmediateTransaction(SqliteTransactionContext):
    """Waits its turn among this process's tasks and, for a bounded time, among other processes."""

    async def __aenter__(self) -> TransactionalDBClient:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not await self._began(give_up_at):  # noqa: ASYNC110 - no event tells when another process is done
            await asyncio.sleep(random.uniform(0.001, 0.02))  # noqa: S311 - spreads the waiting, hides nothing
        self.token = get_connections().set(self.connection_name, self.connection)
        client: TransactionalDBClient = self.connection
        return client

    async def _began(self, give_up_at: float) -> bool:
        await self._trxlock.acquire()
        try:
            _check_patience(give_up_at)
            await self.ensure_connection()
            await self.connection.begin()
        except BaseException as error:
            self._trxlock.release()
            if not (isinstance(error, sqlite3.DatabaseError) and is_outage(error)):
                raise
            if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise Unavailable("The database") from error
            return False
        return True

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(exc_type, exc_val, exc_tb)
        except sqlite3.DatabaseError as error:
            raise Unavailable("The database") from error


def _check_patience(give_up_at: float) -> None:
    # With the connection in hand, since those in front may have waited for other processes too.
    if time.monotonic() > give_up_at:
        raise Unavailable("The database")


client_class = PatientSqliteClient
