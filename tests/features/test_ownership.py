import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from kit import clock
from models import Fleet, Membership, OwnershipOffer
from models.fleets import MAX_FLEETS
from tests.support.fleets import (
    ACCEPT_OFFER,
    DELETE_FLEET,
    OFFER,
    REMOVE_MEMBER,
    Member,
    join,
    make_fleet,
    offer,
    row_id,
    seen_fleet,
)
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import Person, sign_up

WITHDRAW_OFFER = """
mutation ($id: ID!) {
  withdrawOwnershipOffer(id: $id) { __typename ... on OfferWithdrawn { id } ... on UserError { code message } }
}
"""
EVENTS = "{ viewer { securityEvents(kinds: [FLEET_TRANSFERRED]) { nodes { ipAddress details } } } }"


@pytest.fixture
async def fleet_id(ann: Person) -> str:
    """A fleet of Ann's."""
    return await make_fleet(ann)


@pytest.fixture
async def bob_inside(ann: Person, bob: Person, fleet_id: str, mailbox: Mailbox) -> Member:
    """Bob, who is in it."""
    return await join(ann, fleet_id, bob, mailbox)


async def owners(fleet_id: str, *people: Person) -> list[str]:
    """Who the owner is, as each of these people sees it."""
    return [(await seen_fleet(person, fleet_id))["owner"]["email"] for person in people]


async def test_ownership_goes_to_the_member_who_accepts(
    ann: Person, bob: Person, fleet_id: str, bob_inside: Member, mailbox: Mailbox
) -> None:
    offer_id = await offer(ann, bob_inside)
    offered = await seen_fleet(bob, fleet_id)

    taken = (await bob.client.run(ACCEPT_OFFER, id=offer_id)).expect("FleetChanged")["fleet"]

    assert offered["ownershipOffer"] == {"id": offer_id, "to": {"email": bob.email}}
    assert offered["owner"]["email"] == ann.email
    assert taken["owner"] == {"email": bob.email, "role": "OWNER"}
    assert {member["email"]: member["role"] for member in taken["members"]["nodes"]} == {
        ann.email: "DEVELOPER",
        bob.email: "OWNER",
    }
    assert (await seen_fleet(ann, fleet_id))["viewerRole"] == "DEVELOPER"
    assert bob.email in (await mailbox.newest(ann.email))["text"]
    (await bob.client.run(ACCEPT_OFFER, id=offer_id)).expect("NotFound")


async def test_hand_over_is_in_both_logs(ann: Person, bob: Person, bob_inside: Member) -> None:
    await bob.client.run(ACCEPT_OFFER, id=await offer(ann, bob_inside))

    (of_ann,) = (await ann.client.run(EVENTS)).root["securityEvents"]["nodes"]
    (of_bob,) = (await bob.client.run(EVENTS)).root["securityEvents"]["nodes"]

    assert (of_ann["details"]["oldRole"], of_ann["details"]["newRole"]) == ("OWNER", "DEVELOPER")
    assert (of_bob["details"]["newRole"], of_ann["ipAddress"]) == ("OWNER", None)


async def test_fleet_handed_over_twice_leaves_developers_behind(
    ann: Person, bob: Person, fleet_id: str, bob_inside: Member
) -> None:
    of_ann = Member(ann, (await seen_fleet(ann, fleet_id))["owner"]["id"])
    await bob.client.run(ACCEPT_OFFER, id=await offer(ann, bob_inside))

    (await ann.client.run(ACCEPT_OFFER, id=await offer(bob, of_ann))).expect("FleetChanged")

    assert (await seen_fleet(bob, fleet_id))["viewerRole"] == "DEVELOPER"


