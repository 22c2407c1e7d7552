"""API keys: AK-1 to AK-5, their names, their end, and what is seen of them."""

import asyncio
import re
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kit import clock, tokens
from models import Account, ApiKey, ApiKeySecret, SecurityEvent
from models.api_keys import MAX_KEYS
from process.gateway import Gateway
from tests.support.graphql_client import Answer
from tests.support.mailbox import Mailbox
from tests.support.people import Person
from tests.support.sign_in import AUTHENTICATION
from tests.support.stored import stored

CREATE = """
mutation ($name: String!, $description: String, $expiresAt: DateTime) {
  createApiKey(input: {name: $name, description: $description, expiresAt: $expiresAt}) {
    __typename
    ... on ApiKeyCreated { key apiKey { id name description createdAt lastUsedAt expiresAt hint } }
    ... on InvalidInput { fields { path reason } }
    ... on LimitReached { limit }
    ... on UserError { code message }
  }
}
"""
RENAME = """
mutation ($input: RenameApiKeyInput!) {
  renameApiKey(input: $input) {
    __typename
    ... on ApiKeyUpdated { apiKey { id name description hint } }
    ... on InvalidInput { fields { path reason } }
    ... on UserError { code message }
  }
}
"""
VIEWER = "{ viewer { id email apiKeys { totalCount nodes { id name description hint lastUsedAt } } } }"
REVOKE = """
mutation ($ids: [ID!]!) {
  revokeApiKeys(ids: $ids) {
    __typename
    ... on ApiKeysRevoked { ids account { apiKeys { totalCount } } }
    ... on InvalidInput { fields { path reason } }
    ... on UserError { code message }
  }
}
"""
NOBODYS_KEY = "apikey_018f00000000700080000000000000ff"
ROTATE = """
mutation ($id: ID!, $overlap: Int) {
  rotateApiKey(input: {id: $id, overlapSeconds: $overlap}) {
    __typename
    ... on ApiKeyRotated { previousKeyEndsAt }
    ... on InvalidInput { fields { path reason } }
  }
}
"""
UNUSABLE_ENDS = [
    "",
    "soon",
    "2030-01-31",
    "2030-01-31T12:00:00",
    "2030-W01-1T00:00:00Z",
    "2030-01-31x12:00:00Z",
    "2030-01-31T12Z",
    "20300131T120000Z",
    "2001-01-31T12:00:00Z",
    "2030-13-01T00:00:00Z",
    "99999-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "\u0000",
    "\ud800",
]
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


async def make(person: Person, name: str = "deploy", **fields: Any) -> dict[str, Any]:
    return (await person.client.run(CREATE, name=name, **fields)).expect("ApiKeyCreated")


async def with_key(person: Person, raw_secret: str) -> Answer:
    return await person.client.bearing(raw_secret).run(VIEWER)


async def event_kinds() -> list[str]:
    return [event.kind for event in await SecurityEvent.all().order_by("id")]


async def test_key_opens_the_account_until_it_is_revoked(ann: Person) -> None:
    made = await make(ann)
    seen = (await with_key(ann, made["key"])).root
    revoked = (await ann.client.run(REVOKE, ids=[made["apiKey"]["id"]])).expect("ApiKeysRevoked")
    refused = await with_key(ann, made["key"])

    assert seen["email"] == ann.email
    assert revoked["account"]["apiKeys"]["totalCount"] == 0
    assert refused.status == 401
    assert refused.error_codes == ["UNAUTHENTICATED"]
    assert await ApiKeySecret.all().count() == 0


def test_form_and_checksum_are_those_that_scanners_are_told() -> None:
    keys = {tokens.mint_api_key() for _ in range(1_000)}

    assert len(keys) == 1_000
    for key in keys:
        assert re.fullmatch(tokens.API_KEY_PATTERN, key)
        assert key[-6:] == checksum(key[:-6])
        assert tokens.has_api_key_form(key)


def checksum(body: str) -> str:
    """Written apart from the code, from the sentence in the contract."""
    number, text = zlib.crc32(body.encode()), ""
    while len(text) < 6:
        number, digit = divmod(number, 62)
        text = BASE62[digit] + text
    return text


async def test_key_is_shown_once(ann: Person, mailbox: Mailbox) -> None:
    made = await make(ann, description="for the pipeline")
    later = [
        (await ann.client.run(document)).response.text
        for document in (VIEWER, AUTHENTICATION, "{ viewer { securityEvents { nodes { kind details } } } }")
    ]
    later.append((await with_key(ann, made["key"])).response.text)
    later += [mail["text"] for mail in await mailbox.mails()]

    key = made["apiKey"]
    secret_part = made["key"].removeprefix("gate_")[:32]
    assert key["hint"] == made["key"][-4:]
    assert (key["lastUsedAt"], key["expiresAt"]) == (None, None)
    assert key["description"] == "for the pipeline"
    assert not [text for text in later if secret_part in text]


