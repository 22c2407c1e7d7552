"""Pages of a list, by where the last one ended: stable while rows come and go."""

import base64
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from tortoise.queryset import QuerySet

from kit.errors import BadRequest
from models.base import Row

LONGEST_PAGE = 100

RowT = TypeVar("RowT", bound=Row)


@dataclass(frozen=True, slots=True)
class Page(Generic[RowT]):
    """Some rows of a list. `whole` is the list, for whoever wants its length."""

    rows: list[RowT]
    has_next: bool
    has_previous: bool
    whole: QuerySet[RowT]


def cursor_of(row: Row) -> str:
    """Where a row stands, as clients hand it back."""
    return base64.urlsafe_b64encode(row.id.bytes).decode().rstrip("=")


def _place(cursor: str) -> UUID:
    try:
        return UUID(bytes=base64.b64decode(cursor + "==", altchars=b"-_", validate=True))
    except ValueError:
        raise BadRequest("`after` is not a cursor of this list.") from None


def check_page(first: int, after: str | None) -> UUID | None:
    """Where a page begins. Raises BadRequest for a size out of bounds or a cursor that is none."""
    if not 1 <= first <= LONGEST_PAGE:
        raise BadRequest(f"`first` must be from 1 to {LONGEST_PAGE}.")
    return None if after is None else _place(after)


async def read_page(whole: QuerySet[RowT], *, first: int, after: str | None, newest_first: bool = False) -> Page[RowT]:
    """One page of a list, by id: ids sort by time. Raises BadRequest."""
    start = check_page(first, after)
    rest = whole.order_by("-id" if newest_first else "id")
    if start is not None:
        rest = rest.filter(id__lt=start) if newest_first else rest.filter(id__gt=start)
    rows = await rest.limit(first + 1)
    return Page(rows[:first], len(rows) > first, start is not None, whole)
