"""Bounds on documents: at the limit and one past it, in every spelling."""

from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLArgument, GraphQLInt, Undefined

from tests.transport.expectations import assert_admitted, assert_refused
from tests.transport.service import Service, codes
from transport.weights import default_page

SPELLINGS: dict[str, Callable[[str, str], str]] = {
    "plain": lambda _on, selected: f"{{ {selected} }}",
    "named": lambda _on, selected: f"query Named {{ {selected} }}",
    "inline": lambda _on, selected: f"{{ ... {{ {selected} }} }}",
    "typed inline": lambda on, selected: f"{{ ... on {on} {{ {selected} }} }}",
    "fragment": lambda on, selected: f"{{ ...a }} fragment a on {on} {{ {selected} }}",
    "nested fragments": lambda on, selected: (
        f"{{ ...a }} fragment b on {on} {{ {selected} }} fragment a on {on} {{ ...b }}"
    ),
    "fragment with a lure for a name": lambda on, selected: (
        f"{{ ...__schema }} fragment __schema on {on} {{ {selected} }}"
    ),
    "directives": lambda _on, selected: f"{{ ... @include(if: true) {{ {selected} }} }}",
}
in_every_spelling = pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=list(SPELLINGS))


def friends(depth: int) -> str:
    """A document of this depth: the viewer's friend's friend's … id."""
    return "viewer { " + "friend { " * (depth - 2) + "id" + " }" * (depth - 1)


@in_every_spelling
async def test_depth(service: Service, spelling: Callable[[str, str], str]) -> None:
    await assert_refused(service, spelling("Query", friends(13)), "depth", 12)
    await assert_admitted(service, spelling("Query", friends(12)))


async def test_depth_far_past_its_bound(service: Service) -> None:
    await assert_refused(service, "{ " + friends(150) + " }", "depth", 12)


async def test_depth_adds_up_over_fragments(service: Service) -> None:
    def query(depth: int) -> str:
        friends_of_a_friend = "friend { " * (depth - 3) + "id" + " }" * (depth - 3)
        return f"{{ viewer {{ friend {{ ...a }} }} }} fragment a on Account {{ {friends_of_a_friend} }}"

    await assert_refused(service, query(13), "depth", 12)
    await assert_admitted(service, query(12))


@pytest.mark.parametrize("lure", ["__schema: viewer", "__type: viewer", "__typename: viewer"])
async def test_depth_is_not_fooled_by_an_alias(service: Service, lure: str) -> None:
    await assert_refused(service, "{ " + friends(13).replace("viewer", lure) + " }", "depth", 12)


@pytest.mark.parametrize("name", ["__schema", "__type"])
async def test_depth_is_not_fooled_by_a_meta_field_out_of_place(service: Service, name: str) -> None:
    await assert_refused(service, "{ " + friends(13).replace("friend", name, 1) + " }", "depth", 12)


@in_every_spelling
async def test_aliases(service: Service, spelling: Callable[[str, str], str]) -> None:
    def selected(count: int) -> str:
        return " ".join(f"a{number}: __typename" for number in range(count))

    await assert_refused(service, spelling("Query", selected(16)), "aliases", 15)
    await assert_admitted(service, spelling("Query", selected(15)))


async def test_alias_counts_as_often_as_its_fragment_is_spread(service: Service) -> None:
    fragment = "fragment a on Account { mine: id }"

    await assert_refused(service, "{ viewer { " + "...a " * 16 + "} } " + fragment, "aliases", 15)
    await assert_admitted(service, "{ viewer { " + "...a " * 15 + "} } " + fragment)


@in_every_spelling
async def test_root_fields(service: Service, spelling: Callable[[str, str], str]) -> None:
    await assert_refused(service, spelling("Query", "__typename " * 21), "rootFields", 20)
    await assert_admitted(service, spelling("Query", "__typename " * 20))


async def test_root_field_counts_as_often_as_its_fragment_is_spread(service: Service) -> None:
    fragment = "fragment a on Query { __typename viewer { id } }"

    await assert_refused(service, "{ " + "...a " * 11 + "} " + fragment, "rootFields", 20)
    await assert_admitted(service, "{ " + "...a " * 10 + "} " + fragment)


@in_every_spelling
async def test_cost(service: Service, spelling: Callable[[str, str], str]) -> None:
    def query(first: int, typenames: int) -> str:
        inner = "nodes { owner { keys { nodes { id } } } }"
        return spelling("Query", f"viewer {{ keys(first: {first}) {{ {inner} }} {'__typename ' * typenames}}}")

    # viewer, keys, and 97 times nodes, owner, keys and 50 times nodes and id; then fields of one each.
    assert 2 + 97 * (3 + 50 * 2) + 7 == 10_000
    await assert_refused(service, query(97, 8), "cost", 10_000)
    await assert_refused(service, query(98, 0), "cost", 10_000)
    assert await assert_admitted(service, query(97, 7)) == 10_000


