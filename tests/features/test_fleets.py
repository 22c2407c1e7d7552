from datetime import timedelta

import pytest

from kit import clock
from models import Device, Fleet, Membership
from models.fleets import MAX_DEVICES, MAX_FLEETS
from tests.support.fleets import ADD_DEVICE, CREATE_FLEET, DELETE_FLEET, add_device, join, make_fleet, seen_fleet
from tests.support.mailbox import Mailbox
from tests.support.people import Person, sign_up

RENAME_FLEET = """
mutation ($id: ID!, $name: String!) {
  renameFleet(id: $id, name: $name) {
    __typename
    ... on FleetChanged { fleet { id name } }
    ... on InvalidInput { fields { path reason } }
    ... on UserError { code message }
  }
}
"""
RENAME_DEVICE = """
mutation ($id: ID!, $name: String!) {
  renameDevice(id: $id, name: $name) {
    __typename
    ... on DeviceChanged { device { id name fleet { id } } }
    ... on InvalidInput { fields { path reason } }
    ... on UserError { code message }
  }
}
"""
REMOVE_DEVICES = """
mutation ($ids: [ID!]!) {
  removeDevices(ids: $ids) {
    __typename
    ... on DevicesRemoved { ids fleetId }
    ... on InvalidInput { fields { path reason } }
    ... on UserError { code message }
  }
}
"""
NODE = "query ($id: ID!) { node(id: $id) { __typename id ... on Device { name } ... on Fleet { name } } }"
VIEWER_FLEETS = "{ viewer { fleets { totalCount nodes { id name viewerRole owner { email role } } } } }"


async def test_fleet_has_its_maker_as_owner_and_only_member(ann: Person, bob: Person) -> None:
    made = (await ann.client.run(CREATE_FLEET, name="  Harbour ")).expect("FleetChanged")["fleet"]

    fleet = await seen_fleet(ann, made["id"])
    assert made["name"] == "Harbour"
    assert made["viewerRole"] == made["owner"]["role"] == "OWNER"
    assert [member["email"] for member in fleet["members"]["nodes"]] == [ann.email]
    assert fleet["members"]["nodes"][0]["accountId"] == ann.account_id
    assert await seen_fleet(bob, made["id"]) is None
    assert (await bob.client.run(NODE, id=made["id"])).root is None
    assert (await bob.client.run(VIEWER_FLEETS)).root["fleets"]["totalCount"] == 0


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "a\nb", "\ud800"])
async def test_unusable_names_change_nothing(ann: Person, name: str) -> None:
    fleet_id = await make_fleet(ann)
    device_id = await add_device(ann, fleet_id)

    answers = [
        await ann.client.run(CREATE_FLEET, name=name),
        await ann.client.run(RENAME_FLEET, id=fleet_id, name=name),
        await ann.client.run(RENAME_DEVICE, id=device_id, name=name),
        await ann.client.run(ADD_DEVICE, fleetId=fleet_id, name=name),
    ]

    paths = [answer.expect("InvalidInput")["fields"][0]["path"] for answer in answers]
    fleet = await seen_fleet(ann, fleet_id)
    assert paths == ["name", "name", "name", "input.name"]
    assert (fleet["name"], [device["name"] for device in fleet["devices"]["nodes"]]) == ("Harbour", ["Buoy"])
    assert await Fleet.all().count() == 1


async def test_fleet_is_renamed(ann: Person) -> None:
    fleet_id = await make_fleet(ann)

    (await ann.client.run(RENAME_FLEET, id=fleet_id, name="Quay")).expect("FleetChanged")

    assert (await seen_fleet(ann, fleet_id))["name"] == "Quay"


async def test_deleted_fleet_takes_all_along_and_its_members_are_told(
    ann: Person, bob: Person, mailbox: Mailbox
) -> None:
    fleet_id, kept = await make_fleet(ann), await make_fleet(ann, "Kept")
    device_id = await add_device(ann, fleet_id)
    await add_device(ann, kept)
    await join(ann, fleet_id, bob, mailbox)

    deleted = (await ann.client.run(DELETE_FLEET, id=fleet_id)).expect("FleetDeleted")

    assert deleted == {"__typename": "FleetDeleted", "id": fleet_id, "account": {"fleets": {"totalCount": 1}}}
    assert await seen_fleet(ann, fleet_id) is None
    assert (await ann.client.run(NODE, id=device_id)).root is None
    assert (await Device.all().count(), await Membership.all().count()) == (1, 1)
    assert "Harbour" in (await mailbox.newest(bob.email))["text"]
    assert (await ann.client.run(DELETE_FLEET, id=fleet_id)).expect("NotFound")["code"] == "NOT_FOUND"


async def test_deleting_a_fleet_needs_a_fresh_sign_in(ann: Person) -> None:
    fleet_id = await make_fleet(ann)
    clock.shift(timedelta(seconds=901))

    answer = await ann.client.run(DELETE_FLEET, id=fleet_id)

    answer.expect("StepUpRequired")
    assert await seen_fleet(ann, fleet_id) is not None


async def test_account_owns_a_hundred_fleets_at_most(ann: Person) -> None:
    first = await make_fleet(ann)
    owner_id = (await Fleet.all().first()).owner_id  # type: ignore[union-attr] # there is one
    await Fleet.bulk_create([Fleet(owner_id=owner_id, name=f"F{n}") for n in range(MAX_FLEETS - 1)])

    refused = (await ann.client.run(CREATE_FLEET, name="One more")).expect("LimitReached")
    await ann.client.run(DELETE_FLEET, id=first)

    assert refused["limit"] == MAX_FLEETS
    (await ann.client.run(CREATE_FLEET, name="One more")).expect("FleetChanged")


