"""Every cell of the table of permissions, and beyond it the same requests about a stranger's fleet and about none."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from models import FleetRole
from resolvers.permissions import ALLOWED, FleetAction, is_allowed
from tests.support.fleets import (
    ADD_DEVICE,
    DELETE_FLEET,
    FLEET,
    INVITE,
    OFFER,
    REMOVE_MEMBER,
    Member,
    add_device,
    invite,
    join,
    make_fleet,
    offer,
    seen_fleet,
)
from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import Person, sign_up

ANSWER = "{ __typename ... on UserError { code message } }"
DOCUMENTS = {
    FleetAction.READ: FLEET,
    FleetAction.READ_INVITATIONS: "query ($id: ID!) { fleet(id: $id) { invitations { totalCount nodes { id } } } }",
    FleetAction.ADD_DEVICE: ADD_DEVICE,
    FleetAction.RENAME_DEVICE: f'mutation ($id: ID!) {{ renameDevice(id: $id, name: "Mast") {ANSWER} }}',
    FleetAction.REMOVE_DEVICES: f"mutation ($id: ID!) {{ removeDevices(ids: [$id]) {ANSWER} }}",
    FleetAction.RENAME: f'mutation ($id: ID!) {{ renameFleet(id: $id, name: "Quay") {ANSWER} }}',
    FleetAction.DELETE: DELETE_FLEET,
    FleetAction.INVITE: INVITE,
    FleetAction.WITHDRAW_INVITATION: f"mutation ($id: ID!) {{ withdrawFleetInvitation(id: $id) {ANSWER} }}",
    FleetAction.CHANGE_ROLE: f"""
        mutation ($id: ID!) {{ changeFleetMemberRole(input: {{id: $id, role: OPERATOR}}) {ANSWER} }}
    """,
    FleetAction.REMOVE_MEMBER: REMOVE_MEMBER,
    FleetAction.LEAVE: REMOVE_MEMBER,
    FleetAction.OFFER_OWNERSHIP: OFFER,
    FleetAction.WITHDRAW_OFFER: f"mutation ($id: ID!) {{ withdrawOwnershipOffer(id: $id) {ANSWER} }}",
}
"""What a caller sends to do it: one for each action, or the tests below fail."""


@dataclass(frozen=True)
class Targets:
    """The ids of a fleet and of what is in it."""

    fleet: str
    device: str
    invitation: str
    offer: str
    member: str


def variables_for(action: FleetAction, targets: Targets) -> dict[str, Any]:
    """What the action's document is sent with."""
    match action:
        case FleetAction.ADD_DEVICE:
            return {"fleetId": targets.fleet, "name": "Buoy"}
        case FleetAction.INVITE:
            return {"fleetId": targets.fleet, "email": "more@example.com", "role": "OBSERVER"}
        case FleetAction.OFFER_OWNERSHIP:
            return {"memberId": targets.member}
        case _:
            return {"id": getattr(targets, IDS.get(action, "fleet"))}


IDS = {
    FleetAction.RENAME_DEVICE: "device",
    FleetAction.REMOVE_DEVICES: "device",
    FleetAction.WITHDRAW_INVITATION: "invitation",
    FleetAction.WITHDRAW_OFFER: "offer",
    FleetAction.CHANGE_ROLE: "member",
    FleetAction.REMOVE_MEMBER: "member",
    FleetAction.LEAVE: "member",
}
"""Whose id the other documents take; the fleet's, where nothing stands here."""


@dataclass(frozen=True)
class Cast:
    """A fleet with somebody in each role, somebody in none, and one more member whom things are done to."""

    fleet_id: str
    people: dict[FleetRole | None, Member]
    bystander: Member

    @property
    def owner(self) -> Person:
        return self.people[FleetRole.OWNER].person


@pytest.fixture
async def cast(client: GraphQLClient, mailbox: Mailbox) -> Cast:
    """The people of a test."""
    names = [role.lower() for role in FleetRole] + ["stranger", "bystander"]
    owner, *others, stranger, bystander = [
        await sign_up(client, mailbox, email=f"{name}@example.com") for name in names
    ]
    fleet_id = await make_fleet(owner)
    people: dict[FleetRole | None, Member] = {None: Member(stranger, "")}
    for person, role in zip(others, list(FleetRole)[1:], strict=True):
        people[role] = await join(owner, fleet_id, person, mailbox, role.value)
    people[FleetRole.OWNER] = Member(owner, (await seen_fleet(owner, fleet_id))["owner"]["id"])
    return Cast(fleet_id, people, await join(owner, fleet_id, bystander, mailbox))


async def fill(fleet_id: str, owner: Person, member: Member) -> Targets:
    """Put one of each into a fleet."""
    return Targets(
        fleet=fleet_id,
        device=await add_device(owner, fleet_id),
        invitation=await invite(owner, fleet_id, "waiting@example.com"),
        offer=await offer(owner, member),
        member=member.member_id,
    )