@pytest.mark.parametrize(
    ("call", "definition", "variables", "pages"),
    [
        ("keys", "", {}, 50),
        ("keys(first: 3)", "", {}, 3),
        ("keys(first: null)", "", {}, 50),
        ("keys(first: $n)", "($n: Int)", {"n": 4}, 4),
        ("keys(first: $n)", "($n: Int)", {"n": 4.0}, 4),
        ("keys(first: $n)", "($n: Int)", {}, 50),
        ("keys(first: $n)", "($n: Int)", {"n": None}, 50),
        ("keys(first: $n)", "($n: Int = 6)", {}, 6),
        ("keys(first: $n)", "($n: Int = 6)", {"n": 8}, 8),
        ("keys(first: 0)", "", {}, 1),
        ("keys(first: 2147483647)", "", {}, 100),
        ("keys(first: $n)", "($n: Int)", {"n": -7}, 1),
        ("keys(first: $n)", "($n: Int)", {"n": 2147483647}, 100),
    ],
)
async def test_page_size_multiplies(
    service: Service, call: str, definition: str, variables: dict[str, Any], pages: int
) -> None:
    query = f"query {definition or ''} {{ viewer {{ {call} {{ totalCount nodes {{ id }} }} }} }}"

    assert await assert_admitted(service, query, variables) == 2 + pages * 3


@pytest.mark.parametrize(("default", "pages"), [(7, 7), (Undefined, 100)])
def test_default_may_be_given_as_strawberry_gives_it(default: object, pages: int) -> None:
    argument = GraphQLArgument(GraphQLInt, default_value=default)

    assert default_page(argument) == pages


async def test_same_document_is_admitted_or_not_by_its_variables(service: Service) -> None:
    query = (
        "query($n: Int) { viewer { ...a } } "
        "fragment a on Account { keys(first: $n) { nodes { owner { keys(first: $n) { nodes { id } } } } } }"
    )

    cost = await assert_admitted(service, query, {"n": 10})
    service.witness.ran.clear()
    refused = await service.ask(query, {"n": 100})

    assert cost == 2 + 10 * (3 + 10 * 2)
    assert codes(refused) == ["DOCUMENT_TOO_COSTLY"]
    assert "20,302" in refused.json()["errors"][0]["message"]
    assert service.witness.ran == []


async def test_two_fields_that_take_credentials_are_one_too_many(service: Service) -> None:
    for selected in (
        'a: logIn(password: "1") { id } b: logIn(password: "2") { id }',
        'logIn(password: "1") { id } completeTwoFactor(code: "2") { id }',
        "...a ...a",
    ):
        fragment = 'fragment a on Mutation { logIn(password: "1") { id } }' if "..." in selected else ""
        await assert_refused(service, f"mutation {{ {selected} }} {fragment}", "credentials", 1)


async def test_query_that_takes_a_mailed_token_counts_too(service: Service) -> None:
    await assert_refused(service, '{ a: invitation(token: "1") b: invitation(token: "2") }', "credentials", 1)
    await assert_admitted(service, '{ invitation(token: "1") viewer { id } }')


async def test_tokens(service: Service) -> None:
    def query(tokens: int) -> str:
        return "{ required(id: [" + "1 " * (tokens - 9) + "]) }"

    refused = await service.ask(query(1_001))
    judged = await service.ask(query(1_000))

    assert refused.json()["errors"][0]["extensions"] == {
        "code": "DOCUMENT_TOO_COSTLY",
        "bound": "tokens",
        "limit": 1_000,
    }
    assert set(codes(judged)) == {"GRAPHQL_VALIDATION_FAILED"}
    assert service.witness.ran == []


async def test_comments_are_bounded(service: Service) -> None:
    await assert_refused(service, "#\n" * 1_001 + "{ __typename }", "comments", 1_000)


async def test_directives_are_bounded(service: Service) -> None:
    def query(count: int) -> str:
        return "{ " + "viewer { " + "id @skip(if: false) " * count + "} }"

    await assert_refused(service, query(51), "directives", 50)
    await assert_admitted(service, query(50))


async def test_repeated_directive_is_bounded(service: Service) -> None:
    await assert_refused(service, "{ __typename " + "@a" * 51 + " }", "directives", 50)


async def test_fragments_are_bounded(service: Service) -> None:
    fragments = " ".join(f"fragment a{number} on Query {{ __typename }}" for number in range(101))

    await assert_refused(service, "{ ...a0 } " + fragments, "fragments", 100)


async def test_nesting_without_depth_is_bounded(service: Service) -> None:
    await assert_refused(service, "{ " + "... { " * 64 + "__typename" + " }" * 65, "nesting", 64)
    await assert_admitted(service, "{ " + "... { " * 63 + "__typename" + " }" * 64)


async def test_long_number_is_refused_before_it_is_read(service: Service) -> None:
    await assert_refused(service, "{ echo(number: " + "1" * 41 + ") }", "numberLength", 40)


async def test_two_fragments_of_one_name_are_refused(service: Service) -> None:
    response = await service.ask("{ ...a } fragment a on Query { __typename } fragment a on Query { viewer { id } }")

    assert codes(response) == ["GRAPHQL_VALIDATION_FAILED"]
    assert service.witness.ran == []


async def test_definition_of_a_type_is_refused(service: Service) -> None:
    response = await service.ask("{ __typename } type A { a: Int }")

    assert codes(response) == ["GRAPHQL_VALIDATION_FAILED"]


async def test_every_bound_that_is_passed_is_named(service: Service) -> None:
    response = await service.ask("{ " + "".join(f"a{number}: __typename " for number in range(21)) + "}")

    assert [error["extensions"]["bound"] for error in response.json()["errors"]] == ["aliases", "rootFields"]
