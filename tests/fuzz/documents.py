"""Documents drawn from a schema: fields it has, and now and then one it hasn't, then perhaps damaged."""

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
)

from tests.fuzz.values import Dice, Token, as_json, literal, value_for

DEEPEST = 5
TOKENS = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "!",
    "$",
    "@",
    ":",
    "...",
    "=",
    "|",
    "&",
    '"',
    '"""',
    "#",
    "\\",
    "\x00",
    "\ufeff",
]
WORDS = [
    "query",
    "mutation",
    "subscription",
    "fragment",
    "on",
    "null",
    "__typename",
    "__schema",
    "@skip(if: true)",
    "é",
]


@dataclass(frozen=True)
class Drawn:
    """One request's document with what goes with it."""

    text: str
    variables: Any = None
    operation_name: Any = None


@dataclass
class _Writing:
    dice: Dice
    schema: GraphQLSchema
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    fragments: dict[str, str] = field(default_factory=dict)

    def selections(self, parent: GraphQLNamedType, depth: int) -> str:
        members = [self._selection(parent, depth) for _ in range(self.dice.choice(_FEW))]
        return f"{{ {' '.join(members)} }}"

    def _selection(self, parent: GraphQLNamedType, depth: int) -> str:
        kind = self.dice.choice(_KINDS)
        if kind == "spread" and depth < DEEPEST:
            return self._spread(parent, depth)
        if kind == "inline" or isinstance(parent, GraphQLUnionType):
            inner = self._possible(parent)
            return f"... on {inner.name} {self.selections(inner, depth + 1)}" if depth < DEEPEST else "__typename"
        if kind == "typename" or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return "__typename"
        name = "noSuchField" if kind == "odd" else self.dice.choice(list(parent.fields))
        return self._field(name, parent.fields.get(name), depth)

    def _field(self, name: str, definition: GraphQLField | None, depth: int) -> str:
        alias = f"{self.dice.choice(_ALIASES)}: " if self.dice.one_in(10) else ""
        directive = f" {self.dice.choice(_DIRECTIVES)}" if self.dice.one_in(20) else ""
        if definition is None:
            return f"{alias}{name}{directive}"
        inner = get_named_type(definition.type)
        below = ""
        if is_composite_type(inner):
            below = f" {self.selections(inner, depth + 1)}" if depth < DEEPEST else " { __typename }"
        return f"{alias}{name}{self._arguments(definition)}{directive}{below}"

    def _arguments(self, definition: GraphQLField) -> str:
        given = []
        for name, argument in definition.args.items():
            if argument.default is not None and self.dice.one_in(10):
                continue
            value = value_for(self.dice, argument.type)
            if not self.dice.one_in(3):
                variable = f"v{len(self.variables)}"
                self.variables[variable] = (str(argument.type), as_json(value))
                value = Token(f"${variable}")
            given.append(f"{name}: {literal(value)}")
        return f"({', '.join(given)})" if given else ""

    def _spread(self, parent: GraphQLNamedType, depth: int) -> str:
        """A fragment of its own, or one that is written already: then there may be a cycle."""
        if self.fragments and self.dice.one_in(10):
            return f"...{self.dice.choice([*self.fragments, 'NoSuchFragment'])}"
        name = f"F{len(self.fragments)}"
        self.fragments[name] = ""
        self.fragments[name] = f"fragment {name} on {parent.name} {self.selections(parent, depth + 1)}"
        return f"...{name}"

    def _possible(self, parent: GraphQLNamedType) -> GraphQLNamedType:
        if not isinstance(parent, GraphQLUnionType | GraphQLInterfaceType):
            return parent
        return self.dice.choice(list(self.schema.get_possible_types(parent)))


def drawn_document(dice: Dice, schema: GraphQLSchema) -> Drawn:
    """A document of one operation of the schema, perhaps damaged."""
    writing = _Writing(dice, schema)
    kind, root = dice.choice(_roots(schema))
    body = writing.selections(root, 1)
    declared = ", ".join(f"${name}: {type_}" for name, (type_, _) in writing.variables.items())
    head = f"{kind} Drawn{f'({declared})' if declared else ''}"
    text = "\n".join([f"{head} {body}", *writing.fragments.values()])
    variables: Any = {name: value for name, (_, value) in writing.variables.items()}
    if dice.one_in(10):
        text = _damaged(dice, text)
    if dice.one_in(20):
        variables = dice.choice([None, [], "text", 7, {"v0": None}, {"noSuchVariable": {"a": [1]}}])
    return Drawn(text, variables, dice.choice(["Another", "", 7]) if dice.one_in(20) else None)


def _damaged(dice: Dice, text: str) -> str:
    for _ in range(dice.between(1, 3)):
        start = dice.between(0, len(text))
        end = dice.between(start, min(len(text), start + 40))
        put = dice.choice([*TOKENS, *WORDS, "", text[start:end] * 2])
        text = text[:start] + put + text[end:]
    return text


def _roots(schema: GraphQLSchema) -> list[tuple[str, GraphQLObjectType]]:
    roots = [
        ("query", schema.query_type),
        ("mutation", schema.mutation_type),
        ("subscription", schema.subscription_type),
    ]
    return [(kind, root) for kind, root in roots if root is not None]


_FEW = [1, 1, 2, 2, 3]
_KINDS = ["field"] * 60 + ["typename"] * 3 + ["inline"] * 6 + ["spread"] * 6 + ["odd"]
_ALIASES = ["a", "b", "viewer", "__typename", "id"]
_DIRECTIVES = ["@skip(if: false)", "@include(if: true)"] * 8 + ["@skip(if: 7)", "@noSuchDirective", "@skip @include"]
