"""From a document's text to an operation that may run: bounded, validated, and kept for the next request."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    parse,
    validate,
)

from transport.bounds import Bounds, too_costly
from transport.cost import CostRule, Measure, excesses
from transport.faults import validation_entry
from transport.planning import plan_of
from transport.plans import AttributeOf, Plan
from transport.rejections import ErrorEntry, Rejection, faulty_document, invalid_document
from transport.same_fields import most_fields_of_one_name
from transport.survey import Survey, survey
from transport.weights import Weight, evaluate, pages_of

# Measured with tracemalloc: what graphql-core keeps of one token, with its node and its place in the text.
_BYTES_A_TOKEN = 700
_MOST_ERRORS = 20


@dataclass(frozen=True, slots=True)
class Operation:
    """One validated operation of a document, with what it costs."""

    document: DocumentNode
    definition: OperationDefinitionNode
    name: str | None
    kind: OperationType
    weight: Weight
    highest_cost: int
    plan: Plan | None = None

    def cost(self, variables: Mapping[str, Any]) -> int:
        """What it costs with these variables: a field is 1, and what stands under a connection counts `first` times."""
        if not self.weight.parts:
            return self.highest_cost
        return evaluate(self.weight, pages_of(self.definition, variables))


@dataclass(frozen=True, slots=True)
class _Kept:
    operations: dict[str | None, Operation]
    size: int


class Documents:
    """Parses, bounds and validates documents, and keeps the good ones.

    Bounded by count and by bytes; what was not used for longest goes first, and a document that failed is never kept.
    With `attribute_of`, queries get a plan (transport/plans.py).
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        introspection: bool,
        credential_fields: frozenset[str] = frozenset(),
        attribute_of: AttributeOf | None = None,
        bounds: Bounds | None = None,
        most_documents: int = 500,
        most_bytes: int = 8 * 1024 * 1024,
    ) -> None:
        self.schema = schema
        self.introspection = introspection
        self._rule = CostRule(schema, credential_fields)
        self._attribute_of = attribute_of
        self._bounds = bounds or Bounds()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._most_documents = most_documents
        self._most_bytes = most_bytes
        self._bytes = 0

    def prepare(self, text: str, operation_name: str | None, variables: Mapping[str, Any]) -> Operation:
        """The operation to run. Raises Rejection where the document, or its cost with these variables, is refused."""
        kept = self._kept.get(text)
        if kept is not None:
            self._kept.move_to_end(text)
            operation = _choose(kept.operations, operation_name)
            self._check_cost(operation, variables)
            return operation
        return self._admit(text, operation_name, variables)

    def __len__(self) -> int:
        return len(self._kept)

    def _admit(self, text: str, operation_name: str | None, variables: Mapping[str, Any]) -> Operation:
        document = self._parse(text)
        found = survey(document, self._bounds)
        if found.asks_for_introspection and not self.introspection:
            raise invalid_document("Introspection is switched off here.")
        fragments = self._rule.measure_fragments(found.fragments)
        measures = [self._rule.measure_operation(operation, fragments) for operation in found.operations]
        operations = self._operations(document, found, measures)
        operation = _choose(operations, operation_name)
        self._check_cost(operation, variables)
        self._check_comparisons(found, [*measures, *fragments.values()])
        self._validate(document)
        operations = self._planned(operations, found, measures)
        self._keep(text, _Kept(operations, len(text) * 4 + found.tokens * _BYTES_A_TOKEN))
        return _choose(operations, operation_name)

    def _planned(
        self, operations: dict[str | None, Operation], found: Survey, measures: list[Measure]
    ) -> dict[str | None, Operation]:
        attribute_of = self._attribute_of
        # SECURITY: a plan that gives up is run again, which would count a try of a credential twice.
        if attribute_of is None or found.directives or any(measure.credentials for measure in measures):
            return operations
        return {
            name: replace(each, plan=plan_of(self.schema, each.document, each.definition, attribute_of))
            for name, each in operations.items()
        }

    def _parse(self, text: str) -> DocumentNode:
        try:
            return parse(text, max_lexical_tokens=self._bounds.tokens, max_comments=self._bounds.comments)
        except GraphQLError as error:
            raise faulty_document(self._parse_entry(error)) from None

    def _parse_entry(self, error: GraphQLError) -> ErrorEntry:
        if error.message.endswith("tokens. Parsing aborted."):
            return too_costly("tokens", self._bounds.tokens)
        if error.message.endswith("comments. Parsing aborted."):
            return too_costly("comments", self._bounds.comments)
        return validation_entry(error)

    def _operations(
        self, document: DocumentNode, found: Survey, measures: list[Measure]
    ) -> dict[str | None, Operation]:
        """The operations by name. Raises Rejection where one is past a bound that no variable decides."""
        errors = [error for measure in measures for error in excesses(measure, self._bounds)]
        if errors:
            raise faulty_document(*errors[:_MOST_ERRORS])
        prepared = [_operation(document, *both) for both in zip(found.operations, measures, strict=True)]
        return {operation.name: operation for operation in prepared}

    def _check_comparisons(self, found: Survey, measures: list[Measure]) -> None:
        """Bounds what graphql-core's own rules will do: the selections first, which bounds the second count."""
        bounds = self._bounds
        selections = sum(measure.selections for measure in measures)
        if selections > bounds.selections:
            raise faulty_document(too_costly("selections", bounds.selections, selections))
        fragments = {fragment.name.value: fragment for fragment in found.fragments}
        most = max((_most_of_one_name(definition, fragments) for definition in _definitions(found)), default=0)
        if most > bounds.fields_of_one_name:
            raise faulty_document(too_costly("fields_of_one_name", bounds.fields_of_one_name, most))

    def _check_cost(self, operation: Operation, variables: Mapping[str, Any]) -> None:
        limit = self._bounds.cost
        if operation.highest_cost > limit and (actual := operation.cost(variables)) > limit:
            raise faulty_document(too_costly("cost", limit, actual))

    def _validate(self, document: DocumentNode) -> None:
        errors = validate(self.schema, document, max_errors=_MOST_ERRORS, hide_suggestions=not self.introspection)
        if errors:
            raise faulty_document(*map(validation_entry, errors))

    def _keep(self, text: str, kept: _Kept) -> None:
        self._kept[text] = kept
        self._bytes += kept.size
        while len(self._kept) > self._most_documents or self._bytes > self._most_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.size


def _definitions(found: Survey) -> list[OperationDefinitionNode | FragmentDefinitionNode]:
    return [*found.operations, *found.fragments]


def _most_of_one_name(
    definition: OperationDefinitionNode | FragmentDefinitionNode, fragments: dict[str, FragmentDefinitionNode]
) -> int:
    return most_fields_of_one_name(definition.selection_set, fragments)


def _operation(document: DocumentNode, definition: OperationDefinitionNode, measure: Measure) -> Operation:
    name = definition.name.value if definition.name else None
    highest = evaluate(measure.weight, None)
    return Operation(document, definition, name, definition.operation, measure.weight, highest)


def _choose(operations: dict[str | None, Operation], name: str | None) -> Operation:
    if name is None and len(operations) == 1:
        return next(iter(operations.values()))
    operation = operations.get(name) if name is not None else None
    if operation is None:
        raise _no_such_operation(name)
    return operation


def _no_such_operation(name: str | None) -> Rejection:
    if name is None:
        return invalid_document("The document must hold exactly one operation, or `operationName` say which to run.")
    return invalid_document(f"The document has no operation named '{name[:100]}'.")
