"""What others do to a fleet between two statements of one request: forced, since chance finds it once in a thousand."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

from models import Account, Fleet, Membership, SecurityEvent
from schema import loaders
from tests.features.test_account_deletion import DELETE
from tests.support.fleets import DELETE_FLEET, REMOVE_MEMBER, join, make_fleet, row_id
from tests.support.interleaving import one_after_the_other
from tests.support.mailbox import Mailbox
from tests.support.people import Person

BOTH_WAYS = """
query ($id: ID!) {
  viewer { email fleets { totalCount nodes { id viewerRole owner { email } } } }
  fleet(id: $id) { id viewerRole owner { email } }
}
"""


async def test_member_is_removed_while_leaving_for_good(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    fleet_id = await make_fleet(ann)
    bob_inside = await join(ann, fleet_id, bob, mailbox)

    removed, deleted = await one_after_the_other(
        lambda: Fleet.lock(row_id(fleet_id)),
        lambda: ann.client.run(REMOVE_MEMBER, id=bob_inside.member_id),
        lambda: bob.client.run(DELETE, password=bob.password),
    )

    removed.expect("MemberRemoved")
    deleted.expect("AccountDeleted")
    assert await Account.filter(id=row_id(bob.account_id)).count() == 0
    assert await Membership.all().count() == 1
    # Told once, of the removal, and not of a leaving as well.
    assert await SecurityEvent.filter(account_id=row_id(ann.account_id), kind="FLEET_MEMBER_REMOVED").count() == 1


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Awaitable[object]]], None]:
    """Has something happen between the reading of a fleet and of its owner, the first time."""

    def arrange(happen: Callable[[], Awaitable[object]]) -> None:
        read = loaders._owners
        pending = [happen]

        async def late(fleets: Sequence[UUID]) -> list[Any]:
            if pending:
                await pending.pop()()
            return list(await read(fleets))

        monkeypatch.setattr(loaders, "_owners", late)

    return arrange


async def test_fleet_that_goes_while_it_is_read_was_never_there(
    ann: Person, bob: Person, mailbox: Mailbox, meanwhile: Callable[[Callable[[], Awaitable[object]]], None]
) -> None:
    fleet_id, staying = await make_fleet(ann), await make_fleet(bob, "Bob's")
    await join(ann, fleet_id, bob, mailbox)
    meanwhile(lambda: ann.client.run(DELETE_FLEET, id=fleet_id))

    answer = await bob.client.run(BOTH_WAYS, id=fleet_id)

    assert answer.status == 200
    assert answer.response.json()["data"] == {
        "viewer": {
            "email": bob.email,
            "fleets": {
                "totalCount": 1,
                "nodes": [{"id": staying, "viewerRole": "OWNER", "owner": {"email": bob.email}}],
            },
        },
        "fleet": None,
    }
