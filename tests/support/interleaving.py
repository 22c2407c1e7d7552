"""Requests that meet at one row, in an order that a test chooses."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any

from tortoise.connection import get_connection

from models.base import unit_of_work
from models.database import CONNECTION
from tests.support.graphql_client import Answer

PATIENCE_SECONDS = 10
_WAITING = "SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted"


async def one_after_the_other(
    lock: Callable[[], Awaitable[object]], *requests: Callable[[], Awaitable[Answer]]
) -> list[Answer]:
    """Answers of requests that all wait for the row that is locked, in the order in which they came to wait."""
    # Or the requests would run in this transaction.
    outside = copy_context()
    waiting: list[asyncio.Task[Answer]] = []
    async with unit_of_work():
        await lock()
        for request in requests:
            waiting.append(asyncio.create_task(_made(request), context=outside.copy()))
            await _until_they_wait(waiting)
    return await asyncio.gather(*waiting)


async def _until_they_wait(requests: list[asyncio.Task[Answer]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await _waiting() < len(requests) and not any(request.done() for request in requests):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)


async def _waiting() -> int:
    """How many wait for what this transaction holds: a row, or SQLite's one connection."""
    connection: Any = get_connection(CONNECTION)
    if connection.capabilities.dialect == "sqlite":
        return len(connection._parent._lock._waiters or ())
    _, rows = await connection.execute_query(_WAITING)
    return int(rows[0]["waiting"])


async def _made(request: Callable[[], Awaitable[Answer]]) -> Answer:
    return await request()
