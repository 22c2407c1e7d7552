"""What a caller sees: the viewer, any node by its id, the security log, and pages of lists."""

import base64
from datetime import datetime
from typing import Any

import pytest

from models import Account, ApiKey, SecurityEvent, SecurityEventKind
from process.gateway import Gateway
from tests.features.test_api_keys import make
from tests.support.graphql_client import GraphQLClient
from tests.support.people import Person
from tests.support.places import visitor
from tests.support.sign_in import AUTHENTICATION, SIGN_OUT_EVERYWHERE, try_password
from tests.support.stored import stored

NODE = """
query ($id: ID!) {
  node(id: $id) {
    __typename
    id
    ... on Account { email createdAt hasPassword }
    ... on ApiKey { name }
    ... on SecurityEvent { kind }
  }
}
"""
EVENTS = """
query ($first: Int, $after: String, $kinds: [SecurityEventKind!]) {
  viewer {
    securityEvents(first: $first, after: $after, kinds: $kinds) {
      totalCount
      nodes { id kind at ipAddress userAgent details }
      edges { cursor node { id } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}
"""
KEYS = """
query ($first: Int, $after: String) {
  viewer {
    apiKeys(first: $first, after: $after) {
      totalCount
      nodes { id name }
      edges { cursor node { name } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}
"""
OPTIONS = "{ signInOptions { passwordMinLength passwordMaxLength privacyPolicyUrl } }"
ODD_IDS = [
    "",
    "x",
    "account_",
    "account_x",
    "apikey_\u0000",
    "\u0000",
    "\ud800",
    "event_018F00000000700080000000000000FF",
    "user_018f00000000700080000000000000ff",
    "018f0000-0000-7000-8000-0000000000ff",
    "x" * 30_000,
]
ODD_CURSORS = ["", "x", "====", "\u0000", "\ud800", "ключ", "AAAA", "A" * 22 + "!", "A" * 30_000, "null", "0"]


async def events(client: GraphQLClient, **variables: Any) -> dict[str, Any]:
    page: dict[str, Any] = (await client.run(EVENTS, **variables)).root["securityEvents"]
    return page


async def test_guest_is_nobody(client: GraphQLClient) -> None:
    answer = await client.run(AUTHENTICATION)

    assert answer.status == 200
    assert answer.body == {"data": {"viewer": None}}


async def test_person_sees_the_own_account(ann: Person, bob: Person) -> None:
    viewer = (await ann.client.run(AUTHENTICATION)).root

    authentication = viewer["authentication"]
    assert (viewer["id"], viewer["email"]) == (ann.account_id, ann.email)
    assert authentication["__typename"] == "SessionAuthentication"
    assert authentication["methods"] == ["PASSWORD"]
    for instant in (authentication["signedInAt"], authentication["expiresAt"]):
        assert instant.endswith("Z")
        assert datetime.fromisoformat(instant).tzinfo is not None


async def test_program_sees_the_account_and_its_own_key(ann: Person) -> None:
    made, _ = await make(ann, "night job"), await make(ann, "other")

    viewer = (await ann.client.bearing(made["key"]).run(AUTHENTICATION)).root

    assert viewer["id"] == ann.account_id
    assert viewer["authentication"] == {
        "__typename": "ApiKeyAuthentication",
        "apiKey": {"id": made["apiKey"]["id"], "name": "night job"},
    }


async def test_sign_up_form_finds_its_rules(client: GraphQLClient) -> None:
    assert (await client.run(OPTIONS)).root == {
        "passwordMinLength": 8,
        "passwordMaxLength": 256,
        "privacyPolicyUrl": None,
    }


async def test_own_objects_are_found_by_their_ids(ann: Person) -> None:
    key_id = (await make(ann, "night job"))["apiKey"]["id"]
    event_id = (await events(ann.client))["nodes"][0]["id"]

    found = [(await ann.client.run(NODE, id=one)).root for one in (ann.account_id, key_id, event_id)]

    assert [node["__typename"] for node in found] == ["Account", "ApiKey", "SecurityEvent"]
    assert [node["id"] for node in found] == [ann.account_id, key_id, event_id]
    assert (found[0]["email"], found[1]["name"], found[2]["kind"]) == (ann.email, "night job", "API_KEY_CREATED")