async def test_key_rests_as_a_digest_alone(ann: Person) -> None:
    made = await make(ann)

    secret = await ApiKeySecret.get()
    rows = [*await ApiKey.all().values(), *await ApiKeySecret.all().values()]
    assert secret.digest == tokens.digest(made["key"])
    assert made["key"][5:37] not in str(rows)


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\u0000b", "a\nb", "\ud800", "a\u2028b", "\u202ea", "\u200b"])
async def test_unusable_name_makes_no_key(ann: Person, mailbox: Mailbox, name: str) -> None:
    before = await stored()
    answer = (await ann.client.run(CREATE, name=name)).expect("InvalidInput")

    assert [problem["path"] for problem in answer["fields"]] == ["input.name"]
    assert await stored() == before
    assert len(await mailbox.mails()) == 1


@pytest.mark.parametrize("description", ["x" * 1_001, "a\u0000b", "two\nlines", "\udfff", "\u001b[31m"])
async def test_unusable_description_makes_no_key(ann: Person, description: str) -> None:
    before = await stored()
    answer = (await ann.client.run(CREATE, name="deploy", description=description)).expect("InvalidInput")

    assert [problem["path"] for problem in answer["fields"]] == ["input.description"]
    assert await stored() == before


@pytest.mark.parametrize("expires_at", UNUSABLE_ENDS)
async def test_unusable_end_makes_no_key(ann: Person, expires_at: str) -> None:
    before = await stored()
    answer = (await ann.client.run(CREATE, name="deploy", expiresAt=expires_at)).expect("InvalidInput")

    assert [problem["path"] for problem in answer["fields"]] == ["input.expiresAt"]
    assert await stored() == before


@pytest.mark.parametrize("value", [1, True, ["a"], {"a": "b"}])
async def test_values_of_another_type_make_no_key(ann: Person, value: object) -> None:
    before = await stored()
    answers = [
        await ann.client.run(CREATE, name=value),
        await ann.client.run(CREATE, name="deploy", description=value),
        await ann.client.run(CREATE, name="deploy", expiresAt=value),
    ]

    assert [answer.error_codes for answer in answers] == [["BAD_REQUEST"]] * 3
    assert await stored() == before


async def test_longest_name_and_description_are_kept_whole(ann: Person) -> None:
    name, description = "\U0001f511" * 120, "ß" * 1_000

    made = await make(ann, f"  {name} ", description=f" {description}  ")

    assert (made["apiKey"]["name"], made["apiKey"]["description"]) == (name, description)
    row = await ApiKey.get()
    assert (row.name, row.description) == (name, description)


async def test_null_stands_for_what_is_left_out(ann: Person) -> None:
    made = await make(ann, description=None, expiresAt=None)

    assert made["apiKey"]["description"] == ""
    assert made["apiKey"]["expiresAt"] is None


async def test_key_ends_by_itself(ann: Person) -> None:
    ends_at = clock.now().replace(microsecond=0) + timedelta(seconds=60)
    made = await make(ann, expiresAt=ends_at.astimezone(UTC).isoformat())
    clock.shift(ends_at - clock.now() - timedelta(seconds=1))
    before = await with_key(ann, made["key"])
    clock.shift(timedelta(seconds=1))
    after = await with_key(ann, made["key"])

    assert datetime.fromisoformat(made["apiKey"]["expiresAt"]) == ends_at
    assert made["apiKey"]["expiresAt"].endswith("Z")
    assert before.status == 200
    assert after.status == 401
    # It is over, not gone: the list still tells what it was.
    assert (await ann.client.run(VIEWER)).root["apiKeys"]["totalCount"] == 1


async def test_former_secret_of_a_key_ends_with_the_key_at_the_latest(ann: Person) -> None:
    ends_at = clock.now().replace(microsecond=0) + timedelta(seconds=60)
    made = await make(ann, expiresAt=ends_at.astimezone(UTC).isoformat())
    rotated = await ann.client.run(ROTATE, id=made["apiKey"]["id"], overlap=3600)
    clock.shift(timedelta(seconds=61))
    late = await ann.client.run(ROTATE, id=made["apiKey"]["id"], overlap=0)

    assert datetime.fromisoformat(rotated.expect("ApiKeyRotated")["previousKeyEndsAt"]) == ends_at
    # A secret that never works is no answer.
    assert [problem["path"] for problem in late.expect("InvalidInput")["fields"]] == ["input.id"]


async def test_guest_makes_no_key_whatever_it_asks_for(ann: Person) -> None:
    for expires_at in (None, "soon"):
        answer = await ann.client.bearing(None).run(CREATE, name="deploy", expiresAt=expires_at)

        assert answer.error_codes == ["UNAUTHENTICATED"]


async def test_events_and_mails_tell_what_was_done(ann: Person, mailbox: Mailbox) -> None:
    made = await make(ann, "night job")
    mail = await mailbox.newest(ann.email)
    await ann.client.run(REVOKE, ids=[made["apiKey"]["id"]])

    assert "night job" in mail["text"]
    assert "198.51.100.7" in mail["text"]
    assert await event_kinds() == ["SIGNED_UP", "API_KEY_CREATED", "API_KEY_REVOKED"]
    created = await SecurityEvent.get(kind="API_KEY_CREATED")
    assert created.details["name"] == "night job"
    assert created.details["keyId"] == made["apiKey"]["id"]


