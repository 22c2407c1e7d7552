"""The schema is the manual: everything in it has a description, one sentence at least."""

from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    is_introspection_type,
    is_specified_scalar_type,
)

from schema import schema

NAMES_SAY_IT = {"ErrorCode", "SecurityEventKind", "AuthenticationMethod", "SocialProvider", "SessionEndReason"}
"""Enums whose values are sentences in capitals."""

ROOTS = {"Query", "Mutation", "Subscription"}


def described(type_: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    """Every place of a type that a reader may look at, and what stands there."""
    if type_.name not in ROOTS:
        yield type_.name, type_.description
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in type_.fields.items():
            yield f"{type_.name}.{name}", field.description
            yield from ((f"{type_.name}.{name}({key})", one.description) for key, one in field.args.items())
    if isinstance(type_, GraphQLInputObjectType):
        yield from ((f"{type_.name}.{name}", field.description) for name, field in type_.fields.items())
    if isinstance(type_, GraphQLEnumType) and type_.name not in NAMES_SAY_IT:
        yield from ((f"{type_.name}.{name}", value.description) for name, value in type_.values.items())


def own_types() -> list[GraphQLNamedType]:
    return [
        type_
        for type_ in schema._schema.type_map.values()
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
    ]


@pytest.mark.parametrize("type_", own_types(), ids=str)
def test_everything_is_described(type_: GraphQLNamedType) -> None:
    silent = [place for place, text in described(type_) if not (text or "").strip()]

    assert silent == []


@pytest.mark.parametrize("type_", own_types(), ids=str)
def test_descriptions_are_sentences(type_: GraphQLNamedType) -> None:
    odd = [
        (place, text)
        for place, text in described(type_)
        if text and (text.strip() != text or text[-1] not in ".:`" or text[0].islower())
    ]

    assert odd == []
