"""A long export keeps nobody waiting, and what changes while it is read breaks nothing."""

from kit.settings import Settings
from models import Account, Device, Fleet, SecurityEvent
from tests.support.exports import EXPORT, exported
from tests.support.fleets import add_device, invite, join, make_fleet
from tests.support.mailbox import Mailbox
from tests.support.meanwhile import meanwhile
from tests.support.people import Person

DEVICES = 'FROM "devices"'
TOUCH = "UPDATE accounts SET email = email WHERE email = 'ann@example.com'"
SIGN_OUT = "UPDATE accounts SET generation = generation + 1 WHERE email = 'ann@example.com'"
DELETE_ACCOUNT = ("DELETE FROM fleets", "DELETE FROM accounts WHERE email = 'ann@example.com'")
HAND_OVER = (
    "UPDATE fleets SET owner_id = (SELECT id FROM accounts WHERE email = 'bob@example.com') WHERE name = 'Second'"
)


async def test_account_is_free_for_others_while_its_document_is_read(ann: Person, settings: Settings) -> None:
    await add_device(ann, await make_fleet(ann))

    with meanwhile(settings.database_url, DEVICES, TOUCH) as other:
        data = await exported(ann)

    assert (len(other.seen) > 0, other.problems) == (True, [])
    assert len(data["fleets"][0]["devices"]) == 1


async def test_devices_come_a_thousand_at_a_time(ann: Person, settings: Settings) -> None:
    await make_fleet(ann)
    fleet = await Fleet.get()
    await Device.bulk_create(
        [Device(fleet_id=fleet.id, name=f"D{n}", uuid=f"{n:032x}") for n in range(2_500)], batch_size=500
    )

    with meanwhile(settings.database_url, DEVICES) as other:
        data = await exported(ann)

    assert [device["name"] for device in data["fleets"][0]["devices"]] == [f"D{n}" for n in range(2_500)]
    assert len(other.seen) > 2
    assert all("LIMIT" in statement for statement in other.seen)


async def test_fleet_that_goes_meanwhile_is_left_out(ann: Person, settings: Settings) -> None:
    for name in ("First", "Second", "Third"):
        await add_device(ann, await make_fleet(ann, name))
    gone = "DELETE FROM fleets WHERE name = 'Second'"

    with meanwhile(settings.database_url, DEVICES, gone, "DELETE FROM devices", "DELETE FROM security_events") as other:
        data = await exported(ann)

    assert other.problems == []
    assert [(fleet["name"], fleet["devices"]) for fleet in data["fleets"]] == [("First", []), ("Third", [])]
    assert data["securityEvents"] == []


async def test_fleet_that_is_handed_over_meanwhile_is_seen_from_outside(
    ann: Person, bob: Person, mailbox: Mailbox, settings: Settings
) -> None:
    await make_fleet(ann, "First")
    second = await make_fleet(ann, "Second")
    await join(ann, second, bob, mailbox)
    await invite(ann, second, "somebody@example.com")

    with meanwhile(settings.database_url, DEVICES, HAND_OVER) as other:
        data = await exported(ann)

    assert other.problems == []
    assert [(fleet["viewerRole"], "invitations" in fleet) for fleet in data["fleets"]] == [
        ("OWNER", True),
        ("DEVELOPER", False),
    ]
    assert data["fleets"][1]["owner"] == {"email": bob.email}


async def test_who_is_signed_out_meanwhile_takes_nothing_along(ann: Person, settings: Settings) -> None:
    await add_device(ann, await make_fleet(ann))

    with meanwhile(settings.database_url, DEVICES, SIGN_OUT) as other:
        answer = await ann.client.run(EXPORT)

    assert (other.problems, answer.error_codes) == ([], ["UNAUTHENTICATED"])
    assert answer.body["data"] is None
    assert await SecurityEvent.filter(kind="DATA_EXPORTED").count() == 1


async def test_account_that_goes_meanwhile_is_not_exported_half(ann: Person, settings: Settings) -> None:
    await make_fleet(ann)

    with meanwhile(settings.database_url, DEVICES, *DELETE_ACCOUNT) as other:
        answer = await ann.client.run(EXPORT)

    assert (other.problems, answer.error_codes) == ([], ["UNAUTHENTICATED"])
    assert answer.body["data"] is None
    assert await Account.all().count() == 0