async def test_foreign_objects_are_not_there(ann: Person, bob: Person) -> None:
    key_id = (await make(bob))["apiKey"]["id"]
    event_id = (await events(bob.client))["nodes"][0]["id"]

    answers = [await ann.client.run(NODE, id=one) for one in (bob.account_id, key_id, event_id)]

    assert [answer.body for answer in answers] == [{"data": {"node": None}}] * 3
    assert [(await bob.client.run(NODE, id=one)).root["id"] for one in (key_id, event_id)] == [key_id, event_id]


@pytest.mark.parametrize("node_id", ODD_IDS)
async def test_odd_and_unknown_ids_are_not_there(ann: Person, node_id: str) -> None:
    assert (await ann.client.run(NODE, id=node_id)).body == {"data": {"node": None}}


@pytest.mark.parametrize("kind", ["account", "apikey", "event"])
async def test_id_of_another_kind_is_not_there(ann: Person, kind: str) -> None:
    number = ann.account_id.removeprefix("account_")

    answer = await ann.client.run(NODE, id=f"{kind}_{number}")

    assert (answer.root is None) == (kind != "account")


async def test_guest_is_told_to_sign_in_before_anything_is_looked_for(client: GraphQLClient, ann: Person) -> None:
    answer = await client.run(NODE, id=ann.account_id)

    assert answer.status == 200
    assert answer.error_codes == ["UNAUTHENTICATED"]
    assert answer.body["data"] == {"node": None}


async def test_security_log_tells_newest_first_what_happened(gateway: Gateway, ann: Person, bob: Person) -> None:
    made = await make(ann, "night job")
    (await try_password(visitor(gateway), ann.email, ann.password)).expect("SessionStarted")

    page = await events(ann.client)

    kinds = [event["kind"] for event in page["nodes"]]
    assert kinds == ["SIGNED_IN", "API_KEY_CREATED", "SIGNED_UP"]
    assert page["totalCount"] == 3
    assert [event["at"] for event in page["nodes"]] == sorted((event["at"] for event in page["nodes"]), reverse=True)
    assert page["nodes"][0]["ipAddress"] == "203.0.113.66"
    assert page["nodes"][1]["details"]["name"] == "night job"
    assert page["nodes"][1]["userAgent"].startswith("python-httpx")
    assert made["key"] not in str(page)


async def test_security_log_can_be_asked_for_some_kinds(ann: Person) -> None:
    await make(ann)
    await make(ann, "second")

    made = await events(ann.client, kinds=["API_KEY_CREATED"])
    two = await events(ann.client, kinds=["API_KEY_CREATED", "SIGNED_UP", "SIGNED_UP"])
    none = await events(ann.client, kinds=["API_KEY_REVOKED"])
    empty = await events(ann.client, kinds=[])
    left_out = await events(ann.client, kinds=None)

    assert [event["kind"] for event in made["nodes"]] == ["API_KEY_CREATED"] * 2
    assert (made["totalCount"], two["totalCount"], none["totalCount"]) == (2, 3, 0)
    assert (empty["totalCount"], empty["nodes"]) == (0, [])
    assert left_out["totalCount"] == 3


@pytest.mark.parametrize("kinds", [["SIGNED_DOWN"], "signed_up", [None], [1]])
async def test_kind_that_there_is_not_is_told(ann: Person, kinds: object) -> None:
    assert (await ann.client.run(EVENTS, kinds=kinds)).error_codes == ["BAD_REQUEST"]


async def test_every_kind_of_the_contract_can_be_shown(ann: Person) -> None:
    account = await Account.get()
    for kind in SecurityEventKind:
        await SecurityEvent.create(account_id=account.id, kind=kind.value, details={"kind": kind.value})

    page = await events(ann.client, first=100)

    assert {event["kind"] for event in page["nodes"]} == set(SecurityEventKind)
    assert all(event["details"].get("kind", event["kind"]) == event["kind"] for event in page["nodes"])


