import json
from datetime import timedelta

from kit import clock
from models import SecurityEvent
from tests.support.exports import EXPORT
from tests.support.fleets import add_device, invite, join, make_fleet, offer
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import Person, sign_up

CREATE_KEY = 'mutation { createApiKey(input: {name: "deploy"}) { ... on ApiKeyCreated { key apiKey { id hint } } } }'
VIEWER = """
{
  viewer {
    id email createdAt hasPassword
    apiKeys(first: 5) { nodes { id name description createdAt lastUsedAt expiresAt hint } }
    invitations(first: 5) { nodes { id fleetName email role invitedBy sentAt expiresAt } }
    fleets(first: 5) {
      nodes {
        id name createdAt viewerRole owner { email }
        members(first: 5) { nodes { id email role joinedAt } }
        invitations(first: 5) { nodes { id fleetName email role invitedBy sentAt expiresAt } }
        devices(first: 5) { nodes { id uuid name createdAt } }
        ownershipOffer { id to { id } offeredAt expiresAt }
      }
    }
  }
}
"""
EVENTS = "{ viewer { securityEvents { nodes { id kind at ipAddress userAgent details } } } }"


async def test_document_says_what_the_schema_says(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    own = await make_fleet(ann)
    await add_device(ann, own)
    await offer(ann, await join(ann, own, bob, mailbox))
    await invite(ann, own, "new@example.com")
    await ann.client.run(CREATE_KEY)
    await invite(bob, await make_fleet(bob, "Bob's"), ann.email)
    await mailbox.mails()

    data = (await ann.client.run(EXPORT)).expect("AccountDataExport")["data"]

    viewer = (await ann.client.run(VIEWER)).root
    (fleet,) = viewer.pop("fleets")["nodes"]
    (exported,) = data["fleets"]
    joined_at = exported.pop("joinedAt")
    for name in ("members", "invitations", "devices"):
        fleet[name] = fleet[name]["nodes"]
    assert exported == fleet
    assert joined_at == fleet["members"][0]["joinedAt"]
    (key,), (exported_key,) = viewer.pop("apiKeys")["nodes"], data["apiKeys"]
    assert exported_key == key | {"previousKeyEndsAt": None, "previousKeys": []}
    assert data["invitations"] == viewer.pop("invitations")["nodes"]
    assert data["account"] == viewer
    assert len(data["signInOrigins"]) == 1
    assert {bool(mail["sentAt"]) for mail in data["mails"]} == {True}


async def test_export_is_in_the_log_and_the_log_in_the_export(ann: Person) -> None:
    data = (await ann.client.run(EXPORT)).expect("AccountDataExport")["data"]

    events = (await ann.client.run(EVENTS)).root["securityEvents"]["nodes"]
    assert [event["kind"] for event in data["securityEvents"]] == ["SIGNED_UP", "DATA_EXPORTED"]
    assert data["securityEvents"] == events[::-1]


async def test_others_stay_out_where_the_caller_only_is_a_member(
    ann: Person, bob: Person, client: GraphQLClient, mailbox: Mailbox
) -> None:
    cid = await sign_up(client, mailbox, email="cid@example.com")
    fleet_id = await make_fleet(bob, "Bob's")
    await join(bob, fleet_id, ann, mailbox)
    await offer(bob, await join(bob, fleet_id, cid, mailbox))
    await invite(bob, fleet_id, "new@example.com")

    answer = await ann.client.run(EXPORT)

    (fleet,) = answer.expect("AccountDataExport")["data"]["fleets"]
    assert set(fleet) == {"id", "name", "createdAt", "owner", "viewerRole", "joinedAt", "ownershipOffer"}
    assert fleet["ownershipOffer"] is None
    assert (fleet["owner"], fleet["viewerRole"]) == ({"email": bob.email}, "OBSERVER")
    assert cid.email not in answer.response.text
    assert "new@example.com" not in answer.response.text


async def test_export_needs_a_fresh_sign_in(ann: Person) -> None:
    key = (await ann.client.run(CREATE_KEY)).root["key"]
    (await ann.client.bearing(key).run(EXPORT)).expect("StepUpRequired")
    clock.shift(timedelta(seconds=901))

    (await ann.client.run(EXPORT)).expect("StepUpRequired")

    assert await SecurityEvent.filter(kind="DATA_EXPORTED").count() == 0


async def test_five_exports_a_day(ann: Person) -> None:
    for _ in range(5):
        (await ann.client.run(EXPORT)).expect("AccountDataExport")

    refused = (await ann.client.run(EXPORT)).expect("TooManyAttempts")

    assert refused["retryAfterSeconds"] > 0
    assert await SecurityEvent.filter(kind="DATA_EXPORTED").count() == 5


async def test_document_is_json_whatever_is_in_it(ann: Person) -> None:
    await make_fleet(ann, 'a "quoted" näme 🚢')

    data = (await ann.client.run(EXPORT)).expect("AccountDataExport")["data"]

    assert json.loads(json.dumps(data))["fleets"][0]["name"] == 'a "quoted" näme 🚢'
