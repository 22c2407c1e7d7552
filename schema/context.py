"""What a resolver's `info.context` is."""

from dataclasses import dataclass, field

from strawberry.types import Info as StrawberryInfo

from resolvers.callers import Caller
from schema.loaders import Loaders


@dataclass(frozen=True, slots=True)
class Context:
    """One request's context."""

    caller: Caller
    loaders: Loaders = field(default_factory=Loaders)


Info = StrawberryInfo[Context, None]