async def test_pages_follow_each_other_while_rows_come_and_go(ann: Person) -> None:
    for number in range(7):
        await make(ann, f"key {number}")
    first = (await ann.client.run(KEYS, first=3)).root["apiKeys"]
    await ApiKey.filter(name="key 1").delete()
    await make(ann, "key 7")
    second = (await ann.client.run(KEYS, first=3, after=first["pageInfo"]["endCursor"])).root["apiKeys"]
    third = (await ann.client.run(KEYS, first=3, after=second["pageInfo"]["endCursor"])).root["apiKeys"]
    beyond = (await ann.client.run(KEYS, first=3, after=third["pageInfo"]["endCursor"])).root["apiKeys"]

    names = [[node["name"] for node in page["nodes"]] for page in (first, second, third, beyond)]
    assert names == [["key 0", "key 1", "key 2"], ["key 3", "key 4", "key 5"], ["key 6", "key 7"], []]
    assert [page["pageInfo"]["hasNextPage"] for page in (first, second, third, beyond)] == [True, True, False, False]
    assert [page["pageInfo"]["hasPreviousPage"] for page in (first, second, third)] == [False, True, True]
    assert first["edges"][0]["cursor"] == first["pageInfo"]["startCursor"]
    assert beyond["pageInfo"]["startCursor"] is beyond["pageInfo"]["endCursor"] is None
    assert {page["totalCount"] for page in (second, third, beyond)} == {7}


async def test_pages_of_the_log_go_back_in_time_and_newer_events_disturb_none(ann: Person) -> None:
    for number in range(4):
        await make(ann, f"key {number}")
    first = await events(ann.client, first=2, kinds=["API_KEY_CREATED"])
    await make(ann, "newer")
    second = await events(ann.client, first=2, kinds=["API_KEY_CREATED"], after=first["pageInfo"]["endCursor"])

    names = [event["details"]["name"] for page in (first, second) for event in page["nodes"]]
    assert names == ["key 3", "key 2", "key 1", "key 0"]
    assert not second["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize("first", [0, -1, 101, 2_147_483_647])
@pytest.mark.parametrize("document", [EVENTS, KEYS])
async def test_page_has_from_one_to_a_hundred_items(ann: Person, document: str, first: int) -> None:
    answer = await ann.client.run(document, first=first)

    assert answer.status == 200
    # Past the bound of cost the document is not run at all.
    assert answer.error_codes in (["BAD_REQUEST"], ["DOCUMENT_TOO_COSTLY"])
    assert first > 101 or answer.error_codes == ["BAD_REQUEST"]


@pytest.mark.parametrize("first", [2_147_483_648, 1.5, "1", True, [1]])
async def test_size_is_a_whole_number(ann: Person, first: object) -> None:
    assert (await ann.client.run(KEYS, first=first)).error_codes == ["BAD_REQUEST"]


async def test_size_that_is_left_out_or_null_is_fifty(ann: Person) -> None:
    account = await Account.get()
    for number in range(60):
        await ApiKey.create(account_id=account.id, name=f"key {number}", description="", hint="0000")

    pages = [(await ann.client.run(KEYS, **variables)).root["apiKeys"] for variables in ({}, {"first": None})]

    assert [len(page["nodes"]) for page in pages] == [50, 50]
    assert pages[0]["totalCount"] == 60


@pytest.mark.parametrize("cursor", ODD_CURSORS)
@pytest.mark.parametrize("document", [EVENTS, KEYS])
async def test_cursor_that_is_none_is_a_bad_request(ann: Person, document: str, cursor: str) -> None:
    answer = await ann.client.run(document, first=1, after=cursor)

    assert answer.status == 200
    assert answer.error_codes == ["BAD_REQUEST"]
    assert answer.body["errors"][0]["path"][0] == "viewer"


async def test_cursor_of_a_row_that_is_gone_still_stands(ann: Person) -> None:
    for number in range(3):
        await make(ann, f"key {number}")
    middle = (await ann.client.run(KEYS, first=2)).root["apiKeys"]["pageInfo"]["endCursor"]
    await ApiKey.filter(name="key 1").delete()

    rest = (await ann.client.run(KEYS, first=2, after=middle)).root["apiKeys"]

    assert [node["name"] for node in rest["nodes"]] == ["key 2"]


async def test_cursor_shows_nothing_of_others(ann: Person, bob: Person) -> None:
    await make(bob, "bob's")
    everything = base64.urlsafe_b64encode(bytes(16)).decode().rstrip("=")

    page = (await ann.client.run(KEYS, after=everything)).root["apiKeys"]

    assert (page["nodes"], page["totalCount"]) == ([], 0)


async def test_reading_changes_nothing(ann: Person) -> None:
    before = await stored()
    for document in (AUTHENTICATION, EVENTS, KEYS, OPTIONS):
        assert (await ann.client.run(document)).status == 200

    assert await stored() == before
    assert (await ann.client.run(SIGN_OUT_EVERYWHERE)).status == 200
