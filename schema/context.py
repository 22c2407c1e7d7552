"""What a resolver's `info.context` is."""

from dataclasses import dataclass

from strawberry.types import Info as StrawberryInfo

from resolvers.callers import Caller


@dataclass(frozen=True, slots=True)
class Context:
    """One request's context."""

    caller: Caller


Info = StrawberryInfo[Context, None]
