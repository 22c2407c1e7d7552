"""Secrets of a key one after the other: rotation with its overlap, and reports of leaked ones."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from kit import clock, tokens
from models import Account, ApiKey, ApiKeySecret, SecurityEvent
from models.api_keys import MAX_FORMER_SECRETS
from process.gateway import Gateway
from tests.features.test_api_keys import NOBODYS_KEY, REVOKE, make, with_key
from tests.support.fleets import row_id
from tests.support.interleaving import one_after_the_other
from tests.support.mailbox import Mailbox
from tests.support.people import Person
from tests.support.places import ELSEWHERE, visitor
from tests.support.stored import stored

ROTATE = """
mutation ($input: RotateApiKeyInput!) {
  rotateApiKey(input: $input) {
    __typename
    ... on ApiKeyRotated { key previousKeyEndsAt apiKey { id name description hint } }
    ... on InvalidInput { fields { path reason } }
    ... on LimitReached { limit }
    ... on UserError { code message }
  }
}
"""
RENAME = 'mutation ($id: ID!) { renameApiKey(input: {id: $id, name: "mine"}) { __typename } }'
REPORT = """
mutation ($key: Secret!) {
  reportLeakedApiKey(key: $key) {
    __typename
    ... on LeakReportReceived { received }
    ... on TooManyAttempts { retryAfterSeconds }
  }
}
"""


async def rotate(person: Person, key_id: str, **fields: Any) -> dict[str, Any]:
    return (await person.client.run(ROTATE, input={"id": key_id, **fields})).expect("ApiKeyRotated")


async def test_former_secret_works_until_its_overlap_ends(ann: Person) -> None:
    made = await make(ann, "kept", description="too")
    started = clock.now()
    rotated = await rotate(ann, made["apiKey"]["id"], overlapSeconds=60)
    ends_at = datetime.fromisoformat(rotated["previousKeyEndsAt"])
    during = [(await with_key(ann, key)).status for key in (made["key"], rotated["key"])]
    clock.shift(timedelta(seconds=61))
    after = [(await with_key(ann, key)).status for key in (made["key"], rotated["key"])]

    assert during == [200, 200]
    assert after == [401, 200]
    assert timedelta(seconds=59) < ends_at - started < timedelta(seconds=62)
    key = rotated["apiKey"]
    assert (key["id"], key["name"], key["description"]) == (made["apiKey"]["id"], "kept", "too")
    assert key["hint"] == rotated["key"][-4:]


@pytest.mark.parametrize("fields", [{}, {"overlapSeconds": 0}, {"overlapSeconds": None}])
async def test_without_an_overlap_the_former_secret_ends_at_once(ann: Person, fields: dict[str, Any]) -> None:
    made = await make(ann)

    rotated = await rotate(ann, made["apiKey"]["id"], **fields)

    assert (await with_key(ann, made["key"])).status == 401
    assert (await with_key(ann, rotated["key"])).status == 200


async def test_request_in_flight_does_not_outlive_its_secret(ann: Person) -> None:
    made = await make(ann, "night job")
    key_id = made["apiKey"]["id"]

    rotated, renamed = await one_after_the_other(
        lambda: Account.lock(row_id(ann.account_id)),
        lambda: ann.client.run(ROTATE, input={"id": key_id}),
        lambda: ann.client.bearing(made["key"]).run(RENAME, id=key_id),
    )

    rotated.expect("ApiKeyRotated")
    assert renamed.error_codes == ["UNAUTHENTICATED"]
    assert (await ApiKey.get()).name == "night job"


@pytest.mark.parametrize(
    ("seconds", "answered"), [(604_800, "ApiKeyRotated"), (604_801, "InvalidInput"), (-1, "InvalidInput")]
)
async def test_overlap_is_a_week_at_most(ann: Person, seconds: int, answered: str) -> None:
    made = await make(ann)
    answer = (await ann.client.run(ROTATE, input={"id": made["apiKey"]["id"], "overlapSeconds": seconds})).expect(
        answered
    )

    assert (await with_key(ann, made["key"])).status == 200
    if answered == "InvalidInput":
        assert [problem["path"] for problem in answer["fields"]] == ["input.overlapSeconds"]
        assert await ApiKeySecret.all().count() == 1


@pytest.mark.parametrize("key_id", [NOBODYS_KEY, "", "\u0000", "\ud800", "apikey_x"])
async def test_unknown_key_is_not_rotated(ann: Person, key_id: str) -> None:
    await make(ann)
    before = await stored()

    (await ann.client.run(ROTATE, input={"id": key_id})).expect("NotFound")

    assert await stored() == before


async def test_foreign_key_is_not_rotated(ann: Person, bob: Person) -> None:
    foreign = await make(bob)
    before = await stored()

    (await ann.client.run(ROTATE, input={"id": foreign["apiKey"]["id"]})).expect("NotFound")

    assert await stored() == before
    assert (await with_key(bob, foreign["key"])).status == 200


async def test_rotating_leaves_an_event_and_a_mail(ann: Person, mailbox: Mailbox) -> None:
    made = await make(ann, "night job")
    rotated = await rotate(ann, made["apiKey"]["id"])

    mail = await mailbox.newest(ann.email)
    event = await SecurityEvent.get(kind="API_KEY_ROTATED")
    assert "night job" in mail["text"]
    assert rotated["key"] not in mail["text"]
    assert event.details["name"] == "night job"


async def test_several_former_secrets_work_side_by_side_up_to_ten(ann: Person) -> None:
    made = await make(ann)
    rotations = [await rotate(ann, made["apiKey"]["id"], overlapSeconds=600) for _ in range(MAX_FORMER_SECRETS)]
    secrets = [one["key"] for one in (made, *rotations)]
    before = await stored()
    refused = await ann.client.run(ROTATE, input={"id": made["apiKey"]["id"], "overlapSeconds": 600})
    working = [(await with_key(ann, secret)).status for secret in secrets]
    unchanged = await stored()
    clock.shift(timedelta(seconds=601))
    after = await rotate(ann, made["apiKey"]["id"])

    assert refused.expect("LimitReached")["limit"] == MAX_FORMER_SECRETS == 10
    assert working == [200] * 11
    assert unchanged == before
    assert (await with_key(ann, after["key"])).status == 200


async def test_rotations_at_once_leave_one_present_secret(ann: Person) -> None:
    made = await make(ann)

    rotated = await asyncio.gather(*(rotate(ann, made["apiKey"]["id"]) for _ in range(5)))

    working = [one for one in rotated if (await with_key(ann, one["key"])).status == 200]
    assert len(working) == 1
    assert await ApiKeySecret.filter(ends_at=None).count() == 1
    assert (await ApiKey.get()).hint == working[0]["key"][-4:]


async def test_revoking_ends_present_and_former_secrets(ann: Person) -> None:
    made = await make(ann)
    rotated = await rotate(ann, made["apiKey"]["id"], overlapSeconds=600)

    (await ann.client.run(REVOKE, ids=[made["apiKey"]["id"]])).expect("ApiKeysRevoked")

    assert [(await with_key(ann, key)).status for key in (made["key"], rotated["key"])] == [401, 401]
    assert await ApiKeySecret.all().count() == 0


async def test_report_of_the_present_secret_revokes_the_key(gateway: Gateway, ann: Person, mailbox: Mailbox) -> None:
    made = await make(ann, "leaked one")
    rotated = await rotate(ann, made["apiKey"]["id"], overlapSeconds=600)
    (await visitor(gateway).run(REPORT, key=rotated["key"])).expect("LeakReportReceived")

    mail = await mailbox.newest(ann.email)
    event = await SecurityEvent.get(kind="API_KEY_REVOKED")
    assert [(await with_key(ann, key)).status for key in (made["key"], rotated["key"])] == [401, 401]
    assert await ApiKey.all().count() == 0
    assert "leaked one" in mail["text"]
    assert event.details["reason"] == "reported_leak"
    # Whoever found it stays unnamed.
    assert (event.ip_address, event.user_agent) == (None, None)
    assert ELSEWHERE not in mail["text"]


async def test_scanner_reports_several_keys_in_one_request(gateway: Gateway, ann: Person) -> None:
    keys = [(await make(ann, f"leaked {number}"))["key"] for number in range(2)]
    document = """mutation ($one: Secret!, $two: Secret!) {
      one: reportLeakedApiKey(key: $one) { __typename }
      two: reportLeakedApiKey(key: $two) { __typename }
    }"""

    answer = await visitor(gateway).run(document, one=keys[0], two=keys[1])

    received = {"__typename": "LeakReportReceived"}
    assert answer.response.json()["data"] == {"one": received, "two": received}
    assert await ApiKey.all().count() == 0


async def test_report_of_a_former_secret_ends_its_overlap_alone(gateway: Gateway, ann: Person) -> None:
    made = await make(ann)
    second = await rotate(ann, made["apiKey"]["id"], overlapSeconds=600)
    third = await rotate(ann, made["apiKey"]["id"], overlapSeconds=600)

    (await visitor(gateway).run(REPORT, key=made["key"])).expect("LeakReportReceived")

    statuses = [(await with_key(ann, one["key"])).status for one in (made, second, third)]
    assert statuses == [401, 200, 200]
    assert await ApiKey.all().count() == 1


async def test_report_of_anything_else_is_answered_the_same_and_changes_nothing(
    gateway: Gateway, ann: Person, mailbox: Mailbox
) -> None:
    made = await make(ann)
    ended = await rotate(ann, made["apiKey"]["id"])
    guest = visitor(gateway)
    before = await stored()
    garbage = [
        made["key"],
        tokens.mint_api_key(),
        ended["key"][:-1],
        ended["key"].swapcase(),
        f" {ended['key']}",
        "",
        "gate_",
        "\u0000",
        "\ud800",
        "x" * 50_000,
        ann.token,
        ann.password,
    ]
    answers = [await guest.run(REPORT, key=key) for key in garbage]
    unchanged = await stored()
    real = await guest.run(REPORT, key=ended["key"])

    assert {answer.response.content for answer in (*answers, real)} == {real.response.content}
    assert real.root == {"__typename": "LeakReportReceived", "received": True}
    assert unchanged == before
    assert await ApiKey.all().count() == 0


async def test_report_comes_with_any_credential_or_none(ann: Person, bob: Person) -> None:
    made = await make(ann)

    (await bob.client.run(REPORT, key=made["key"])).expect("LeakReportReceived")

    assert (await with_key(ann, made["key"])).status == 401
    assert (await bob.client.run("{ viewer { id } }")).root["id"] == bob.account_id


async def test_reports_at_once_end_the_key_once(gateway: Gateway, ann: Person, mailbox: Mailbox) -> None:
    made = await make(ann)
    guest = visitor(gateway)

    answers = await asyncio.gather(*(guest.run(REPORT, key=made["key"]) for _ in range(6)))

    assert {answer.root["__typename"] for answer in answers} == {"LeakReportReceived"}
    assert await SecurityEvent.filter(kind="API_KEY_REVOKED").count() == 1
    assert len([mail for mail in await mailbox.mails(ann.email) if "leaked" in mail["subject"]]) == 1


async def test_reports_and_rotations_at_once_leave_no_reported_secret_working(gateway: Gateway, ann: Person) -> None:
    made = await make(ann)
    guest = visitor(gateway)

    await asyncio.gather(
        *(guest.run(REPORT, key=made["key"]) for _ in range(4)),
        *(ann.client.run(ROTATE, input={"id": made["apiKey"]["id"], "overlapSeconds": 600}) for _ in range(4)),
    )

    assert (await with_key(ann, made["key"])).status == 401


async def test_client_may_report_sixty_times_an_hour(gateway: Gateway, ann: Person) -> None:
    made = await make(ann)
    guest = visitor(gateway)
    answers = [(await guest.run(REPORT, key="gate_x")).root["__typename"] for _ in range(60)]
    refused = (await guest.run(REPORT, key=made["key"])).expect("TooManyAttempts")

    assert answers == ["LeakReportReceived"] * 60
    assert 0 < refused["retryAfterSeconds"] <= 3600
    assert (await with_key(ann, made["key"])).status == 200
