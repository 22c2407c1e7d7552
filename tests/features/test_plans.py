"""Queries by plans are what graphql-core's executor makes of them."""

import json
from typing import Any

import pytest
from graphql import ExecutionResult, execute, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.origin import Origin
from process.gateway import Gateway
from schema import attribute_of, schema
from tests.features.test_api_keys import CREATE
from tests.support.documents import queries
from tests.support.people import Person
from transport.bounds import Bounds
from transport.documents import Documents

GRAPHQL = schema._schema
BOUNDS = Bounds(depth=50, aliases=1_000, root_fields=1_000, cost=1_000_000_000)
DOCUMENTS = Documents(GRAPHQL, introspection=True, attribute_of=attribute_of, bounds=BOUNDS)
EXAMPLES = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)


@pytest.fixture
async def key(ann: Person) -> dict[str, Any]:
    """One of Ann's keys."""
    return (await ann.client.run(CREATE, name="Key")).expect("ApiKeyCreated")


@given(data=st.data())
@EXAMPLES
async def test_a_plan_answers_as_the_executor_does(
    gateway: Gateway, ann: Person, bob: Person, key: dict[str, Any], data: st.DataObject
) -> None:
    ids = [ann.account_id, bob.account_id, key["apiKey"]["id"], "key_nonsense"]
    drawn = data.draw(queries(GRAPHQL, ids))
    bearer = data.draw(st.sampled_from([None, ann.token, key["key"]]))
    context = await gateway._identify(f"Bearer {bearer}" if bearer else None, Origin("192.0.2.1", "test", "1"))

    plan = DOCUMENTS.prepare(drawn.text, None, drawn.variables).plan
    assert plan is not None
    planned = await plan.execute(context, drawn.variables)

    expected = await executed(drawn.text, context, drawn.variables)
    assert (planned is None) == bool(expected.errors), expected
    assert planned is None or as_text(planned) == as_text(expected)


async def executed(text: str, context: object, variables: dict[str, Any]) -> ExecutionResult:
    result = execute(GRAPHQL, parse(text), context_value=context, variable_values=variables)
    return result if isinstance(result, ExecutionResult) else await result


def as_text(result: ExecutionResult) -> str:
    """The order of fields is a part of the answer."""
    return json.dumps(result.formatted)