async def test_device_has_the_uuid_given_or_one_of_its_own(ann: Person) -> None:
    fleet_id = await make_fleet(ann)

    given = (await ann.client.run(ADD_DEVICE, fleetId=fleet_id, name="A", uuid="AB" * 16)).expect("DeviceChanged")
    made_up = (await ann.client.run(ADD_DEVICE, fleetId=fleet_id, name="B")).expect("DeviceChanged")

    assert given["device"]["uuid"] == "ab" * 16
    assert given["device"]["fleet"] == {"id": fleet_id, "name": "Harbour"}
    assert len(made_up["device"]["uuid"]) == 32
    assert set(made_up["device"]["uuid"]) <= set("0123456789abcdef")


@pytest.mark.parametrize("uuid", ["", "ab" * 15, "ab" * 17, "zz" * 16, "\uff11" * 32, "ab" * 16 + "\n", "\ud800" * 32])
async def test_unusable_uuid_adds_no_device(ann: Person, uuid: str) -> None:
    fleet_id = await make_fleet(ann)

    answer = (await ann.client.run(ADD_DEVICE, fleetId=fleet_id, name="A", uuid=uuid)).expect("InvalidInput")

    assert answer["fields"][0]["path"] == "input.uuid"
    assert await Device.all().count() == 0


async def test_uuid_is_nobody_elses(ann: Person, bob: Person) -> None:
    of_ann, of_bob = await make_fleet(ann), await make_fleet(bob)
    await ann.client.run(ADD_DEVICE, fleetId=of_ann, name="A", uuid="ab" * 16)

    refused = (await bob.client.run(ADD_DEVICE, fleetId=of_bob, name="B", uuid="AB" * 16)).expect("Refused")

    assert refused["code"] == "CONFLICT"
    assert await Device.all().count() == 1


async def test_fleet_holds_ten_thousand_devices_at_most(ann: Person) -> None:
    fleet_id = await make_fleet(ann)
    row = await Fleet.get()
    await Device.bulk_create(
        [Device(fleet_id=row.id, name="D", uuid=f"{n:032x}") for n in range(MAX_DEVICES)], batch_size=2_000
    )

    refused = (await ann.client.run(ADD_DEVICE, fleetId=fleet_id, name="One more")).expect("LimitReached")

    assert refused["limit"] == MAX_DEVICES
    assert (await seen_fleet(ann, fleet_id))["devices"]["totalCount"] == MAX_DEVICES


async def test_device_is_renamed(ann: Person) -> None:
    device_id = await add_device(ann, await make_fleet(ann))

    (await ann.client.run(RENAME_DEVICE, id=device_id, name="Mast")).expect("DeviceChanged")

    assert (await ann.client.run(NODE, id=device_id)).root == {"__typename": "Device", "id": device_id, "name": "Mast"}


async def test_devices_go_all_together(ann: Person) -> None:
    fleet_id = await make_fleet(ann)
    going = [await add_device(ann, fleet_id, f"D{number}") for number in range(3)]
    staying = await add_device(ann, fleet_id)

    removed = (await ann.client.run(REMOVE_DEVICES, ids=going)).expect("DevicesRemoved")

    assert (removed["ids"], removed["fleetId"]) == (going, fleet_id)
    assert [device["id"] for device in (await seen_fleet(ann, fleet_id))["devices"]["nodes"]] == [staying]


async def test_devices_go_all_or_none(ann: Person, bob: Person) -> None:
    fleet_id, other = await make_fleet(ann), await make_fleet(ann, "Other")
    own, in_other = await add_device(ann, fleet_id), await add_device(ann, other)
    foreign = await add_device(bob, await make_fleet(bob))

    bulk = {
        "nothing": ([], "InvalidInput"),
        "twice": ([own, own], "InvalidInput"),
        "many": ([f"device_{n:032x}" for n in range(1_001)], "InvalidInput"),
        "two fleets": ([own, in_other], "InvalidInput"),
        "foreign": ([own, foreign], "NotFound"),
        "unknown": ([own, f"device_{1:032x}"], "NotFound"),
        "malformed": ([own, "nonsense"], "NotFound"),
    }
    answers = {case: (await ann.client.run(REMOVE_DEVICES, ids=ids)).expect(kind) for case, (ids, kind) in bulk.items()}

    assert answers["foreign"] == answers["unknown"] == answers["malformed"]
    assert await Device.all().count() == 3


async def test_a_low_role_does_not_tell_foreign_devices_from_unknown_ones(
    ann: Person, bob: Person, mailbox: Mailbox
) -> None:
    # Older than Ann's, so that whoever locks fleets by their ids comes to it first; and a younger one.
    older = await add_device(bob, await make_fleet(bob))
    fleet_id = await make_fleet(ann)
    seen = await add_device(ann, fleet_id)
    younger = await add_device(bob, await make_fleet(bob))
    zoe = await sign_up(ann.client.bearing(None), mailbox, email="zoe@example.com")
    await join(ann, fleet_id, zoe, mailbox, "OBSERVER")

    answers = [
        (await zoe.client.run(REMOVE_DEVICES, ids=[seen, other])).root
        for other in (older, younger, f"device_{1:032x}", "nonsense")
    ]
    own = (await zoe.client.run(REMOVE_DEVICES, ids=[seen])).expect("Refused")

    assert [answer["__typename"] for answer in answers] == ["NotFound"] * 4
    assert own["code"] == "ROLE_TOO_LOW"
    assert await Device.all().count() == 3
