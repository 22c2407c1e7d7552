"""Documents drawn at random: valid queries of a schema, with what their variables are to be."""

from random import Random
from typing import Any, NamedTuple

from graphql import (
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_union_type,
    parse,
    validate,
)
from hypothesis import assume
from hypothesis import strategies as st

MOST_DEPTH = 5
ALIASES = ("one", "two")


class Drawn(NamedTuple):
    """A document and the values of its variables."""

    text: str
    variables: dict[str, Any]


class _Document:
    """A document that is being drawn."""

    def __init__(self, schema: GraphQLSchema, random: Random, texts: list[str]) -> None:
        self._schema = schema
        self._random = random
        self._texts = texts
        self.fragments: list[str] = []
        self.variables: dict[str, Any] = {}
        self.definitions: list[str] = []

    def selections(self, parent: GraphQLNamedType, depth: int) -> str:
        """A selection set: fields, some under another name, inline fragments, and spreads of fragments."""
        count = self._random.randint(1, max(4 - depth, 1))
        return "{ " + " ".join(self._selection(parent, depth) for _ in range(count)) + " }"

    def _selection(self, parent: GraphQLNamedType, depth: int) -> str:
        kind = self._random.choice(["field"] * 6 + ["inline", "spread"])
        if is_union_type(parent) and kind == "field":
            kind = self._random.choice(["typename", "inline", "inline"])
        if kind == "typename" or depth >= MOST_DEPTH:
            return "__typename"
        if kind == "field":
            return self._field(parent, depth)
        inner = self._narrowed(parent)
        if kind == "inline":
            return f"... on {inner.name} {self.selections(inner, depth)}"
        name = f"F{len(self.fragments)}"
        place = len(self.fragments)
        self.fragments.append("")
        body = self.selections(inner, depth)
        self.fragments[place] = f"fragment {name} on {inner.name} {body}"
        return f"...{name} ...{name}"

    def _narrowed(self, parent: GraphQLNamedType) -> GraphQLNamedType:
        if not is_abstract_type(parent):
            return parent
        return self._random.choice([parent, *self._schema.get_possible_types(parent)])

    def _field(self, parent: Any, depth: int) -> str:
        names = sorted(parent.fields)
        name = self._random.choice([*names, "__typename"])
        if name == "__typename":
            return "__typename"
        field = parent.fields[name]
        alias = self._random.choice(["", "", "", *(f"{alias}: " for alias in ALIASES)])
        arguments = [
            f"{argument}: {self._value(declared.type)}"
            for argument, declared in field.args.items()
            if is_required_argument(declared) or self._random.random() < 0.5
        ]
        text = f"{alias}{name}" + (f"({', '.join(arguments)})" if arguments else "")
        inner = get_named_type(field.type)
        return f"{text} {self.selections(inner, depth + 1)}" if is_composite_type(inner) else text

    def _value(self, kind: GraphQLInputType) -> str:
        """A literal, or a variable that has the value."""
        text, value = self._literal(kind)
        if self._random.randrange(4):
            return text
        name = f"v{len(self.variables)}"
        self.variables[name] = value
        self.definitions.append(f"${name}: {kind}")
        return f"${name}"

    def _literal(self, kind: Any) -> tuple[str, Any]:
        if is_non_null_type(kind):
            return self._literal(kind.of_type)
        if is_list_type(kind):
            text, value = self._literal(kind.of_type)
            return f"[{text}]", [value]
        if is_enum_type(kind):
            name = self._random.choice(sorted(kind.values))
            return name, name
        if kind.name == "Int":
            number = self._random.choice([1, 2, 50, 100, 0, 101])
            return str(number), number
        if kind.name == "Boolean":
            truth = self._random.random() < 0.5
            return str(truth).lower(), truth
        text = self._random.choice(self._texts)
        return f'"{text}"', text


@st.composite
def queries(draw: Any, schema: GraphQLSchema, texts: list[str]) -> Drawn:
    """Valid queries. Arguments that take a text get one of `texts`, so that some of them mean something."""
    # Drawn by a seed: a hundred times as fast as letting hypothesis make every choice.
    document = _Document(schema, Random(draw(st.integers(0, 2**32))), texts)
    assert schema.query_type is not None
    body = document.selections(schema.query_type, 0)
    variables = f"query ({', '.join(document.definitions)}) " if document.definitions else ""
    text = " ".join([variables + body, *document.fragments])
    assume(not validate(schema, parse(text)))
    return Drawn(text, document.variables)
