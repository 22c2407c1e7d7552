"""What a selection costs, where part of it depends on the request's variables: built once, evaluated per request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
)

# No answer holds more: a `first` outside 1 to 100 is refused by its field, so nothing below such a field ever runs.
LARGEST_PAGE = 100
_NO_PAGE = -1
# Far above every bound. Sums stop here, so that a bomb never makes numbers that are themselves a burden.
SATURATED = 1_000_000_000


@dataclass(frozen=True, slots=True)
class First:
    """A page size that a variable decides; `fallback` is the argument's own default."""

    variable: str
    fallback: int


@dataclass(frozen=True, slots=True)
class Weight:
    """A constant, and parts that count a number of times each; a fragment's weight is shared by all its spreads."""

    constant: int = 0
    parts: tuple[tuple[int | First, "Weight"], ...] = ()


NO_WEIGHT = Weight()


def add(weights: Sequence[Weight]) -> Weight:
    """The sum. What is shared stays shared: a part of its own instead of being written out."""
    constant = sum(weight.constant for weight in weights if not weight.parts)
    return Weight(min(constant, SATURATED), tuple((1, weight) for weight in weights if weight.parts))


def times(count: int | First, weight: Weight) -> Weight:
    if isinstance(count, int) and not weight.parts:
        return Weight(min(count * weight.constant, SATURATED))
    return Weight(0, ((count, weight),))


def evaluate(weight: Weight, pages: Mapping[str, int] | None) -> int:
    """The cost when variables ask for pages of these sizes; None: when every one asks for the largest."""
    return _evaluate(weight, pages, {})


def _evaluate(weight: Weight, pages: Mapping[str, int] | None, known: dict[int, int]) -> int:
    # Each shared part is evaluated once, by its identity, which keeps doubling fragments linear.
    total = known.get(id(weight))
    if total is None:
        total = weight.constant
        for count, part in weight.parts:
            total += _count(count, pages) * _evaluate(part, pages, known)
        total = known[id(weight)] = min(total, SATURATED)
    return total


def _count(count: int | First, pages: Mapping[str, int] | None) -> int:
    if isinstance(count, int):
        return count
    return LARGEST_PAGE if pages is None else pages.get(count.variable, count.fallback)


def page_size(argument: GraphQLArgument, given: ValueNode | None) -> int | First:
    """How many items a connection may hold: the literal, the variable, or the default where `first` is left out."""
    fallback = default_page(argument)
    if isinstance(given, VariableNode):
        return First(given.name.value, fallback)
    return _page(given, fallback)


def default_page(argument: GraphQLArgument) -> int:
    default = argument.default
    if default is None:
        return _page(argument.default_value, LARGEST_PAGE)
    return _page(default.literal or default.value, LARGEST_PAGE)


def pages_of(operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> dict[str, int]:
    """The page sizes that this request's variables ask for, with the operation's own defaults."""
    pages: dict[str, int] = {}
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        page = _page(variables.get(name, definition.default_value), _NO_PAGE)
        if page != _NO_PAGE:
            pages[name] = page
    return pages


def _page(value: object, otherwise: int) -> int:
    """A page size from a literal or a JSON value, which for a list is its length; any other is refused by its type."""
    if isinstance(value, IntValueNode):
        value = int(value.value)
    if isinstance(value, ListValueNode):
        value = len(value.values)
    if isinstance(value, list):
        value = len(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise
    return min(max(int(value), 1), LARGEST_PAGE)
