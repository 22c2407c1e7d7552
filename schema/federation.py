"""The gateway as an Apollo Federation 2 subgraph: the same schema, and what a router needs beside it.

By hand instead of `strawberry.federation`: its directives would have to stand on the types whether or not federation is
on, and its `_entities` answers a malformed representation with an error of the server's own.
"""

from functools import cache
from typing import Annotated, Any, NewType

import strawberry
from strawberry.schema.config import StrawberryConfig

from kit.errors import BadRequest
from schema import Mutation
from schema import schema as plain_schema
from schema.accounts import Account
from schema.connections import Node
from schema.context import Info
from schema.fleet_types import Fleet
from schema.queries import Query, find_node
from schema.scalars import SCALARS
from schema.subscriptions import Subscription
from schema.user_errors import REFUSAL_HANDLERS

MOST_REPRESENTATIONS = 100
"""Entities a request: what a page of a router's other subgraph may refer to."""

Entity = Annotated[
    Account | Fleet,
    strawberry.union(
        "_Entity", description="What other subgraphs may refer to by its id, as far as the caller sees it."
    ),
]
ENTITIES: dict[str, type[Node]] = {"Account": Account, "Fleet": Fleet}
"""Both name the entities: a further one joins in either."""

SHAREABLE = ("PageInfo",)
"""Types that every subgraph in Relay's style has, and has alike."""

Representation = NewType("Representation", object)

_any = strawberry.scalar(
    name="_Any",
    description="A reference to an entity: an object with `__typename` and the fields of a key.",
    serialize=lambda value: value,
    parse_value=lambda value: value,
)


@strawberry.type(name="_Service", description="What a router composes its schema of.")
class Service:
    sdl: str = strawberry.field(description="The subgraph's schema, in the schema definition language.")


@strawberry.type(name="Query", description="What can be read.")
class SubgraphQuery(Query):
    @strawberry.field(name="_service", description="What a router composes its schema of.")
    def service(self) -> Service:
        return Service(sdl=_sdl())

    @strawberry.field(
        name="_entities",
        description="The entities that are referred to, in that order; null for one unknown or foreign.",
    )
    async def entities(
        self,
        info: Info,
        representations: Annotated[
            list[Representation], strawberry.argument(description=f"At most {MOST_REPRESENTATIONS} references.")
        ],
    ) -> list[Entity | None]:
        if len(representations) > MOST_REPRESENTATIONS:
            raise BadRequest(f"At most {MOST_REPRESENTATIONS} representations may be asked for at once.")
        return [await _entity(info, representation) for representation in representations]


async def _entity(info: Info, representation: Any) -> Any:  # noqa: ANN401 - a member of Entity
    name, global_id = _reference(representation)
    # SECURITY: found as `node` finds it, scoped to the caller; a guest, a stranger and nobody at all see null.
    found: Node | None = await find_node(info, global_id) if info.context.caller.account else None
    return found if isinstance(found, ENTITIES[name]) else None


def _reference(representation: object) -> tuple[str, str]:
    if isinstance(representation, dict):
        name, global_id = representation.get("__typename"), representation.get("id")
        if isinstance(name, str) and name in ENTITIES and isinstance(global_id, str):
            return name, global_id
    raise BadRequest(f"A representation needs an `id`, and a `__typename` among {', '.join(ENTITIES)}.")


def subgraph_schema() -> strawberry.Schema:
    """The schema with what a router asks of a subgraph."""
    return strawberry.Schema(
        query=SubgraphQuery,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map={**SCALARS, Representation: _any}),
        exception_handlers=REFUSAL_HANDLERS,
    )


@cache
def _sdl() -> str:
    """The plain schema's text with federation's directives; `_service` and `_entities` a router knows by itself."""
    text = plain_schema.as_str()
    for name in SHAREABLE:
        # On an extension it would hold for the fields of that extension alone.
        text = text.replace(f"\ntype {name} {{", f"\ntype {name} @shareable {{")
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])'
    return "\n\n".join([text, link, *(f'extend type {name} @key(fields: "id")' for name in ENTITIES)])
