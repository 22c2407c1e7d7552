"""Resolvers without arguments, called directly: the way to them through Strawberry costs more than what they do."""

from collections.abc import Callable
from types import FunctionType
from typing import Any, cast

from graphql import GraphQLField, GraphQLResolveInfo, GraphQLSchema, get_named_type, is_object_type, is_union_type
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types import Info
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver


def declared_as(field: GraphQLField) -> StrawberryField | None:
    """Where Strawberry keeps what a field was declared as."""
    declared = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return declared if isinstance(declared, StrawberryField) else None


def attribute_of(field: GraphQLField) -> str | None:
    """The attribute that a field without a resolver gives back; None for one that has a resolver."""
    declared = declared_as(field)
    return declared.python_name if declared is not None and declared.is_basic_field else None


def call_directly(schema: GraphQLSchema) -> None:
    """Change the resolvers of all fields for which it makes no difference."""
    for kind in schema.type_map.values():
        if is_object_type(kind):
            for field in kind.fields.values():
                declared = declared_as(field)
                resolver = declared.base_resolver if declared is not None else None
                if declared is not None and resolver is not None and _is_plain(field, declared, resolver):
                    field.resolve = _direct(declared, resolver)


def _is_plain(field: GraphQLField, declared: StrawberryField, resolver: StrawberryResolver[Any]) -> bool:
    """Whether Strawberry would do nothing but call it: no arguments, no extensions, no refusal to turn into data."""
    return (
        isinstance(resolver.wrapped_func, FunctionType)
        and resolver.self_parameter is not None
        and resolver.parent_parameter is None
        and resolver.root_parameter is None
        and not field.args
        and not declared.extensions
        and not declared.is_subscription
        and not is_union_type(get_named_type(field.type))
    )


def _direct(declared: StrawberryField, resolver: StrawberryResolver[Any]) -> Callable[..., Any]:
    call: Callable[..., Any] = cast("Callable[..., Any]", resolver.wrapped_func)
    asks_for_info = resolver.info_parameter
    if asks_for_info is None:
        return lambda source, _info: call(source)
    name = asks_for_info.name

    def resolve(source: object, info: GraphQLResolveInfo[Any]) -> Any:  # noqa: ANN401 - whatever the resolver gives
        return call(source, **{name: Info(_raw_info=info, _field=declared)})

    return resolve
