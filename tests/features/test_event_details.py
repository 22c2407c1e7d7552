"""What stands in `details` of security events: ids that the API takes, and no other spelling of them."""

import re
from typing import Any

import httpx

from models import SecurityEvent
from tests.support.fleets import REMOVE_MEMBER, invite, join, make_fleet, seen_fleet
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import Person, sign_up
from tests.support.social import UNLINK, demo_person, sign_in

CHANGE_ROLE = "mutation ($id: ID!) { changeFleetMemberRole(input: {id: $id, role: OPERATOR}) { __typename } }"
CREATE_KEY = 'mutation { createApiKey(input: {name: "deploy"}) { ... on ApiKeyCreated { key apiKey { id } } } }'
ROTATE_KEY = (
    "mutation ($id: ID!) { rotateApiKey(input: {id: $id, overlapSeconds: 0}) { ... on ApiKeyRotated { key } } }"
)
REPORT_KEY = "mutation ($key: Secret!) { reportLeakedApiKey(key: $key) { __typename } }"
DELETE = "mutation ($password: Secret!) { deleteAccount(password: $password) { __typename } }"
EVENTS = "{ viewer { securityEvents(first: 100) { nodes { kind details } } } }"
NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
GLOBAL_ID = re.compile(r"[a-z]+_[0-9a-f]{32}")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-", re.IGNORECASE)


async def details_of(person: Person, kind: str) -> dict[str, Any]:
    """What the newest event of a kind in somebody's log says."""
    events = (await person.client.run(EVENTS)).root["securityEvents"]["nodes"]
    found: dict[str, Any] = next(event["details"] for event in events if event["kind"] == kind)
    return found


async def type_of(person: Person, global_id: str) -> str | None:
    """What that person finds under an id."""
    node = (await person.client.run(NODE, id=global_id)).root
    return node["__typename"] if node else None


async def test_ids_in_details_lead_to_what_they_name(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    fleet_id = await make_fleet(ann)
    member = await join(ann, fleet_id, bob, mailbox)
    invitation_id = await invite(ann, fleet_id, "new@example.com")
    key = (await ann.client.run(CREATE_KEY)).root["apiKey"]

    sent = await details_of(ann, "FLEET_INVITATION_SENT")
    accepted = await details_of(bob, "FLEET_INVITATION_ACCEPTED")
    created = await details_of(ann, "API_KEY_CREATED")

    assert (await seen_fleet(ann, sent["fleetId"]))["id"] == fleet_id
    assert (await seen_fleet(bob, accepted["fleetId"]))["id"] == fleet_id
    assert (sent["invitationId"], accepted["memberId"], created["keyId"]) == (
        invitation_id,
        member.member_id,
        key["id"],
    )
    assert [await type_of(ann, found) for found in (sent["invitationId"], accepted["memberId"], created["keyId"])] == [
        "FleetInvitation",
        "FleetMember",
        "ApiKey",
    ]


async def test_identity_in_details_is_the_one_that_was_linked(ann: Person, http: httpx.AsyncClient) -> None:
    linked = await sign_in(ann.client, demo_person(http, ann.email), "GITHUB", link=True)
    identity_id = linked.expect("SocialIdentityLinked")["identity"]["id"]
    found = await type_of(ann, (await details_of(ann, "SOCIAL_IDENTITY_LINKED"))["identityId"])
    await ann.client.run(UNLINK, id=identity_id)

    assert found == "SocialIdentity"
    assert (await details_of(ann, "SOCIAL_IDENTITY_UNLINKED"))["identityId"] == identity_id


async def test_no_event_of_a_busy_life_holds_any_other_spelling(
    ann: Person, bob: Person, client: GraphQLClient, http: httpx.AsyncClient, mailbox: Mailbox
) -> None:
    cid = await sign_up(client, mailbox, email="cid@example.com")
    fleet_id = await make_fleet(ann)
    inside = {person.email: await join(ann, fleet_id, person, mailbox) for person in (bob, cid)}
    await ann.client.run(CHANGE_ROLE, id=inside[bob.email].member_id)
    await ann.client.run(REMOVE_MEMBER, id=inside[bob.email].member_id)
    key = (await ann.client.run(CREATE_KEY)).root
    rotated = (await ann.client.run(ROTATE_KEY, id=key["apiKey"]["id"])).root["key"]
    await client.run(REPORT_KEY, key=rotated)
    await sign_in(ann.client, demo_person(http, ann.email), "GITHUB", link=True)
    await cid.client.run(DELETE, password=cid.password)
    await bob.client.run(DELETE, password=bob.password)

    events = await SecurityEvent.all()

    named = [value for event in events for name, value in event.details.items() if name.endswith("Id")]
    assert {event.kind for event in events} >= {"FLEET_MEMBER_REMOVED", "API_KEY_REVOKED", "SOCIAL_IDENTITY_LINKED"}
    assert len(named) >= 10
    assert [value for value in named if not GLOBAL_ID.fullmatch(value)] == []
    assert [event.details for event in events if UUID.search(str(event.details))] == []
