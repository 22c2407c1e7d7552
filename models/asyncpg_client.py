"""The ORM's PostgreSQL client with bounded waiting, and with outages told apart from mistakes."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import (
    PoolConnectionWrapper,
    TransactionalDBClient,
    TransactionContext,
    TransactionContextPooled,
)
from tortoise.connection import get_connections

from kit.errors import Unavailable

PATIENCE_SECONDS = 2.0
"""How long to wait for one statement."""

CONNECTION_SECONDS = 2.5
"""How long to wait for a connection, one of the pool's or a new one."""

OUTAGES = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""The server is away, going away, full, read-only or refuses us: nothing that the caller did."""

SILENCE = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError)
"""No answer came: the connection is of no use any more, and to tidy it up would be to wait once more."""


class PatientPostgresClient(AsyncpgDBClient):
    """A pool whose users never wait for ever."""

    async def _translate_exceptions(self, func: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Tortoise's signature
        try:
            # Not by super(): the transaction's client below borrows this method.
            return await AsyncpgDBClient._translate_exceptions(self, func, *args, **kwargs)  # noqa: SLF001 - its own base
        except OUTAGES as error:
            raise Unavailable("The database") from error

    def acquire_connection(self) -> "BoundedConnection":
        """A connection of the pool for a single statement."""
        return BoundedConnection(self, self._pool_init_lock)

    def _in_transaction(self) -> TransactionContext:
        return BoundedTransaction(BoundedTransactionClient(self), self._pool_init_lock)


class BoundedConnection(PoolConnectionWrapper[asyncpg.Connection]):
    """Waits a bounded time for a connection, and ends one that fell silent instead of giving it back."""

    async def __aenter__(self) -> asyncpg.Connection:
        await self.ensure_connection()
        connection: asyncpg.Connection = await self.client._pool.acquire(timeout=CONNECTION_SECONDS)  # noqa: SLF001 - as Tortoise's own wrapper
        self.connection = connection
        return connection

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        if isinstance(exc_val, SILENCE) and self.connection:
            self.connection.terminate()
        await super().__aexit__(exc_type, exc_val, exc_tb)


class BoundedTransactionClient(TransactionWrapper):
    """The connection while a transaction is open on it."""

    _translate_exceptions = PatientPostgresClient._translate_exceptions  # noqa: SLF001 - the same rule, one home


class BoundedTransaction(TransactionContextPooled):
    """Gives its connection back also when beginning or ending fails; Tortoise's own would leak it."""

    async def __aenter__(self) -> TransactionalDBClient:
        try:
            await self.ensure_connection()
            pool = self.client._parent._pool  # noqa: SLF001 - Tortoise keeps it there
            connection = await pool.acquire(timeout=CONNECTION_SECONDS)
        except OUTAGES as error:
            raise Unavailable("The database") from error
        self.client._connection = connection  # noqa: SLF001 - as Tortoise's own context does
        try:
            await self.client.begin()
        except BaseException as error:
            if isinstance(error.__cause__, SILENCE):
                connection.terminate()
            await asyncio.shield(pool.release(connection))
            raise
        self.token = get_connections().set(self.connection_name, self.client)
        return self.client

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        if isinstance(exc_val, Unavailable) and isinstance(exc_val.__cause__, SILENCE):
            self.client._connection.terminate()  # noqa: SLF001 - as above
            self.client._finalized = True  # noqa: SLF001 - with the connection, the transaction is over
        try:
            await super().__aexit__(exc_type, exc_val, exc_tb)
        except OUTAGES as error:
            raise Unavailable("The database") from error


client_class = PatientPostgresClient