async def test_only_the_member_whom_it_is_made_to_accepts(
    ann: Person, bob: Person, fleet_id: str, bob_inside: Member, client: GraphQLClient, mailbox: Mailbox
) -> None:
    cid = await sign_up(client, mailbox, email="cid@example.com")
    eve = await sign_up(client, mailbox, email="eve@example.com")
    await join(ann, fleet_id, cid, mailbox, "DEVELOPER")
    offer_id = await offer(ann, bob_inside)

    by_owner = (await ann.client.run(ACCEPT_OFFER, id=offer_id)).expect("Refused")
    by_member = (await cid.client.run(ACCEPT_OFFER, id=offer_id)).expect("NotFound")
    by_stranger = (await eve.client.run(ACCEPT_OFFER, id=offer_id)).expect("NotFound")

    assert by_owner["code"] == "WRONG_ACCOUNT"
    assert by_member == by_stranger
    assert await owners(fleet_id, ann, bob, cid) == [ann.email] * 3
    assert (await seen_fleet(cid, fleet_id))["ownershipOffer"] is None


async def test_offer_works_for_seven_days(ann: Person, bob: Person, fleet_id: str, bob_inside: Member) -> None:
    offer_id = await offer(ann, bob_inside)
    row = await OwnershipOffer.get()
    await OwnershipOffer.filter(id=row.id).update(expires_at=row.created_at)

    (await bob.client.run(ACCEPT_OFFER, id=offer_id)).expect("NotFound")

    assert row.expires_at - row.created_at == pytest.approx(timedelta(days=7), abs=timedelta(seconds=1))
    assert (await seen_fleet(ann, fleet_id))["ownershipOffer"] is None


async def test_withdrawn_or_replaced_offer_is_over(ann: Person, bob: Person, fleet_id: str, bob_inside: Member) -> None:
    first, second = await offer(ann, bob_inside), await offer(ann, bob_inside)

    (await ann.client.run(WITHDRAW_OFFER, id=second)).expect("OfferWithdrawn")

    for offer_id in (first, second):
        (await bob.client.run(ACCEPT_OFFER, id=offer_id)).expect("NotFound")
        (await ann.client.run(WITHDRAW_OFFER, id=offer_id)).expect("NotFound")
    assert await owners(fleet_id, ann) == [ann.email]


async def test_both_sides_need_a_fresh_sign_in(ann: Person, bob: Person, fleet_id: str, bob_inside: Member) -> None:
    offer_id = await offer(ann, bob_inside)
    clock.shift(timedelta(seconds=901))

    (await ann.client.run(OFFER, memberId=bob_inside.member_id)).expect("StepUpRequired")
    (await bob.client.run(ACCEPT_OFFER, id=offer_id)).expect("StepUpRequired")

    assert await owners(fleet_id, ann) == [ann.email]


async def test_owner_is_offered_nothing(ann: Person, fleet_id: str) -> None:
    own = (await seen_fleet(ann, fleet_id))["owner"]["id"]

    assert (await ann.client.run(OFFER, memberId=own)).expect("Refused")["code"] == "CONFLICT"

    assert await OwnershipOffer.all().count() == 0


async def test_nobody_takes_over_more_fleets_than_one_may_own(
    ann: Person, bob: Person, fleet_id: str, bob_inside: Member
) -> None:
    offer_id = await offer(ann, bob_inside)
    of_bob = await make_fleet(bob)
    await Fleet.bulk_create([Fleet(owner_id=row_id(bob.account_id), name="F") for _ in range(MAX_FLEETS - 1)])

    refused = (await bob.client.run(ACCEPT_OFFER, id=offer_id)).expect("Refused")
    await bob.client.run(DELETE_FLEET, id=of_bob)

    assert refused["code"] == "CONFLICT"
    (await bob.client.run(ACCEPT_OFFER, id=offer_id)).expect("FleetChanged")


async def test_member_who_leaves_takes_the_offer_along(
    ann: Person, bob: Person, fleet_id: str, bob_inside: Member
) -> None:
    offer_id = await offer(ann, bob_inside)

    await bob.client.run(REMOVE_MEMBER, id=bob_inside.member_id)

    assert (await seen_fleet(ann, fleet_id))["ownershipOffer"] is None
    (await bob.client.run(ACCEPT_OFFER, id=offer_id)).expect("NotFound")


