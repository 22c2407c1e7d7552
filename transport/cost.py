"""Measures a document in one pass, before any rule of graphql-core runs.

Stock limiters walk every fragment anew wherever it is spread, so that twenty fragments that spread the next one twice
take seconds. Here each fragment is measured once, after those that it spreads, and its measure is added where it is
spread: linear in the document's length, whatever it would be written out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
)

from transport.bounds import Bounds, too_costly
from transport.rejections import ErrorEntry
from transport.weights import NO_WEIGHT, SATURATED, Weight, add, page_size, times


@dataclass(frozen=True, slots=True)
class Measure:
    """What a selection set amounts to with its fragments written out.

    `fields` and `credentials` count the set's own level only, the rest the whole tree.
    """

    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    fields: int = 0
    credentials: int = 0
    selections: int = 0
    weight: Weight = NO_WEIGHT


_NOTHING = Measure()


class CostRule:
    """Measures the definitions of documents against one schema. Keeps nothing of a document."""

    def __init__(self, schema: GraphQLSchema, credential_fields: frozenset[str]) -> None:
        self._schema = schema
        self._credential_fields = credential_fields

    def measure_fragments(self, in_order: list[FragmentDefinitionNode]) -> dict[str, Measure]:
        """The measure of each fragment; `in_order` has every fragment after those that it spreads."""
        known: dict[str, Measure] = {}
        for fragment in in_order:
            parent = self._schema.get_type(fragment.type_condition.name.value)
            known[fragment.name.value] = self._selections(fragment.selection_set, parent, known)
        return known

    def measure_operation(self, operation: OperationDefinitionNode, fragments: dict[str, Measure]) -> Measure:
        return self._selections(operation.selection_set, self._schema.get_root_type(operation.operation), fragments)

    def _selections(
        self, selected: SelectionSetNode, parent: GraphQLNamedType | None, known: dict[str, Measure]
    ) -> Measure:
        return _sum([self._selection(selection, parent, known) for selection in selected.selections])

    def _selection(
        self, selection: SelectionNode, parent: GraphQLNamedType | None, known: dict[str, Measure]
    ) -> Measure:
        if isinstance(selection, FieldNode):
            return self._field(selection, parent, known)
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition
            inner = self._schema.get_type(condition.name.value) if condition else parent
            return _spread(self._selections(selection.selection_set, inner, known))
        # A spread of a fragment that there isn't counts as nothing: validation refuses it.
        name = selection.name.value if isinstance(selection, FragmentSpreadNode) else ""
        return _spread(known.get(name, _NOTHING))

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, known: dict[str, Measure]) -> Measure:
        definition = self._definition(parent, node.name.value)
        below = _NOTHING
        if node.selection_set is not None:
            inner = get_named_type(definition.type) if definition else None
            below = self._selections(node.selection_set, inner, known)
        depth, introspection_depth = self._depths(node, definition, parent, below)
        return Measure(
            depth=depth,
            introspection_depth=introspection_depth,
            aliases=below.aliases + (node.alias is not None),
            fields=1,
            credentials=int(node.name.value in self._credential_fields),
            selections=below.selections + 1,
            weight=add([Weight(1), _repeated(node, definition, below.weight)]),
        )

    def _definition(self, parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
        """None for a field that there isn't: it counts as any other, and validation refuses it."""
        return self._schema.get_field(parent, name) if is_composite_type(parent) else None

    def _depths(
        self, node: FieldNode, definition: GraphQLField | None, parent: GraphQLNamedType | None, below: Measure
    ) -> tuple[int, int]:
        """Introspection is deep by nature and has a bound of its own, which no name but the real thing gets."""
        if parent is not None and parent.name.startswith("__"):
            return 0, max(below.depth, below.introspection_depth) + 1
        # SECURITY: the schema decides, not the name: a fragment, an alias or a field may be called `__schema` too.
        if definition is not None and node.name.value in {"__schema", "__type"}:
            return 1, max(below.depth, below.introspection_depth) + 1
        return max(below.depth, below.introspection_depth) + 1, 0


_MULTIPLIERS = ("first", "representations")
"""Arguments that say how many items a field may answer with: a connection's, and that of a subgraph's `_entities`."""


def _repeated(node: FieldNode, definition: GraphQLField | None, below: Weight) -> Weight:
    """What stands under a connection counts `first` times."""
    arguments = definition.args if definition else {}
    name = next((name for name in _MULTIPLIERS if name in arguments), None)
    if name is None:
        return below
    given = next((entry.value for entry in node.arguments or () if entry.name.value == name), None)
    return times(page_size(arguments[name], given), below)


def _spread(measure: Measure) -> Measure:
    return Measure(
        measure.depth,
        measure.introspection_depth,
        measure.aliases,
        measure.fields,
        measure.credentials,
        min(measure.selections + 1, SATURATED),
        measure.weight,
    )


def _sum(measures: list[Measure]) -> Measure:
    if not measures:
        return _NOTHING
    return Measure(
        depth=max(measure.depth for measure in measures),
        introspection_depth=max(measure.introspection_depth for measure in measures),
        aliases=min(sum(measure.aliases for measure in measures), SATURATED),
        fields=min(sum(measure.fields for measure in measures), SATURATED),
        credentials=min(sum(measure.credentials for measure in measures), SATURATED),
        selections=min(sum(measure.selections for measure in measures), SATURATED),
        weight=add([measure.weight for measure in measures]),
    )


def excesses(measure: Measure, bounds: Bounds) -> Iterator[ErrorEntry]:
    """The bounds that an operation of this measure is past, whatever its variables are."""
    found = (
        ("depth", measure.depth, bounds.depth),
        ("introspection_depth", measure.introspection_depth, bounds.introspection_depth),
        ("aliases", measure.aliases, bounds.aliases),
        ("root_fields", measure.fields, bounds.root_fields),
        ("credentials", measure.credentials, bounds.credentials),
    )
    return (too_costly(bound, limit, actual) for bound, actual, limit in found if actual > limit)
