import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kit.ids import new_id
from models import Account, Device, Fleet, Membership
from tests.support.fleets import add_device, invite, make_fleet, row_id
from tests.support.graphql_client import GraphQLClient
from tests.support.people import Person

EVERYTHING = """
query ($first: Int!) {
  viewer {
    fleets(first: $first) {
      totalCount
      pageInfo { hasNextPage }
      nodes {
        id name viewerRole
        owner { email fleet { name } }
        members(first: 5) { totalCount pageInfo { hasNextPage } nodes { email role fleet { viewerRole } } }
        invitations(first: 5) { totalCount nodes { email invitedBy } }
        devices(first: 5) { totalCount pageInfo { hasNextPage } nodes { name fleet { owner { email } } } }
        ownershipOffer { to { email } }
      }
    }
    invitations { totalCount nodes { fleetName invitedBy } }
    deletionPlan { fleets devices membersAffected }
  }
}
"""
DEVICES = """
query ($id: ID!, $first: Int, $after: String) {
  fleet(id: $id) {
    devices(first: $first, after: $after) {
      totalCount edges { cursor node { id name } } nodes { name }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}
"""


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """What the ORM sends to the database meanwhile."""
    statements: list[str] = []

    class Counter(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            statements.append(record.getMessage())

    log, handler = logging.getLogger("tortoise.db_client"), Counter()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield statements
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


async def fill(owner: Person, fleets: int, members: int, devices: int) -> None:
    """Give somebody fleets with people and devices in them, past the front door: it is only about reading them."""
    owner_id = row_id(owner.account_id)
    # Ids of one millisecond are in no order by themselves.
    ordered = iter(sorted(new_id() for _ in range(fleets * (members + devices + 2))))
    people = [Account(email=f"p{n}@example.com", email_canonical=f"p{n}@example.com") for n in range(members)]
    rows = [Fleet(id=next(ordered), owner_id=owner_id, name=f"F{n}") for n in range(fleets)]
    await Account.bulk_create(people)
    await Fleet.bulk_create(rows)
    await Membership.bulk_create(
        [
            Membership(id=next(ordered), fleet_id=fleet.id, account_id=account_id, role="DEVELOPER")
            for fleet in rows
            for account_id in (owner_id, *(person.id for person in people))
        ]
    )
    await Device.bulk_create(
        [
            Device(id=next(ordered), fleet_id=fleet.id, name=f"D{n}", uuid=f"{place * 1_000 + n:032x}")
            for place, fleet in enumerate(rows)
            for n in range(devices)
        ]
    )


async def test_a_page_takes_the_same_number_of_statements_whatever_it_holds(ann: Person) -> None:
    await fill(ann, fleets=12, members=7, devices=8)

    counts = {}
    for first in (1, 2, 12):
        with counted_statements() as statements:
            page = (await ann.client.run(EVERYTHING, first=first)).root["fleets"]
        counts[first] = len(statements)
        assert len(page["nodes"]) == first

    assert counts[1] == counts[2] == counts[12] <= 30, counts


async def test_nested_lists_hold_what_belongs_to_each_fleet(ann: Person) -> None:
    await fill(ann, fleets=3, members=7, devices=8)
    first_id = (await ann.client.run(EVERYTHING, first=10)).root["fleets"]["nodes"][0]["id"]
    await invite(ann, first_id, "new@example.com")

    fleets = (await ann.client.run(EVERYTHING, first=10)).root["fleets"]

    assert fleets["totalCount"] == 3
    for fleet in fleets["nodes"]:
        assert fleet["owner"]["fleet"]["name"] == fleet["name"]
        assert (fleet["members"]["totalCount"], fleet["devices"]["totalCount"]) == (8, 8)
        assert fleet["members"]["pageInfo"]["hasNextPage"] is fleet["devices"]["pageInfo"]["hasNextPage"] is True
        assert fleet["members"]["nodes"][0] == {
            "email": ann.email,
            "role": "OWNER",
            "fleet": {"viewerRole": "OWNER"},
        }
        assert [device["name"] for device in fleet["devices"]["nodes"]] == [f"D{n}" for n in range(5)]
    assert [fleet["invitations"]["totalCount"] for fleet in fleets["nodes"]] == [1, 0, 0]


async def test_pages_follow_each_other_while_rows_come_and_go(ann: Person) -> None:
    fleet_id = await make_fleet(ann)
    for number in range(6):
        await add_device(ann, fleet_id, f"D{number}")

    async def page(after: str | None) -> dict[str, Any]:
        found: dict[str, Any] = (await ann.client.run(DEVICES, id=fleet_id, first=2, after=after)).root["devices"]
        return found

    one = await page(None)
    await Device.filter(id=row_id(one["edges"][1]["node"]["id"])).delete()
    await add_device(ann, fleet_id, "D6")
    two = await page(one["pageInfo"]["endCursor"])
    three = await page(two["pageInfo"]["endCursor"])
    four = await page(three["pageInfo"]["endCursor"])

    names = [node["name"] for found in (one, two, three, four) for node in found["nodes"]]
    assert names == ["D0", "D1", "D2", "D3", "D4", "D5", "D6"]
    assert one["pageInfo"]["hasPreviousPage"] is False
    assert two["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": True,
        "startCursor": two["edges"][0]["cursor"],
        "endCursor": two["edges"][1]["cursor"],
    }
    assert (four["pageInfo"]["hasNextPage"], four["totalCount"]) == (False, 6)


@pytest.mark.parametrize(("first", "after"), [(0, None), (-1, None), (101, None), (2, "nonsense"), (2, ""), (2, "é")])
@pytest.mark.parametrize("field", ["members", "devices", "invitations"])
async def test_page_out_of_bounds_is_a_bad_request(ann: Person, field: str, first: int, after: str | None) -> None:
    fleet_id = await make_fleet(ann)
    document = f"""
    query ($id: ID!, $first: Int, $after: String) {{
      fleet(id: $id) {{ {field}(first: $first, after: $after) {{ totalCount }} }}
    }}
    """

    answer = await ann.client.run(document, id=fleet_id, first=first, after=after)

    assert answer.error_codes == ["BAD_REQUEST"]


async def test_two_changes_of_one_request_answer_with_what_was_there_after_each(ann: Person) -> None:
    fleet_id = await make_fleet(ann)
    added = "{ ... on DeviceChanged { device { fleet { devices { totalCount } } } } }"
    document = f"""
    mutation ($id: ID!) {{
      one: addDevice(input: {{fleetId: $id, name: "A"}}) {added}
      two: addDevice(input: {{fleetId: $id, name: "B"}}) {added}
    }}
    """

    data = (await ann.client.run(document, id=fleet_id)).body["data"]

    assert [data[name]["device"]["fleet"]["devices"]["totalCount"] for name in ("one", "two")] == [1, 2]


async def test_invitation_tokens_are_tried_one_a_request(client: GraphQLClient) -> None:
    document = '{ a: fleetInvitation(token: "x") { id } b: fleetInvitation(token: "y") { id } }'

    assert (await client.run(document)).error_codes == ["DOCUMENT_TOO_COSTLY"]
