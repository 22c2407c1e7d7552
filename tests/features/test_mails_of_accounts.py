"""Whose a mail is: it stays with the account that it was written for, whoever has the address later."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from kit.keyring import Keyring
from kit.settings import Settings
from models import OutgoingMail
from process.gateway import Gateway
from tests.features.test_email_changes import ask, confirm, mailed_code
from tests.support.exports import exported
from tests.support.fleets import invite, join, make_fleet, row_id
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import PASSWORD, SIGN_UP, Person, sign_up
from tests.support.places import gateway_with, visitor
from tests.support.resets import request
from tests.support.ways_in import api_key_of, signed_in

DELETE = "mutation ($password: Secret!) { deleteAccount(password: $password) { __typename } }"
OLD, NEW = "ann@example.com", "ann.new@example.org"


async def moved(ann: Person, mailbox: Mailbox) -> GraphQLClient:
    """Ann's account at another address; gives her client."""
    answer = await confirm(ann.client, await mailed_code(ann.client, mailbox, NEW))
    return ann.client.bearing(answer.expect("AccountSecured")["session"]["token"])


async def own_mails(person: Person, keyring: Keyring) -> int:
    """How many mails are counted to an account."""
    return await OutgoingMail.of(row_id(person.account_id), keyring=keyring).count()


@pytest.fixture
def keyring(gateway: Gateway) -> Keyring:
    return Keyring(gateway.settings.secret_keys)


async def test_new_account_at_a_deleted_ones_address_has_none_of_its_mails(
    ann: Person, bob: Person, client: GraphQLClient, mailbox: Mailbox
) -> None:
    await api_key_of(ann)
    await mailbox.mails()
    before = await exported(ann)
    (await ann.client.run(DELETE, password=ann.password)).expect("AccountDeleted")

    again = await sign_up(client, mailbox, email=ann.email)

    assert len(before["mails"]) == 1
    assert (await exported(again))["mails"] == []


async def test_mails_stay_with_the_account_that_moved(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    await api_key_of(ann)
    ann_at_new = await moved(ann, mailbox)
    heir = await sign_up(client, mailbox, email=OLD)
    await api_key_of(heir)
    await mailbox.mails()

    # The notice of the key, the code, the notice of the request, and of the move one to either address.
    assert len((await exported(ann_at_new))["mails"]) == 5
    assert len((await exported(heir))["mails"]) == 1


async def test_deletion_takes_mails_of_the_account_and_of_its_address(
    ann: Person, bob: Person, client: GraphQLClient, mailbox: Mailbox, keyring: Keyring
) -> None:
    await api_key_of(bob)
    await api_key_of(ann)
    await invite(bob, await make_fleet(bob), NEW)
    ann_at_new = await moved(ann, mailbox)
    await ask(ann_at_new, "ann.newest@example.org")
    await mailbox.mails()
    assert await own_mails(ann, keyring) == 7

    (await ann_at_new.run(DELETE, password=ann.password)).expect("AccountDeleted")

    left = await OutgoingMail.all().order_by("id")
    of_bob = set(await OutgoingMail.of(row_id(bob.account_id), keyring=keyring).values_list("id", flat=True))
    at_new = keyring.keyed_digest(NEW, purpose="mail")
    assert await own_mails(ann, keyring) == 0
    # Both sign-ups' codes, Ann's at an address that she has left, and the last mail.
    assert len(of_bob) == 1
    assert [mail.account_digest for mail in left if mail.id not in of_bob] == [None] * 3
    assert [mail.id for mail in left if mail.address_digest == at_new] == [left[-1].id]
    assert "deleted" in (await mailbox.newest(NEW))["subject"]


async def test_mail_to_nothing_but_an_address_is_nobodys(
    ann: Person, bob: Person, client: GraphQLClient, mailbox: Mailbox
) -> None:
    before = await OutgoingMail.all().count()

    await client.run(SIGN_UP, email="eve@example.com", password=PASSWORD)
    await invite(ann, await make_fleet(ann), bob.email)
    await request(client, "nobody@example.com")

    new = await OutgoingMail.all().order_by("id").offset(before).values_list("account_digest", flat=True)
    assert list(new) == [None] * 3


async def test_notice_of_a_known_address_is_its_owners(
    ann: Person, bob: Person, client: GraphQLClient, mailbox: Mailbox, keyring: Keyring
) -> None:
    before = [await own_mails(person, keyring) for person in (ann, bob)]

    await client.run(SIGN_UP, email=bob.email, password=PASSWORD)
    await request(client, bob.email)
    await ask(ann.client, bob.email)
    await ask(ann.client, "fresh@example.org")

    after = [await own_mails(person, keyring) for person in (ann, bob)]
    # Ann is told of both requests, and the code to the fresh address is hers.
    assert [new - old for old, new in zip(before, after, strict=True)] == [3, 3]


async def test_notices_of_a_fleet_are_their_readers(
    ann: Person, bob: Person, mailbox: Mailbox, keyring: Keyring
) -> None:
    fleet_id = await make_fleet(bob)
    await join(bob, fleet_id, ann, mailbox)
    told_of_joining = await own_mails(bob, keyring)

    (await bob.client.run(DELETE, password=bob.password)).expect("AccountDeleted")

    assert told_of_joining == 1
    assert await own_mails(ann, keyring) == 1


class CountingKeyring(Keyring):
    """The real thing, which also counts."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.secret_keys)
        self.digests: Counter[str] = Counter()

    def keyed_digest(self, value: str, *, purpose: str) -> str:
        self.digests[purpose] += 1
        return super().keyed_digest(value, purpose=purpose)


@contextmanager
def counted_digests(gateway: Gateway) -> Iterator[Counter[str]]:
    """How many keyed digests mails take meanwhile, by purpose."""
    services: Any = gateway._services
    keyring = CountingKeyring(gateway.settings)
    gateway._services = replace(services, keyring=keyring)
    mails: Counter[str] = Counter()
    try:
        yield mails
    finally:
        gateway._services = services
        mails.update({purpose: count for purpose, count in keyring.digests.items() if purpose.startswith("mail")})


async def test_mail_to_an_unknown_address_costs_as_many_digests(
    ann: Person, bob: Person, gateway: Gateway, client: GraphQLClient
) -> None:
    async def work(email: str) -> list[Counter[str]]:
        counted = []
        for step in (
            client.run(SIGN_UP, email=email, password=PASSWORD),
            request(client, email),
            ask(ann.client, email),
        ):
            with counted_digests(gateway) as digests:
                await step
            counted.append(digests)
        return counted

    known, unknown = await work(bob.email), await work("nobody@example.com")

    assert known == unknown
    assert [counter.total() for counter in known] == [2, 2, 4]


async def test_mails_under_a_former_secret_key_are_found(settings: Settings) -> None:
    async with gateway_with(settings) as gateway:
        guest = visitor(gateway)
        ann = await sign_up(guest, Mailbox(guest.http))
        await api_key_of(ann)

    async with gateway_with(settings, secret_keys=(b"n" * 31 + b"!", *settings.secret_keys)) as gateway:
        again = await signed_in(visitor(gateway), ann.email, ann.password)
        mails = (await exported(again))["mails"]
        (await again.run(DELETE, password=ann.password)).expect("AccountDeleted")
        left = await OutgoingMail.all().count()

    assert (len(mails), left) == (1, 1)
