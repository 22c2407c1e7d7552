import asyncio
from datetime import timedelta

import pytest

from kit import clock
from models import Account, Device, Fleet, FleetInvitation, Membership, OutgoingMail, PendingSignUp, SecurityEvent
from tests.support.fleets import (
    ACCEPT,
    ADD_DEVICE,
    CREATE_FLEET,
    REMOVE_MEMBER,
    add_device,
    invite,
    join,
    mailed_token,
    make_fleet,
    offer,
    row_id,
    seen_fleet,
)
from tests.support.graphql_client import GraphQLClient
from tests.support.leftovers import leftovers, tables, traces_of
from tests.support.mailbox import Mailbox
from tests.support.people import PASSWORD, SIGN_UP, Person, sign_up

DELETE = """
mutation ($password: Secret!) {
  deleteAccount(password: $password) {
    __typename
    ... on AccountDeleted { email deletedAt removed { fleets devices apiKeys membersAffected membershipsLeft } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}
"""
PLAN = "{ viewer { deletionPlan { fleets devices apiKeys membersAffected membershipsLeft } } }"
VIEWER = "{ viewer { id email fleets { totalCount } invitations { totalCount } securityEvents { nodes { kind } } } }"
CREATE_KEY = """
mutation { createApiKey(input: {name: "deploy"}) { ... on ApiKeyCreated { key } } }
"""
LOG_IN = """
mutation ($email: EmailAddress!, $password: Secret!) {
  logIn(input: {email: $email, password: $password}) { __typename ... on SessionStarted { token } }
}
"""
REFRESH = "mutation { refreshSession { __typename } }"


async def settled(ann: Person, bob: Person, mailbox: Mailbox) -> tuple[str, str]:
    """Ann with all that an account can have; gives her API key, and the id of Bob's fleet that she is in."""
    key = (await ann.client.run(CREATE_KEY)).root["key"]
    own, foreign = await make_fleet(ann), await make_fleet(bob, "Bob's")
    for _ in range(3):
        await add_device(ann, own)
    await add_device(bob, foreign)
    await make_fleet(ann, "Empty")
    bob_inside = await join(ann, own, bob, mailbox)
    await offer(ann, bob_inside)
    await invite(ann, own, "somebody@example.com")
    await join(bob, foreign, ann, mailbox, "OPERATOR")
    await invite(bob, await make_fleet(bob, "Bob's other"), ann.email)
    return key, foreign


