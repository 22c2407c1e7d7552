"""The schema against the public contract, of which `contract.graphql` is a copy.

Parts that are not built yet are left out of the schema, never stubbed. What is there is as the contract has it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
    print_type,
)

from schema import schema

HERE = Path(__file__).parent
CONTRACT = build_schema((HERE / "contract.graphql").read_text())
PRESENT = build_schema(schema.as_str())

COMMON = sorted(
    name
    for name, type_ in CONTRACT.type_map.items()
    if name in PRESENT.type_map and not is_introspection_type(type_) and not is_specified_scalar_type(type_)
)

Fields = dict[str, Any]


def is_there(type_: Any) -> bool:
    return get_named_type(type_).name in PRESENT.type_map


def fields_of(type_: GraphQLNamedType) -> Fields:
    composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType
    return dict(type_.fields) if isinstance(type_, composite) else {}


@pytest.mark.parametrize("name", COMMON)
def test_type_is_of_the_same_kind_and_implements_the_same(name: str) -> None:
    promised, present = CONTRACT.type_map[name], PRESENT.type_map[name]

    assert type(present) is type(promised), print_type(present)
    interfaces = [{one.name for one in getattr(type_, "interfaces", ())} for type_ in (promised, present)]
    assert interfaces[0] <= interfaces[1]


@pytest.mark.parametrize("name", COMMON)
def test_every_field_whose_types_are_there_is_there(name: str) -> None:
    promised, present = fields_of(CONTRACT.type_map[name]), fields_of(PRESENT.type_map[name])
    missing = [f"{name}.{key}" for key, field in promised.items() if is_there(field.type) and key not in present]

    assert missing == []


@pytest.mark.parametrize("name", COMMON)
def test_fields_and_arguments_are_exactly_as_promised(name: str) -> None:
    promised, present = fields_of(CONTRACT.type_map[name]), fields_of(PRESENT.type_map[name])

    for key in promised.keys() & present.keys():
        assert str(present[key].type) == str(promised[key].type), f"{name}.{key}"
        assert defaults(present[key]) == defaults(promised[key]), f"{name}.{key}"
        arguments = [dict(signature(field)) for field in (promised[key], present[key])]
        assert arguments[0] == arguments[1], f"{name}.{key}"


def signature(field: Any) -> Iterator[tuple[str, tuple[str, object]]]:
    for name, argument in getattr(field, "args", {}).items():
        yield name, (str(argument.type), defaults(argument))


def defaults(value: Any) -> object:
    """What is taken where nothing is given: left out, null and no default at all are one."""
    default = getattr(value, "default_value", None)
    return default if isinstance(default, str | int | bool) else None


@pytest.mark.parametrize("name", COMMON)
def test_union_has_the_promised_members_and_no_others(name: str) -> None:
    promised, present = CONTRACT.type_map[name], PRESENT.type_map[name]
    if isinstance(promised, GraphQLUnionType) and isinstance(present, GraphQLUnionType):
        members = [{f"{name}.{one.name}" for one in union.types if is_there(one)} for union in (promised, present)]
        assert members[0] == members[1]
    if isinstance(promised, GraphQLEnumType) and isinstance(present, GraphQLEnumType):
        assert promised.values.keys() == present.values.keys()


@pytest.mark.parametrize("name", COMMON)
def test_promised_words_are_kept(name: str) -> None:
    promised, present = dict(words(CONTRACT.type_map[name])), dict(words(PRESENT.type_map[name]))
    lost = {
        place: text
        for place, text in promised.items()
        if text and place in present and flat(text) not in flat(present[place])
    }

    assert lost == {}


def words(type_: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    yield type_.name, type_.description
    for name, field in fields_of(type_).items():
        yield f"{type_.name}.{name}", field.description
        for key, argument in getattr(field, "args", {}).items():
            yield f"{type_.name}.{name}({key})", argument.description
    if isinstance(type_, GraphQLEnumType):
        yield from ((f"{type_.name}.{name}", value.description) for name, value in type_.values.items())


def flat(text: str | None) -> str:
    return " ".join((text or "").split())
