"""The ORM's PostgreSQL client with bounded waiting, and with outages told apart from mistakes."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import TransactionalDBClient, TransactionContext, TransactionContextPooled
from tortoise.connection import get_connections

from kit.errors import Unavailable

PATIENCE_SECONDS = 3.0
"""How long to wait for a connection or for one statement."""

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


class PatientPostgresClient(AsyncpgDBClient):
    """A pool whose users never wait for ever."""

    async def _translate_exceptions(self, func: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Tortoise's signature
        try:
            # Not by super(): the transaction's client below borrows this method.
            return await AsyncpgDBClient._translate_exceptions(self, func, *args, **kwargs)  # noqa: SLF001 - its own base
        except OUTAGES as error:
            raise Unavailable("The database") from error

    def _in_transaction(self) -> TransactionContext:
        return BoundedTransaction(BoundedTransactionClient(self), self._pool_init_lock)


class BoundedTransactionClient(TransactionWrapper):
    """The connection while a transaction is open on it."""

    _translate_exceptions = PatientPostgresClient._translate_exceptions  # noqa: SLF001 - the same rule, one home


class BoundedTransaction(TransactionContextPooled):
    """Gives its connection back also when beginning or ending fails; Tortoise's own would leak it."""

    async def __aenter__(self) -> TransactionalDBClient:
        try:
            await self.ensure_connection()
            pool = self.client._parent._pool  # noqa: SLF001 - Tortoise keeps it there
            connection = await pool.acquire(timeout=PATIENCE_SECONDS)
        except OUTAGES as error:
            raise Unavailable("The database") from error
        self.client._connection = connection  # noqa: SLF001 - as Tortoise's own context does
        try:
            await self.client.begin()
        except BaseException:
            await asyncio.shield(pool.release(connection))
            raise
        self.token = get_connections().set(self.connection_name, self.client)
        return self.client

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(exc_type, exc_val, exc_tb)
        except OUTAGES as error:
            raise Unavailable("The database") from error


client_class = PatientPostgresClient