def outcome(action: FleetAction, answer: Answer) -> str:
    """What an answer comes to: "allowed", or the code of its refusal."""
    root = answer.root
    if root is None:
        return "NOT_FOUND"
    if action is FleetAction.READ_INVITATIONS:
        return "allowed" if root["invitations"]["totalCount"] else "ROLE_TOO_LOW"
    return str(root.get("code", "allowed"))


def expected(action: FleetAction, role: FleetRole | None) -> str:
    """What the table says."""
    if role is None:
        return "NOT_FOUND"
    if is_allowed(role, action):
        return "allowed"
    return "CONFLICT" if role is FleetRole.OWNER else "ROLE_TOO_LOW"


# What can't be followed by anything else has a cast of its own, as has what takes the bystander away.
ENDS = (FleetAction.DELETE, FleetAction.LEAVE, FleetAction.REMOVE_MEMBER)
GROUPS = {"others": [action for action in FleetAction if action not in ENDS]} | {end.name: [end] for end in ENDS}


@pytest.mark.parametrize("group", GROUPS)
async def test_everybody_may_what_the_table_says_and_nothing_else(cast: Cast, group: str) -> None:
    for action in GROUPS[group]:
        filled = await fill(cast.fleet_id, cast.owner, cast.bystander)
        for role in (None, *reversed(FleetRole)):
            member = cast.people[role]
            targets = replace(filled, device=await add_device(cast.owner, cast.fleet_id))
            if action is FleetAction.LEAVE and role is not None:
                targets = replace(targets, member=member.member_id)
            before = await seen_fleet(cast.owner, cast.fleet_id)

            answer = await member.person.client.run(DOCUMENTS[action], **variables_for(action, targets))

            assert outcome(action, answer) == expected(action, role), (action, role)
            if outcome(action, answer) != "allowed":
                assert await seen_fleet(cast.owner, cast.fleet_id) == before, (action, role)


async def test_foreign_unknown_and_malformed_ids_answer_the_same_to_everybody(
    cast: Cast, client: GraphQLClient, mailbox: Mailbox
) -> None:
    foreigner = await sign_up(client, mailbox, email="foreigner@example.com")
    friend = await sign_up(client, mailbox, email="friend@example.com")
    foreign_fleet = await make_fleet(foreigner)
    foreign = await fill(foreign_fleet, foreigner, await join(foreigner, foreign_fleet, friend, mailbox))
    before = await seen_fleet(foreigner, foreign_fleet)
    unknown = Targets(*(f"{kind}_{1:032x}" for kind in ("fleet", "device", "invitation", "offer", "member")))
    malformed = Targets(*["nonsense"] * 5)
    swapped = Targets(foreign.device, foreign.fleet, foreign.member, foreign.invitation, foreign.offer)

    for action in FleetAction:
        for member in cast.people.values():
            answers = [
                await member.person.client.run(DOCUMENTS[action], **variables_for(action, targets))
                for targets in (foreign, unknown, malformed, swapped)
            ]

            assert outcome(action, answers[0]) == "NOT_FOUND"
            assert len({answer.response.content for answer in answers}) == 1
    assert await seen_fleet(foreigner, foreign_fleet) == before


async def test_nothing_is_to_be_had_without_a_caller(cast: Cast, client: GraphQLClient) -> None:
    targets = await fill(cast.fleet_id, cast.owner, cast.bystander)
    before = await seen_fleet(cast.owner, cast.fleet_id)

    answers = [await client.run(DOCUMENTS[action], **variables_for(action, targets)) for action in FleetAction]

    assert [answer.error_codes for answer in answers] == [["UNAUTHENTICATED"]] * len(FleetAction)
    assert await seen_fleet(cast.owner, cast.fleet_id) == before


async def test_nodes_are_seen_by_whom_they_concern(cast: Cast) -> None:
    targets = await fill(cast.fleet_id, cast.owner, cast.people[FleetRole.DEVELOPER])
    everybody, owner, two = set(FleetRole), {FleetRole.OWNER}, {FleetRole.OWNER, FleetRole.DEVELOPER}
    sees = {
        targets.fleet: everybody,
        targets.device: everybody,
        targets.member: everybody,
        targets.invitation: owner,
        targets.offer: two,
    }

    for node_id, roles in sees.items():
        for role, member in cast.people.items():
            node = (await member.person.client.run("query ($id: ID!) { node(id: $id) { id } }", id=node_id)).root
            assert (node is not None) == (role in roles), (node_id, role)
    for role, member in cast.people.items():
        seen = await seen_fleet(member.person, cast.fleet_id)
        assert bool(seen and seen["ownershipOffer"]) == (role in two)


def test_each_action_is_in_the_table_and_each_role_may_what_the_next_one_may() -> None:
    order = list(FleetRole)

    assert set(ALLOWED) == set(FleetAction) == set(DOCUMENTS)
    for action in set(FleetAction) - {FleetAction.LEAVE}:
        assert FleetRole.OWNER in ALLOWED[action]
        assert ALLOWED[action] == set(order[: len(ALLOWED[action])])
