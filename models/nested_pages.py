"""Pages of many lists at once: the same page of each parent's list, in a number of statements that stays the same."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from tortoise.connection import get_connection
from tortoise.functions import Count
from tortoise.queryset import QuerySet

from models.base import Row
from models.database import CONNECTION
from models.pages import Page, check_page

RowT = TypeVar("RowT", bound=Row)


async def read_pages(
    whole: QuerySet[RowT], *, parent: str, parents: Sequence[UUID], first: int, after: str | None
) -> dict[UUID, Page[RowT]]:
    """The page of each parent's list, by id. `whole` is all lists together, `parent` the column that parts them.

    Two statements: one finds which rows, by each parent's own index and no further than its page; one reads them.
    Raises BadRequest.
    """
    start = check_page(first, after)
    rest = whole if start is None else whole.filter(id__gt=start)
    pages: dict[UUID, list[RowT]] = {key: [] for key in parents}
    ids = await _ids([rest.filter(**{parent: key}).order_by("id").limit(first + 1) for key in pages])
    for row in await whole.filter(id__in=ids).order_by("id") if ids else []:
        pages[getattr(row, parent)].append(row)
    return {
        key: Page(rows[:first], len(rows) > first, start is not None, whole.filter(**{parent: key}))
        for key, rows in pages.items()
    }


async def _ids(lists: Sequence[QuerySet[RowT]]) -> list[str]:
    # SECURITY: the ORM writes the values into the text: ids, instants and numbers of ours, never a client's text.
    parts = [
        f"SELECT id FROM ({rows.values('id').sql(params_inline=True)}) AS page"  # noqa: S608 - see above
        for rows in lists
    ]
    _, found = await get_connection(CONNECTION).execute_query(" UNION ALL ".join(parts))
    return [row["id"] for row in found]


async def count_each(whole: QuerySet[RowT], *, parent: str, parents: Sequence[UUID]) -> dict[UUID, int]:
    """How long each parent's list is, in one statement."""
    rows = whole.filter(**{f"{parent}__in": list(parents)}).annotate(length=Count("id")).group_by(parent)
    lengths = dict(await rows.values_list(parent, "length"))
    return {key: lengths.get(key, 0) for key in parents}