async def test_all_of_the_account_goes_and_nothing_of_others(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    key, foreign = await settled(ann, bob, mailbox)
    await ann.client.run(SIGN_UP, email=ann.email, password="another passphrase")
    plan = (await ann.client.run(PLAN)).root["deletionPlan"]

    deleted = (await ann.client.run(DELETE, password=ann.password)).expect("AccountDeleted")

    assert plan == {"fleets": 2, "devices": 3, "apiKeys": 1, "membersAffected": 1, "membershipsLeft": 1}
    assert deleted["removed"] == plan
    assert deleted["email"] == ann.email
    assert await leftovers(traces_of(row_id(ann.account_id), ann.email)) == []
    assert [row.name for row in await Fleet.all().order_by("id")] == ["Bob's", "Bob's other"]
    assert (await Device.all().count(), await Membership.all().count()) == (1, 2)
    assert await FleetInvitation.all().count() == await PendingSignUp.all().count() == 0
    for client in (ann.client, ann.client.bearing(key)):
        refused = await client.run(VIEWER)
        assert (refused.status, refused.error_codes) == (401, ["UNAUTHENTICATED"])
    assert [member["email"] for member in (await seen_fleet(bob, foreign))["members"]["nodes"]] == [bob.email]


async def test_search_for_leftovers_finds_an_account_that_is_there(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    await settled(ann, bob, mailbox)

    found = {line.partition(":")[0] for line in await leftovers(traces_of(row_id(ann.account_id), ann.email))}

    assert found >= {
        "accounts",
        "api_keys",
        "fleet_invitations",
        "fleets",
        "memberships",
        "security_events",
        "sign_in_origins",
    }
    assert found <= set(await tables())


async def test_people_who_lose_access_are_told_and_the_last_mail_confirms(
    ann: Person, bob: Person, mailbox: Mailbox
) -> None:
    await settled(ann, bob, mailbox)

    await ann.client.run(DELETE, password=ann.password)

    lost, last = await mailbox.newest(bob.email), await mailbox.newest(ann.email)
    assert '"Harbour"' in lost["text"]
    assert '"Empty"' not in lost["text"]
    assert ann.email not in lost["text"]
    assert "deleted" in last["subject"]
    (event, *_) = await SecurityEvent.filter(account_id=row_id(bob.account_id)).order_by("-id")
    assert (event.kind, event.ip_address) == ("FLEET_MEMBER_REMOVED", None)


async def test_waiting_mail_to_the_address_is_dropped_but_for_the_last(
    ann: Person, bob: Person, mailbox: Mailbox
) -> None:
    await mailbox.mails()
    later = clock.now() + timedelta(days=1)
    await invite(bob, await make_fleet(bob), ann.email)
    await mailbox.mails()
    await OutgoingMail.all().update(sent_at=None, due_at=later)
    waiting = await OutgoingMail.filter(sent_at__isnull=True).count()
    for_bob = 1

    await ann.client.run(DELETE, password=ann.password)

    assert waiting == 3
    assert await OutgoingMail.filter(due_at=later).count() == for_bob
    assert "deleted" in (await mailbox.newest(ann.email))["subject"]


@pytest.mark.parametrize("password", ["wrong", "", "x" * 10_000, "a\u0000b", "\ud800"])
async def test_wrong_password_deletes_nothing(ann: Person, password: str) -> None:
    await make_fleet(ann)

    answer = (await ann.client.run(DELETE, password=password)).expect("InvalidCredentials")

    assert answer["code"] == "INVALID_CREDENTIALS"
    assert (await ann.client.run(VIEWER)).root["fleets"]["totalCount"] == 1


async def test_wrong_passwords_share_the_count_of_log_in(ann: Person, client: GraphQLClient) -> None:
    answers = [(await ann.client.run(DELETE, password="wrong")).root["__typename"] for _ in range(11)]
    right = (await ann.client.run(DELETE, password=ann.password)).expect("TooManyAttempts")

    assert answers == ["InvalidCredentials"] * 10 + ["TooManyAttempts"]
    assert right["retryAfterSeconds"] > 0
    logged_in = await client.run(LOG_IN, email=ann.email, password=ann.password)
    assert logged_in.root["__typename"] == "TooManyAttempts"
    assert await Account.all().count() == 1


async def test_program_deletes_no_account(ann: Person) -> None:
    key = (await ann.client.run(CREATE_KEY)).root["key"]

    answer = (await ann.client.bearing(key).run(DELETE, password=ann.password)).expect("Refused")

    assert answer["code"] == "SESSION_REQUIRED"
    assert await Account.all().count() == 1


async def test_guest_deletes_no_account(client: GraphQLClient) -> None:
    assert (await client.run(DELETE, password=PASSWORD)).error_codes == ["UNAUTHENTICATED"]


async def test_account_without_a_password_is_told_to_set_one(ann: Person) -> None:
    await Account.all().update(password_hash=None)

    answer = (await ann.client.run(DELETE, password=ann.password)).expect("Refused")

    assert answer["code"] == "PASSWORD_NOT_SET"
    assert await Account.all().count() == 1


async def test_address_signs_up_again_and_inherits_nothing(
    ann: Person, bob: Person, client: GraphQLClient, mailbox: Mailbox
) -> None:
    key, foreign = await settled(ann, bob, mailbox)
    stale = await mailed_token(mailbox, ann.email)
    await ann.client.run(DELETE, password=ann.password)

    again = await sign_up(client, mailbox, email=ann.email)

    viewer = (await again.client.run(VIEWER)).root
    assert again.account_id != ann.account_id
    assert (viewer["fleets"]["totalCount"], viewer["invitations"]["totalCount"]) == (0, 0)
    assert [event["kind"] for event in viewer["securityEvents"]["nodes"]] == ["SIGNED_UP"]
    assert await seen_fleet(again, foreign) is None
    (await again.client.run(ACCEPT, token=stale)).expect("InvalidToken")
    for old in (ann.client, ann.client.bearing(key)):
        assert (await old.run(REFRESH)).status == 401


async def test_nothing_in_flight_brings_a_row_back(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    _, foreign = await settled(ann, bob, mailbox)
    inside = next(m for m in (await seen_fleet(bob, foreign))["members"]["nodes"] if m["email"] == ann.email)
    own = (await seen_fleet(bob, foreign))["id"]

    answers = await asyncio.gather(
        ann.client.run(DELETE, password=ann.password),
        ann.client.run(DELETE, password=ann.password),
        *(ann.client.run(ADD_DEVICE, fleetId=own, name="Late") for _ in range(4)),
        *(ann.client.run(CREATE_FLEET, name="Late") for _ in range(4)),
        ann.client.run(REFRESH),
        ann.client.run(CREATE_KEY),
        ann.client.run(REMOVE_MEMBER, id=inside["id"]),
        bob.client.run(REMOVE_MEMBER, id=inside["id"]),
        ann.client.bearing(None).run(LOG_IN, email=ann.email, password=ann.password),
        ann.client.bearing(None).run(LOG_IN, email=ann.email, password="wrong"),
    )

    assert {answer.status for answer in answers} <= {200, 401}
    assert await Account.filter(id=row_id(ann.account_id)).count() == 0
    assert await leftovers(traces_of(row_id(ann.account_id), ann.email)) == []


async def test_owner_and_member_leave_at_once(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    await settled(ann, bob, mailbox)

    answers = await asyncio.gather(
        ann.client.run(DELETE, password=ann.password), bob.client.run(DELETE, password=bob.password)
    )

    for answer in answers:
        answer.expect("AccountDeleted")
    assert await Account.all().count() == await Fleet.all().count() == await Membership.all().count() == 0


async def test_many_devices_go_while_others_are_served(ann: Person, bob: Person) -> None:
    await make_fleet(ann)
    fleet = await Fleet.get()
    await Device.bulk_create(
        [Device(fleet_id=fleet.id, name="D", uuid=f"{n:032x}") for n in range(10_000)], batch_size=2_000
    )
    waits: list[float] = []
    deletion = asyncio.create_task(ann.client.run(DELETE, password=ann.password))

    loop = asyncio.get_running_loop()
    while not deletion.done():
        began = loop.time()
        assert (await bob.client.run(VIEWER)).status == 200
        waits.append(loop.time() - began)

    assert (await deletion).expect("AccountDeleted")["removed"]["devices"] == 10_000
    assert max(waits) < 2
    assert await Device.all().count() == 0
