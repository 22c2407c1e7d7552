"""Relay's connections, and the node interface."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Generic, TypeVar

import strawberry

from models.base import Row
from models.pages import Page, cursor_of

NodeT = TypeVar("NodeT")
RowT = TypeVar("RowT", bound=Row)

DEFAULT_PAGE = 50

First = Annotated[int | None, strawberry.argument(description="How many at most: 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="The cursor that the page begins after.")]


@strawberry.interface(description="Anything with a global id.")
class Node:
    id: strawberry.ID = strawberry.field(description="The global id: opaque, lasting, never given twice.")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follow.")
    has_previous_page: bool = strawberry.field(description="Whether the page began after a cursor.")
    start_cursor: str | None = strawberry.field(description="The first edge's cursor; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The last edge's cursor; null on an empty page.")


@strawberry.type(description="One item of a page.")
class Edge(Generic[NodeT]):
    cursor: str = strawberry.field(description="Where the item stands, for `after`.")
    node: NodeT = strawberry.field(description="The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[NodeT]):
    edges: list[Edge[NodeT]] = strawberry.field(description="The items with their cursors.")
    nodes: list[NodeT] = strawberry.field(description="The items.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="How many there are in the whole list.")
    async def total_count(self) -> int:
        return await self.count()


def connection_of(
    page: Page[RowT], present: Callable[[RowT], NodeT], *, count: Callable[[], Awaitable[int]] | None = None
) -> Connection[NodeT]:
    """A page of rows as a connection of what clients see. `count` is asked for the list's length, if given."""
    edges = [Edge(cursor=cursor_of(row), node=present(row)) for row in page.rows]
    info = PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return Connection(edges=edges, nodes=[edge.node for edge in edges], page_info=info, count=count or _length_of(page))


def empty_connection(after: str | None) -> Connection[NodeT]:
    """The page of a list that the caller sees nothing of."""
    info = PageInfo(has_next_page=False, has_previous_page=after is not None, start_cursor=None, end_cursor=None)
    return Connection(edges=[], nodes=[], page_info=info, count=_nothing)


def _length_of(page: Page[RowT]) -> Callable[[], Awaitable[int]]:
    async def length() -> int:
        return await page.whole.count()

    return length


async def _nothing() -> int:
    return 0