@pytest.mark.parametrize("broken", ["member gone", "no owner", "stranger owns", "account gone", "membership passed on"])
async def test_database_itself_keeps_one_owner_who_is_a_member(
    ann: Person, bob: Person, fleet_id: str, broken: str
) -> None:
    fleet = await Fleet.get().select_related("owner")
    own = Membership.filter(fleet_id=fleet.id, account_id=fleet.owner_id)
    bob_id = row_id(bob.account_id)
    writes: dict[str, Callable[[], Awaitable[object]]] = {
        "member gone": own.delete,
        "no owner": lambda: Fleet.filter(id=fleet.id).update(owner_id=None),
        "stranger owns": lambda: Fleet.filter(id=fleet.id).update(owner_id=bob_id),
        "account gone": fleet.owner.delete,
        "membership passed on": lambda: own.update(account_id=bob_id),
    }

    with pytest.raises((IntegrityError, OperationalError)):
        await writes[broken]()

    assert await owners(fleet_id, ann) == [ann.email]


async def test_fleet_that_goes_round_has_one_owner_at_every_moment(
    ann: Person, bob: Person, fleet_id: str, bob_inside: Member, client: GraphQLClient, mailbox: Mailbox
) -> None:
    cid = (await join(ann, fleet_id, await sign_up(client, mailbox, email="cid@example.com"), mailbox)).person
    giver, taker = Member(ann, (await seen_fleet(ann, fleet_id))["owner"]["id"]), bob_inside
    fleets: list[Any] = []

    async def watch() -> None:
        fleets.extend([await seen_fleet(cid, fleet_id) for _ in range(5)])

    for _ in range(4):
        offer_id = await offer(giver.person, taker)
        accepted, again, _, _ = await asyncio.gather(
            taker.person.client.run(ACCEPT_OFFER, id=offer_id),
            taker.person.client.run(ACCEPT_OFFER, id=offer_id),
            giver.person.client.run(OFFER, memberId=giver.member_id),
            watch(),
        )
        assert {accepted.root["__typename"], again.root["__typename"]} == {"FleetChanged", "NotFound"}
        giver, taker = taker, giver

    assert {len([m for m in fleet["members"]["nodes"] if m["role"] == "OWNER"]) for fleet in fleets} == {1}
    assert {fleet["owner"]["role"] for fleet in fleets} == {"OWNER"}


async def test_offered_member_takes_over_or_leaves_and_never_both(
    ann: Person, bob: Person, fleet_id: str, bob_inside: Member
) -> None:
    offer_id = await offer(ann, bob_inside)

    accepted, left, removed = await asyncio.gather(
        bob.client.run(ACCEPT_OFFER, id=offer_id),
        bob.client.run(REMOVE_MEMBER, id=bob_inside.member_id),
        ann.client.run(REMOVE_MEMBER, id=bob_inside.member_id),
    )

    gone = any(answer.root["__typename"] == "MemberRemoved" for answer in (left, removed))
    assert gone != (accepted.root["__typename"] == "FleetChanged")
    keeper = ann if gone else bob
    assert await owners(fleet_id, keeper) == [keeper.email]


async def test_owner_who_gives_up_hands_over_or_deletes_and_never_both(
    ann: Person, bob: Person, fleet_id: str, bob_inside: Member
) -> None:
    offer_id = await offer(ann, bob_inside)

    accepted, deleted = await asyncio.gather(
        bob.client.run(ACCEPT_OFFER, id=offer_id), ann.client.run(DELETE_FLEET, id=fleet_id)
    )

    outcomes = (accepted.root["__typename"], deleted.root["__typename"])
    assert outcomes in {("FleetChanged", "Refused"), ("NotFound", "FleetDeleted")}
    assert await Fleet.all().count() == (outcomes[0] == "FleetChanged")
