"""What sections are made of: rows, some at a time, and instants as the schema writes them."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from tortoise.queryset import QuerySet

from models.base import Row

AT_ONCE = 1_000
"""Rows a statement. To turn so many into a part of the document takes the process a hundredth of a second or two."""

Facts = dict[str, Any]
RowT = TypeVar("RowT", bound=Row)


async def each(rows: QuerySet[RowT]) -> AsyncIterator[RowT]:
    """All rows, by id. Between two statements the others have their turn: with the database, and in this process.

    A row that comes or goes meanwhile is among them or not, and none is twice.
    """
    last: UUID | None = None
    while batch := await _next(rows, last):
        for row in batch:
            yield row
        last = batch[-1].id


async def each_as_values(rows: QuerySet[RowT], *columns: str) -> AsyncIterator[tuple[Any, ...]]:
    """As `each`, of each row the id and these columns: for tables so long that it counts what a row costs."""
    last: UUID | None = None
    while batch := await _next(rows, last).values_list("id", *columns):
        for values in batch:
            yield values
        last = batch[-1][0]


def _next(rows: QuerySet[RowT], last: UUID | None) -> QuerySet[RowT]:
    return (rows if last is None else rows.filter(id__gt=last)).order_by("id").limit(AT_ONCE)


async def listed(rows: QuerySet[RowT], facts_of: Callable[[RowT], Facts]) -> list[Facts]:
    """What the document says of each row."""
    return [facts_of(row) async for row in each(rows)]


def instant(at: datetime | None) -> str | None:
    """As the schema writes a `DateTime`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
