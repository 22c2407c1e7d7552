"""Plans against graphql-core's executor where resolvers do everything that they should not."""

import json
from random import Random
from typing import Any

import httpx
import pytest
from graphql import (
    ExecutionResult,
    GraphQLField,
    GraphQLResolveInfo,
    GraphQLSchema,
    Undefined,
    build_schema,
    execute,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import Unavailable
from tests.support.documents import queries
from tests.transport.service import Service, make_service
from transport.bounds import Bounds
from transport.documents import Documents

SCHEMA = """
type Query { thing: Thing mustBe: Thing! things(first: Int = 2, names: [String!]): [Thing] any: Any anyOf: [Any!]! }
interface Named { name: String plain: String! }
type Thing implements Named {
  name: String plain: String! plainNumber: Int size: Float! next: Thing others: [[Thing!]] named: Named! anyOf: [Any]
}
type Person implements Named { name: String plain: String! age(in: Unit = YEARS): Int! friend: Person! }
union Any = Thing | Person
enum Unit { YEARS DAYS }
"""
BOUNDS = Bounds(depth=50, aliases=1_000, root_fields=1_000, cost=1_000_000_000)
LEAVES: dict[str, list[Any]] = {"String": ["a", "b"], "Int": [1, 2], "Float": [1.5, 2], "Unit": ["YEARS"]}
PLAIN = {"plain": "plain", "plainNumber": "number"}


class Value:
    """An object of any type; what its attributes hold depends on its number alone."""

    def __init__(self, number: int, typename: str) -> None:
        self.typename = typename
        self.plain = pick(Random(number), ["text", "text", "text", None, 7, ValueError("given, not raised"), []])
        self.number = pick(Random(number), [1, 2, None, "3", "no number", 2**40])


def pick(random: Random, values: list[Any]) -> Any:
    return values[random.randrange(len(values))]


def made(kind: Any, random: Random, schema: GraphQLSchema) -> Any:
    """Something for a field of that type, mostly right."""
    if is_non_null_type(kind):
        return made(kind.of_type, random, schema)
    if random.random() < 0.04:
        return pick(random, [None, Undefined, ValueError("given, not raised"), "wrong", 7])
    if is_list_type(kind):
        return [made(kind.of_type, random, schema) for _ in range(random.randrange(3))]
    if is_leaf_type(kind):
        return pick(random, LEAVES[kind.name])
    types = schema.get_possible_types(kind) if is_abstract_type(kind) else [kind]
    return Value(random.randrange(1_000), pick(random, sorted(each.name for each in types)))


def resolve(_source: object, info: GraphQLResolveInfo[int], **arguments: Any) -> Any:
    """The same at the same place, whoever asks: the context is the seed."""
    random = Random(json.dumps([info.context, info.path.as_list(), arguments], default=str))

    async def later() -> Any:
        if random.random() < 0.05:
            raise KeyError("late")
        return made(info.return_type, random, info.schema)

    if random.random() < 0.03:
        raise KeyError("at once")
    return later() if random.random() < 0.25 else made(info.return_type, random, info.schema)


def chaotic() -> GraphQLSchema:
    schema = build_schema(SCHEMA)
    for name in ("Query", "Thing", "Person"):
        kind: Any = schema.type_map[name]
        for field_name, field in kind.fields.items():
            field.resolve = resolve
            if field_name in PLAIN:
                field.extensions = {"attribute": PLAIN[field_name]}
                field.resolve = lambda source, _info, attribute=PLAIN[field_name]: getattr(source, attribute)
    for name in ("Named", "Any"):
        kind = schema.type_map[name]
        kind.resolve_type = lambda value, _info, _kind: getattr(value, "typename", None)
    thing: Any = schema.type_map["Thing"]
    thing.is_type_of = lambda value, _info: isinstance(value, Value)
    return schema


def attribute_of(field: GraphQLField) -> str | None:
    name: str | None = field.extensions.get("attribute")
    return name


CHAOS = chaotic()
DOCUMENTS = Documents(CHAOS, introspection=True, attribute_of=attribute_of, bounds=BOUNDS)


# Graphql-core leaves some coroutines of a failed list's siblings unawaited.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@given(drawn=queries(CHAOS, ["a", "b"]), seed=st.integers(0, 1_000))
@settings(deadline=None)
async def test_what_goes_wrong_is_graphql_core_s_to_say(drawn: Any, seed: int) -> None:
    plan = DOCUMENTS.prepare(drawn.text, None, drawn.variables).plan
    assert plan is not None

    planned = await plan.execute(seed, drawn.variables)

    result = execute(CHAOS, parse(drawn.text), context_value=seed, variable_values=drawn.variables)
    expected = result if isinstance(result, ExecutionResult) else await result
    assert (planned is None) == bool(expected.errors), expected
    assert planned is None or json.dumps(planned.formatted) == json.dumps(expected.formatted)


def plan_of(service: Service, text: str) -> object:
    return service.documents.prepare(text, None, {}).plan


async def test_what_must_not_run_twice_gets_no_plan() -> None:
    service = make_service(attribute_of=attribute_of)

    assert plan_of(service, '{ invitation(token: "secret") }') is None
    assert plan_of(service, '{ invitation(token: "secret") viewer { id } }') is None
    assert plan_of(service, 'mutation { rename(name: "a") }') is None
    assert plan_of(service, "subscription { ticks }") is None
    assert plan_of(service, "{ viewer { id } }") is not None


async def test_what_plans_do_not_cover_gets_none() -> None:
    service = make_service(attribute_of=attribute_of)

    assert plan_of(service, "{ viewer { id @skip(if: true) } }") is None
    assert plan_of(service, "{ __schema { queryType { name } } }") is None
    assert plan_of(service, "query { viewer { ...F } } fragment F on Account { id }") is not None


async def test_plans_can_be_switched_off() -> None:
    assert plan_of(make_service(), "{ viewer { id } }") is None


def without_ids(response: httpx.Response) -> str:
    """The answer but for its request's id."""
    return response.text.replace(response.headers["x-request-id"], "")


async def test_answers_are_the_same_with_plans_and_without() -> None:
    texts = [
        "{ viewer { id email friend { id } keys(first: 3) { nodes { id } totalCount } } }",
        "query ($text: String) { again: echo(text: $text) echo(number: 7) private bug: echo(text: null) }",
        "{ privateButRequired viewer { id } }",
        "{ missingButRequired }",
        "{ notANumber badArgument unstorable }",
        '{ half(number: "odd") }',
    ]

    for text in texts:
        with_plans = await make_service(attribute_of=attribute_of).ask(text, {"text": "a"})
        without = await make_service().ask(text, {"text": "a"})

        assert with_plans.status_code == without.status_code
        assert without_ids(with_plans) == without_ids(without), text


async def test_what_is_away_is_waited_for_once() -> None:
    service = make_service(attribute_of=attribute_of)
    calls: list[str] = []

    def away(_source: object, _info: object) -> str:
        calls.append("asked")
        raise Unavailable("The database", 7)

    query: Any = service.documents.schema.query_type
    query.fields["databaseAway"].resolve = away
    answer = await service.ask("{ databaseAway }")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "7"
    assert calls == ["asked"]
