import asyncio

from models import SecurityEvent
from tests.support.fleets import (
    CREATE_FLEET,
    INVITE,
    REMOVE_MEMBER,
    join,
    make_fleet,
    seen_fleet,
)
from tests.support.mailbox import Mailbox
from tests.support.people import Person

CHANGE_ROLE = """
mutation ($id: ID!, $role: FleetRole!) {
  changeFleetMemberRole(input: {id: $id, role: $role}) {
    __typename
    ... on MemberChanged { member { id role } }
    ... on InvalidInput { fields { path reason } }
    ... on UserError { code message }
  }
}
"""
VIEWER = """
{
  viewer {
    fleets { nodes { id name viewerRole } }
    invitations { totalCount nodes { id fleetName role invitedBy } }
    securityEvents { nodes { kind ipAddress details } }
  }
}
"""
ROLES = ["DEVELOPER", "OPERATOR", "OBSERVER"] * 3
NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"


async def test_nobody_is_made_an_owner(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    fleet_id = await make_fleet(ann)
    member = await join(ann, fleet_id, bob, mailbox)

    invited = await ann.client.run(INVITE, fleetId=fleet_id, email="new@example.com", role="OWNER")
    raised = await ann.client.run(CHANGE_ROLE, id=member.member_id, role="OWNER")

    for answer in (invited, raised):
        assert answer.expect("InvalidInput")["fields"][0]["path"] == "input.role"
    assert (await seen_fleet(bob, fleet_id))["viewerRole"] == "OBSERVER"


async def test_changed_role_bites_on_the_next_request(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    fleet_id = await make_fleet(ann)
    member = await join(ann, fleet_id, bob, mailbox)

    changed = (await ann.client.run(CHANGE_ROLE, id=member.member_id, role="DEVELOPER")).expect("MemberChanged")

    assert changed["member"] == {"id": member.member_id, "role": "DEVELOPER"}
    assert (await seen_fleet(bob, fleet_id))["viewerRole"] == "DEVELOPER"
    assert "developer" in (await mailbox.newest(bob.email))["text"]


async def test_owner_changes_role_only_by_handing_over(ann: Person) -> None:
    fleet_id = await make_fleet(ann)
    own = (await seen_fleet(ann, fleet_id))["owner"]["id"]

    changed = await ann.client.run(CHANGE_ROLE, id=own, role="OBSERVER")
    left = await ann.client.run(REMOVE_MEMBER, id=own)

    assert [answer.expect("Refused")["code"] for answer in (changed, left)] == ["CONFLICT", "CONFLICT"]
    assert (await seen_fleet(ann, fleet_id))["owner"]["email"] == ann.email


async def test_removed_member_sees_nothing_any_more(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    fleet_id = await make_fleet(ann)
    member = await join(ann, fleet_id, bob, mailbox)

    removed = (await ann.client.run(REMOVE_MEMBER, id=member.member_id)).expect("MemberRemoved")

    assert removed == {"__typename": "MemberRemoved", "id": member.member_id, "fleetId": fleet_id}
    assert await seen_fleet(bob, fleet_id) is None
    assert (await bob.client.run(NODE, id=member.member_id)).root is None
    assert "Harbour" in (await mailbox.newest(bob.email))["text"]


async def test_member_leaves(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    fleet_id = await make_fleet(ann)
    member = await join(ann, fleet_id, bob, mailbox)

    (await bob.client.run(REMOVE_MEMBER, id=member.member_id)).expect("MemberRemoved")

    assert [seen["email"] for seen in (await seen_fleet(ann, fleet_id))["members"]["nodes"]] == [ann.email]


async def test_each_concerned_account_has_the_event_and_nobody_elses_address(
    ann: Person, bob: Person, mailbox: Mailbox
) -> None:
    member = await join(ann, await make_fleet(ann), bob, mailbox)
    await ann.client.run(CHANGE_ROLE, id=member.member_id, role="OPERATOR")
    await ann.client.run(REMOVE_MEMBER, id=member.member_id)

    logs = {
        person.email: [
            (event["kind"], event["ipAddress"] is not None, event["details"])
            for event in (await person.client.run(VIEWER)).root["securityEvents"]["nodes"]
            if event["kind"].startswith("FLEET")
        ]
        for person in (ann, bob)
    }

    assert [(kind, has_address) for kind, has_address, _ in logs[ann.email]] == [
        ("FLEET_MEMBER_REMOVED", True),
        ("FLEET_MEMBER_ROLE_CHANGED", True),
        ("FLEET_INVITATION_ACCEPTED", False),
        ("FLEET_INVITATION_SENT", True),
    ]
    assert [(kind, has_address) for kind, has_address, _ in logs[bob.email]] == [
        ("FLEET_MEMBER_REMOVED", False),
        ("FLEET_MEMBER_ROLE_CHANGED", False),
        ("FLEET_INVITATION_ACCEPTED", True),
    ]
    changed = logs[bob.email][1][2]
    assert (changed["oldRole"], changed["newRole"], changed["fleetName"]) == ("OBSERVER", "OPERATOR", "Harbour")
    assert "@" not in str([event.details for event in await SecurityEvent.filter(kind__startswith="FLEET")])


async def test_people_who_change_each_others_things_never_wait_in_a_circle(
    ann: Person, bob: Person, mailbox: Mailbox
) -> None:
    of_ann, of_bob = await make_fleet(ann), await make_fleet(bob)
    bob_inside, ann_inside = await join(ann, of_ann, bob, mailbox), await join(bob, of_bob, ann, mailbox)

    answers = await asyncio.gather(
        *(ann.client.run(CHANGE_ROLE, id=bob_inside.member_id, role=role) for role in ROLES),
        *(bob.client.run(CHANGE_ROLE, id=ann_inside.member_id, role=role) for role in ROLES),
        *(person.client.run(CREATE_FLEET, name="F") for person in (ann, bob) * 4),
    )

    assert {answer.root["__typename"] for answer in answers} == {"MemberChanged", "FleetChanged"}
