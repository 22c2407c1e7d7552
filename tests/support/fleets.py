"""Fleets and people in them, made through the front door."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.support.mailbox import Mailbox, link_in
from tests.support.people import Person

CREATE_FLEET = """
mutation ($name: String!) {
  createFleet(name: $name) {
    __typename
    ... on FleetChanged { fleet { id name viewerRole owner { id email role } } }
    ... on InvalidInput { fields { path reason } }
    ... on LimitReached { limit }
    ... on UserError { code message }
  }
}
"""
DELETE_FLEET = """
mutation ($id: ID!) {
  deleteFleet(id: $id) {
    __typename
    ... on FleetDeleted { id account { fleets { totalCount } } }
    ... on UserError { code message }
  }
}
"""
ADD_DEVICE = """
mutation ($fleetId: ID!, $name: String!, $uuid: String) {
  addDevice(input: {fleetId: $fleetId, name: $name, uuid: $uuid}) {
    __typename
    ... on DeviceChanged { device { id uuid name createdAt fleet { id name } } }
    ... on InvalidInput { fields { path reason } }
    ... on LimitReached { limit }
    ... on UserError { code message }
  }
}
"""
INVITE = """
mutation ($fleetId: ID!, $email: EmailAddress!, $role: FleetRole!) {
  inviteFleetMember(input: {fleetId: $fleetId, email: $email, role: $role}) {
    __typename
    ... on InvitationSent { invitation { id fleetName email role invitedBy sentAt expiresAt } }
    ... on InvalidInput { fields { path reason } }
    ... on LimitReached { limit }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}
"""
ACCEPT = """
mutation ($token: Secret!) {
  acceptFleetInvitation(token: $token) {
    __typename
    ... on MemberChanged { member { id accountId email role joinedAt fleet { id name viewerRole } } }
    ... on UserError { code message }
  }
}
"""
OFFER = """
mutation ($memberId: ID!) {
  offerFleetOwnership(memberId: $memberId) {
    __typename
    ... on OwnershipOffered { offer { id to { id email } offeredAt expiresAt } }
    ... on UserError { code message }
  }
}
"""
ACCEPT_OFFER = """
mutation ($id: ID!) {
  acceptFleetOwnership(id: $id) {
    __typename
    ... on FleetChanged { fleet { id viewerRole owner { email role } members { nodes { email role } } } }
    ... on UserError { code message }
  }
}
"""
REMOVE_MEMBER = """
mutation ($id: ID!) {
  removeFleetMember(id: $id) {
    __typename
    ... on MemberRemoved { id fleetId }
    ... on UserError { code message }
  }
}
"""
FLEET = """
query ($id: ID!) {
  fleet(id: $id) {
    id name viewerRole
    owner { id accountId email role }
    members { totalCount nodes { id accountId email role } }
    invitations { totalCount nodes { id email role } }
    devices { totalCount nodes { id name uuid } }
    ownershipOffer { id to { email } }
  }
}
"""


@dataclass(frozen=True)
class Member:
    """Somebody in a fleet."""

    person: Person
    member_id: str


async def make_fleet(owner: Person, name: str = "Harbour") -> str:
    """A fleet; gives its id."""
    made = (await owner.client.run(CREATE_FLEET, name=name)).expect("FleetChanged")
    return str(made["fleet"]["id"])


async def add_device(person: Person, fleet_id: str, name: str = "Buoy") -> str:
    """A device; gives its id."""
    made = (await person.client.run(ADD_DEVICE, fleetId=fleet_id, name=name)).expect("DeviceChanged")
    return str(made["device"]["id"])


async def invite(owner: Person, fleet_id: str, email: str, role: str = "OBSERVER") -> str:
    """An open invitation; gives its id."""
    sent = (await owner.client.run(INVITE, fleetId=fleet_id, email=email, role=role)).expect("InvitationSent")
    return str(sent["invitation"]["id"])


async def mailed_token(mailbox: Mailbox, email: str) -> str:
    """The token in the last invitation to an address."""
    return link_in((await mailbox.newest(email))["text"]).rpartition("=")[2]


async def join(owner: Person, fleet_id: str, person: Person, mailbox: Mailbox, role: str = "OBSERVER") -> Member:
    """Somebody who was invited and accepted."""
    await invite(owner, fleet_id, person.email, role)
    accepted = await person.client.run(ACCEPT, token=await mailed_token(mailbox, person.email))
    return Member(person, accepted.expect("MemberChanged")["member"]["id"])


async def offer(owner: Person, member: Member) -> str:
    """An open offer of ownership; gives its id."""
    made = (await owner.client.run(OFFER, memberId=member.member_id)).expect("OwnershipOffered")
    return str(made["offer"]["id"])


async def seen_fleet(person: Person, fleet_id: str) -> Any:
    """The fleet as that person sees it."""
    return (await person.client.run(FLEET, id=fleet_id)).root


def row_id(global_id: str) -> UUID:
    """The row behind a global id."""
    return UUID(hex=global_id.rpartition("_")[2])
