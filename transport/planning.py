"""Makes a plan from a validated document: each field becomes a function that knows all that the document decides."""

from functools import partial
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    default_field_resolver,
    default_type_resolver,
    get_argument_values,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import (
    FieldDetailsList,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.pyutils import Path, is_awaitable

from transport.plans import (
    NO_VARIABLES,
    AttributeOf,
    Complete,
    Fields,
    GivenUp,
    Info,
    Plan,
    Resolve,
    Run,
    complete_items,
    complete_later,
    complete_leaf,
    resolve_fields,
)

# Abstract types multiply: below one, every possible type has its own fields.
_MOST_FIELDS = 1_000
_PLAIN = frozenset({str, int, float, bool})


class _NoPlan(Exception):
    """There is something in the document that plans do not cover."""


def plan_of(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, attribute_of: AttributeOf
) -> Plan | None:
    """None where plans do not cover it. The document must be valid and hold no directive."""
    if operation.operation is not OperationType.QUERY or schema.query_type is None:
        return None
    try:
        return Plan(schema, operation, _Planner(schema, document, operation, attribute_of).root(schema.query_type))
    except (_NoPlan, GraphQLError):
        return None


class _Planner:
    """Plans one operation."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        attribute_of: AttributeOf,
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._attribute_of = attribute_of
        named = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
        self._definitions = {node.name.value: node for node in named}
        self._fragments = {node.name.value: FragmentDetails(node) for node in named}
        self._fields_left = _MOST_FIELDS
        nobody = default_field_resolver
        self._helpers = Executor(
            schema, {}, {}, None, None, operation, NO_VARIABLES, nobody, default_type_resolver, nobody
        ).async_helpers

    def root(self, query: GraphQLObjectType) -> Fields:
        collected = collect_fields(self._schema, self._fragments, NO_VARIABLES, query, self._operation)
        return self._fields(query, collected.grouped_field_set)

    def _fields(self, parent: GraphQLObjectType, grouped: GroupedFieldSet) -> Fields:
        self._fields_left -= len(grouped)
        if self._fields_left < 0:
            raise _NoPlan
        return tuple((name, self._field(parent, name, details)) for name, details in grouped.items())

    def _field(self, parent: GraphQLObjectType, answer_name: str, details: FieldDetailsList) -> Resolve:
        field_name = details[0].node.name.value
        if field_name == "__typename":
            return partial(_constant, parent.name)
        field = self._schema.get_field(parent, field_name)
        if field is None or field_name.startswith("__"):
            raise _NoPlan
        complete = self._completion(field.type, details)
        attribute = self._attribute_of(field)
        inner = field.type.of_type if is_non_null_type(field.type) else field.type
        if attribute is not None and is_leaf_type(inner):
            return _plain_leaf(attribute, inner.coerce_output_value, is_required=is_non_null_type(field.type))
        return self._resolving(parent, answer_name, field, details, complete, attribute)

    def _resolving(
        self,
        parent: GraphQLObjectType,
        answer_name: str,
        field: GraphQLField,
        details: FieldDetailsList,
        complete: Complete,
        attribute: str | None,
    ) -> Resolve:
        """A field that needs its place in the answer: for its resolver, or for what is below it."""
        nodes = [detail.node for detail in details]
        node, resolver = nodes[0], field.resolve or default_field_resolver
        parent_name, schema, operation = parent.name, self._schema, self._operation
        definitions, helpers = self._definitions, self._helpers

        def resolve(source: Any, path: Path | None, run: Run) -> Any:  # noqa: ANN401
            here = Path(path, answer_name, parent_name)
            # Not by its alias: to call that costs more than to make what it names.
            info = GraphQLResolveInfo(
                node.name.value,
                nodes,
                field.type,
                parent,
                here,
                schema,
                definitions,
                None,
                operation,
                run.variables,
                run.context,
                is_awaitable,
                None,
                helpers,
            )
            if attribute is not None:
                value = getattr(source, attribute)
            elif field.args:
                value = resolver(source, info, **get_argument_values(field, node, run.variables))
            else:
                value = resolver(source, info)
            if is_awaitable(value):
                return complete_later(value, complete, here, info, run)
            return complete(value, here, info, run)

        return resolve

    def _completion(self, kind: GraphQLOutputType, details: FieldDetailsList) -> Complete:
        if is_non_null_type(kind):
            return partial(_required, self._completion(kind.of_type, details))
        if is_list_type(kind):
            return partial(_list, self._completion(kind.of_type, details))
        if is_leaf_type(kind):
            return partial(_leaf, kind.coerce_output_value)
        if is_abstract_type(kind):
            possible = {each.name: self._object(each, details) for each in self._schema.get_possible_types(kind)}
            return partial(_abstract, kind, kind.resolve_type or default_type_resolver, possible)
        if is_object_type(kind):
            return self._object(kind, details)
        raise _NoPlan

    def _object(self, kind: GraphQLObjectType, details: FieldDetailsList) -> Complete:
        collected = collect_subfields(self._schema, self._fragments, NO_VARIABLES, self._operation, kind, details)
        return partial(_object, kind.is_type_of, self._fields(kind, collected.grouped_field_set))


def _constant(value: str, _source: object, _path: Path | None, _run: Run) -> str:
    return value


def _plain_leaf(attribute: str, coerce: Any, *, is_required: bool) -> Resolve:  # noqa: ANN401
    def resolve(source: Any, _path: Path | None, _run: Run) -> Any:  # noqa: ANN401
        value = getattr(source, attribute)
        if value.__class__ not in _PLAIN and is_awaitable(value):
            raise GivenUp
        done = complete_leaf(value, coerce)
        if done is None and is_required:
            raise GivenUp
        return done

    return resolve


def _required(complete: Complete, value: Any, path: Path, info: Info, run: Run) -> Any:  # noqa: ANN401
    done = complete(value, path, info, run)
    if done is None:
        raise GivenUp
    return done


def _leaf(coerce: Any, value: Any, _path: Path, _info: Info, _run: Run) -> Any:  # noqa: ANN401
    return complete_leaf(value, coerce)


def _list(complete: Complete, value: Any, path: Path, info: Info, run: Run) -> Any:  # noqa: ANN401
    return None if value is None or value is Undefined else complete_items(complete, value, path, info, run)


def _abstract(
    kind: GraphQLAbstractType,
    resolve_type: Any,  # noqa: ANN401
    possible: dict[str, Complete],
    value: Any,  # noqa: ANN401
    path: Path,
    info: Info,
    run: Run,
) -> Any:  # noqa: ANN401
    if value is None or value is Undefined:
        return None
    name = None if isinstance(value, Exception) else resolve_type(value, info, kind)
    if not isinstance(name, str) or name not in possible:
        raise GivenUp
    return possible[name](value, path, info, run)


def _object(
    is_type_of: Any,  # noqa: ANN401
    fields: Fields,
    value: Any,  # noqa: ANN401
    path: Path,
    info: Info,
    run: Run,
) -> Any:  # noqa: ANN401
    if value is None or value is Undefined:
        return None
    if isinstance(value, Exception) or (is_type_of is not None and is_type_of(value, info) is not True):
        raise GivenUp
    return resolve_fields(fields, value, path, run)
