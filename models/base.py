"""What every row has, and the one way to change rows."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar

from tortoise import fields
from tortoise.models import Model
from tortoise.transactions import in_transaction

from kit import clock, ids

_callbacks: ContextVar[list[Callable[[], object]]] = ContextVar("after_commit")


class Row(Model):
    """A random id that is never given twice and sorts by time, and when the row was made."""

    id = fields.UUIDField(primary_key=True, default=ids.new_id)
    created_at = fields.DatetimeField(default=clock.now)

    class Meta:
        abstract = True


@asynccontextmanager
async def unit_of_work() -> AsyncIterator[None]:
    """One transaction: all of what is written inside is kept, or (when anything is raised) none of it.

    On SQLite it starts as a writer and waits, for seconds at most, for other processes (models/sqlite_client.py).
    Raises Unavailable when the database does not answer in time.
    """
    callbacks: list[Callable[[], object]] = []
    token = _callbacks.set(callbacks)
    try:
        async with in_transaction():
            yield
    finally:
        _callbacks.reset(token)
    for callback in callbacks:
        callback()


def after_commit(callback: Callable[[], object]) -> None:
    """Call this once the present unit of work is kept; not at all if it is rolled back."""
    _callbacks.get().append(callback)
