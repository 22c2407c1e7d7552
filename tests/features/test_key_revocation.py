"""Revoking keys, one or many: all of them or none (AK-4)."""

import asyncio

import pytest

from models import ApiKey
from tests.features.test_api_keys import NOBODYS_KEY, REVOKE, event_kinds, make, with_key
from tests.support.people import Person
from tests.support.stored import stored


async def test_bulk_revoking_is_all_or_nothing(ann: Person, bob: Person) -> None:
    own = [await make(ann, f"key {number}") for number in range(3)]
    foreign = await make(bob)
    ids = [key["apiKey"]["id"] for key in own]
    before = await stored()
    mixed = [await ann.client.run(REVOKE, ids=[*ids, other]) for other in (foreign["apiKey"]["id"], NOBODYS_KEY, "x")]
    still = await stored()
    revoked = (await ann.client.run(REVOKE, ids=ids)).expect("ApiKeysRevoked")

    assert {answer.response.content for answer in mixed} == {mixed[0].response.content}
    mixed[0].expect("NotFound")
    assert still == before
    assert revoked["ids"] == ids
    assert [(await with_key(ann, key["key"])).status for key in own] == [401] * 3
    assert (await with_key(bob, foreign["key"])).status == 200
    assert (await event_kinds()).count("API_KEY_REVOKED") == 3


@pytest.mark.parametrize("count", [0, 1_001])
async def test_bulk_takes_from_one_to_a_thousand_ids(ann: Person, count: int) -> None:
    await make(ann)

    answer = (await ann.client.run(REVOKE, ids=[f"apikey_{number:032x}" for number in range(count)])).expect(
        "InvalidInput"
    )

    assert [problem["path"] for problem in answer["fields"]] == ["ids"]
    assert await ApiKey.all().count() == 1


async def test_thousand_unknown_ids_are_not_found(ann: Person) -> None:
    answer = await ann.client.run(REVOKE, ids=[f"apikey_{number:032x}" for number in range(1_000)])

    answer.expect("NotFound")


async def test_id_given_twice_revokes_nothing(ann: Person) -> None:
    made = await make(ann)

    answer = (await ann.client.run(REVOKE, ids=[made["apiKey"]["id"]] * 2)).expect("InvalidInput")

    assert [problem["path"] for problem in answer["fields"]] == ["ids"]
    assert (await with_key(ann, made["key"])).status == 200


async def test_revoking_twice_at_once_happens_once(ann: Person) -> None:
    made = await make(ann)

    answers = await asyncio.gather(*(ann.client.run(REVOKE, ids=[made["apiKey"]["id"]]) for _ in range(5)))

    assert sorted(answer.root["__typename"] for answer in answers) == ["ApiKeysRevoked"] + ["NotFound"] * 4
    assert (await event_kinds()).count("API_KEY_REVOKED") == 1


async def test_key_may_revoke_itself_and_is_nobody_then(ann: Person) -> None:
    made = await make(ann)
    document = """mutation ($ids: [ID!]!) {
      revokeApiKeys(ids: $ids) { ... on ApiKeysRevoked { ids account { authentication { __typename } } } }
    }"""

    answer = await ann.client.bearing(made["key"]).run(document, ids=[made["apiKey"]["id"]])

    assert answer.status == 200
    assert answer.error_codes == ["UNAUTHENTICATED"]
    assert await ApiKey.all().count() == 0


async def test_nothing_in_one_request_outlives_the_key_that_it_revoked(ann: Person) -> None:
    made, other = await make(ann), await make(ann, "other")
    document = """mutation ($first: [ID!]!, $second: [ID!]!) {
      a: revokeApiKeys(ids: $first) { __typename }
      b: revokeApiKeys(ids: $second) { __typename }
    }"""
    program = ann.client.bearing(made["key"])

    answer = await program.run(document, first=[made["apiKey"]["id"]], second=[other["apiKey"]["id"]])

    assert answer.error_codes == ["UNAUTHENTICATED"]
    assert (await with_key(ann, other["key"])).status == 200