async def test_there_are_at_most_a_hundred_keys_also_for_those_who_ask_at_once(ann: Person) -> None:
    account = await Account.get()
    for number in range(MAX_KEYS - 2):
        await ApiKey.create(account_id=account.id, name=f"key {number}", description="", hint="0000")

    answers = await asyncio.gather(*(ann.client.run(CREATE, name="one more") for _ in range(6)))
    refused = await ann.client.run(CREATE, name="one more")

    kinds = sorted(answer.root["__typename"] for answer in answers)
    assert kinds == ["ApiKeyCreated"] * 2 + ["LimitReached"] * 4
    assert refused.expect("LimitReached")["limit"] == MAX_KEYS == 100
    assert await ApiKey.all().count() == 100
    assert (await event_kinds()).count("API_KEY_CREATED") == 2


async def test_key_makes_no_key(ann: Person) -> None:
    made = await make(ann)
    before = await stored()

    (await ann.client.bearing(made["key"]).run(CREATE, name="child")).expect("StepUpRequired")

    assert await stored() == before


async def test_renaming_changes_what_is_given(ann: Person) -> None:
    key_id = (await make(ann, "old", description="kept"))["apiKey"]["id"]
    named = (await ann.client.run(RENAME, input={"id": key_id, "name": " new "})).expect("ApiKeyUpdated")["apiKey"]
    nothing = (await ann.client.run(RENAME, input={"id": key_id})).expect("ApiKeyUpdated")["apiKey"]
    null = {"id": key_id, "name": None, "description": None}
    same = (await ann.client.run(RENAME, input=null)).expect("ApiKeyUpdated")["apiKey"]
    emptied = (await ann.client.run(RENAME, input={"id": key_id, "description": ""})).expect("ApiKeyUpdated")["apiKey"]

    assert (named["name"], named["description"]) == ("new", "kept")
    assert nothing == same == named
    assert (emptied["name"], emptied["description"]) == ("new", "")


@pytest.mark.parametrize("field", ["name", "description"])
@pytest.mark.parametrize("value", ["x" * 1_001, "a\u0000b", "\ud800", "a\r\nb"])
async def test_unusable_new_name_changes_nothing(ann: Person, field: str, value: str) -> None:
    key_id = (await make(ann, "old", description="kept"))["apiKey"]["id"]

    answer = (await ann.client.run(RENAME, input={"id": key_id, field: value})).expect("InvalidInput")

    (key,) = (await ann.client.run(VIEWER)).root["apiKeys"]["nodes"]
    assert [problem["path"] for problem in answer["fields"]] == [f"input.{field}"]
    assert (key["name"], key["description"]) == ("old", "kept")


@pytest.mark.parametrize("key_id", ["", "x", "apikey_", "\u0000", "\ud800", "account_018f00000000700080000000000000ff"])
async def test_odd_id_is_an_unknown_one(ann: Person, key_id: str) -> None:
    before = await stored()

    renamed = await ann.client.run(RENAME, input={"id": key_id, "name": "n"})
    revoked = await ann.client.run(REVOKE, ids=[key_id])

    renamed.expect("NotFound")
    revoked.expect("NotFound")
    assert await stored() == before


async def test_foreign_and_unknown_keys_are_answered_alike_and_left_alone(ann: Person, bob: Person) -> None:
    foreign = await make(bob, "bob's")
    before = await stored()
    answers = [
        (
            (await ann.client.run(RENAME, input={"id": key_id, "name": "mine"})).response.content,
            (await ann.client.run(REVOKE, ids=[key_id])).response.content,
        )
        for key_id in (foreign["apiKey"]["id"], NOBODYS_KEY)
    ]

    assert answers[0] == answers[1]
    assert b"NotFound" in answers[0][0]
    assert await stored() == before
    assert (await with_key(bob, foreign["key"])).root["apiKeys"]["nodes"][0]["name"] == "bob's"


@pytest.mark.parametrize("change", ["last", "middle", "shorter", "longer", "case", "prefix"])
async def test_key_that_is_not_whole_is_refused_before_anything_is_read(
    gateway: Gateway, ann: Person, change: str
) -> None:
    key = (await make(ann))["key"]
    changed = {
        "last": key[:-1] + ("A" if key[-1] != "A" else "B"),
        "middle": key[:20] + ("A" if key[20] != "A" else "B") + key[21:],
        "shorter": key[:-1],
        "longer": key + "A",
        "case": key.swapcase(),
        "prefix": f"gate{key[5:]}",
    }[change]

    answer = await with_key(ann, changed)

    assert answer.status == 401
    assert answer.error_codes == ["UNAUTHENTICATED"]
    assert not tokens.has_api_key_form(changed)
