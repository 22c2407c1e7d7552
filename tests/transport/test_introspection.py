"""Introspection: deep enough for tools where it is on, and nothing of the schema where it is off."""

import pytest
from graphql import get_introspection_query

from tests.transport.expectations import assert_admitted, assert_refused
from tests.transport.service import Service, codes, make_service


async def test_introspection_of_tools_passes_where_it_is_on(service: Service) -> None:
    query = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
    )

    response = await service.ask(query)

    assert "errors" not in response.json()
    assert response.json()["data"]["__schema"]["queryType"]["name"] == "Query"


async def test_introspection_has_a_depth_of_its_own(service: Service) -> None:
    def query(wrapped: int) -> str:
        types = "type { " + "ofType { " * wrapped + "name" + " }" * (wrapped + 1)
        return f"{{ __schema {{ types {{ fields {{ args {{ {types} }} }} }} }} }}"

    await assert_refused(service, query(10), "introspectionDepth", 15)
    await assert_admitted(service, query(9))


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { name } } }",
        '{ __type(name: "Account") { name } }',
        "{ ...a } fragment a on Query { __schema { types { name } } }",
        "{ viewer: __schema { types { name } } }",
        "query A { viewer { id } } query B { __schema { types { name } } }",
    ],
)
async def test_introspection_is_refused_where_it_is_off(query: str) -> None:
    service = make_service(introspection=False)

    response = await service.ask(query)

    assert codes(response) == ["GRAPHQL_VALIDATION_FAILED"]
    assert "ntrospection is switched off" in response.json()["errors"][0]["message"]
    assert "Account" not in response.text
    assert service.witness.ran == []


async def test_typename_needs_no_introspection() -> None:
    service = make_service(introspection=False)

    response = await service.ask("{ __typename viewer { __typename } }")

    assert response.json() == {"data": {"__typename": "Query", "viewer": {"__typename": "Account"}}}


@pytest.mark.parametrize(
    "query", ["{ viewr { id } }", "{ viewer { emial } }", "{ viewer { keys(frist: 1) { totalCount } } }"]
)
@pytest.mark.parametrize("introspection", [True, False])
async def test_names_are_suggested_only_with_introspection(query: str, introspection: bool) -> None:
    service = make_service(introspection=introspection)

    response = await service.ask(query)

    assert ("Did you mean" in response.text) == introspection
