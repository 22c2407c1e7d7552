"""Guessing passwords: TH-1 to TH-8."""

import asyncio
from datetime import timedelta
from functools import partial
from ipaddress import ip_network

import pytest
from structlog.testing import capture_logs

from kit import clock
from kit.settings import Settings
from models import Account, SecurityEvent
from process.gateway import Gateway
from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import SIGN_UP, Person, sign_up
from tests.support.places import ELSEWHERE, gateway_with, visitor
from tests.support.sign_in import STEP_UP, try_password
from tests.support.waiting import eventually
from tests.support.work import Work, counted_work

WRONG = "not the right passphrase"


async def guess(client: GraphQLClient, email: str, times: int) -> list[str]:
    """Wrong passwords, one after the other; returns how each was answered."""
    return [(await try_password(client, email, WRONG)).root["__typename"] for _ in range(times)]


async def test_eleventh_wrong_password_is_refused_with_waits_that_grow(gateway: Gateway, ann: Person) -> None:
    stranger = visitor(gateway)
    tries = await guess(stranger, ann.email, 10)
    waits = [
        (await try_password(stranger, ann.email, WRONG)).expect("TooManyAttempts")["retryAfterSeconds"]
        for _ in range(4)
    ]

    assert tries == ["InvalidCredentials"] * 10
    assert 0 < waits[0] <= 300
    assert waits == sorted(waits)
    assert waits[-1] > waits[0]


async def test_right_password_is_refused_too_and_nothing_is_locked_for_good(gateway: Gateway, ann: Person) -> None:
    stranger = visitor(gateway)
    await guess(stranger, ann.email, 10)
    refused = (await try_password(stranger, ann.email, ann.password)).expect("TooManyAttempts")
    signed_in = await SecurityEvent.filter(kind="SIGNED_IN").count()
    clock.shift(timedelta(seconds=refused["retryAfterSeconds"] + 1))

    (await try_password(stranger, ann.email, ann.password)).expect("SessionStarted")

    assert signed_in == 0


async def test_hammering_for_hours_makes_nobody_wait_more_than_an_hour(gateway: Gateway, ann: Person) -> None:
    stranger = visitor(gateway)
    await guess(stranger, ann.email, 80)

    wait = (await try_password(stranger, ann.email, WRONG)).expect("TooManyAttempts")["retryAfterSeconds"]

    assert wait <= 3600


async def test_every_spelling_of_the_address_is_one_count(gateway: Gateway, ann: Person) -> None:
    stranger = visitor(gateway)
    spellings = [ann.email.upper(), ann.email.title(), f" {ann.email}", "ann@EXAMPLE.com", ann.email] * 2

    tries = [(await guess(stranger, spelling, 1))[0] for spelling in spellings]

    assert tries == ["InvalidCredentials"] * 10
    assert await guess(stranger, "aNN@example.com", 1) == ["TooManyAttempts"]


async def test_addresses_of_a_botnet_share_the_accounts_count(gateway: Gateway, ann: Person) -> None:
    tries = [(await guess(visitor(gateway, f"203.0.113.{host}"), ann.email, 1))[0] for host in range(12)]

    assert tries == ["InvalidCredentials"] * 10 + ["TooManyAttempts"] * 2


async def test_owner_gets_in_from_a_known_address_while_a_stranger_hammers(
    gateway: Gateway, ann: Person, client: GraphQLClient
) -> None:
    stranger = visitor(gateway)
    await guess(stranger, ann.email, 30)

    (await try_password(client, ann.email, ann.password)).expect("SessionStarted")

    # Her coming in is no relief for the stranger.
    assert await guess(stranger, ann.email, 1) == ["TooManyAttempts"]


async def test_known_address_has_a_bound_of_its_own(ann: Person, bob: Person, client: GraphQLClient) -> None:
    tries = await guess(client, ann.email, 11)

    assert tries == ["InvalidCredentials"] * 10 + ["TooManyAttempts"]
    (await try_password(client, bob.email, bob.password)).expect("SessionStarted")


async def test_address_is_known_for_thirty_days(gateway: Gateway, ann: Person, client: GraphQLClient) -> None:
    clock.shift(timedelta(days=30, seconds=1))
    await guess(visitor(gateway), ann.email, 10)

    (await try_password(client, ann.email, ann.password)).expect("TooManyAttempts")


async def test_sign_in_that_works_clears_only_its_own_address(gateway: Gateway, ann: Person) -> None:
    here, there = visitor(gateway, "203.0.113.1"), visitor(gateway, "203.0.113.2")
    await guess(here, ann.email, 4)
    await guess(there, ann.email, 5)
    (await try_password(there, ann.email, ann.password)).expect("SessionStarted")

    # Four are left counted: six more make ten.
    assert await guess(here, ann.email, 7) == ["InvalidCredentials"] * 6 + ["TooManyAttempts"]


async def test_own_account_is_no_way_to_forget_guesses_at_others(gateway: Gateway, ann: Person, bob: Person) -> None:
    stranger = visitor(gateway)
    tries = []
    for _ in range(4):
        tries += await guess(stranger, ann.email, 3)
        await try_password(stranger, bob.email, bob.password)

    assert tries == ["InvalidCredentials"] * 10 + ["TooManyAttempts"] * 2


async def test_client_may_be_wrong_a_hundred_times_whoever_it_tries(gateway: Gateway, ann: Person) -> None:
    stranger = visitor(gateway)
    tries = [(await guess(stranger, f"{number // 5}@example.com", 1))[0] for number in range(100)]

    assert tries == ["InvalidCredentials"] * 100
    (await try_password(stranger, ann.email, ann.password)).expect("TooManyAttempts")
    (await try_password(visitor(gateway, "192.0.2.1"), ann.email, ann.password)).expect("SessionStarted")


@pytest.mark.parametrize("known", [True, False])
async def test_burst_of_guesses_hashes_no_more_than_ten(gateway: Gateway, ann: Person, known: bool) -> None:
    email = ann.email if known else "nobody@example.com"
    guessers = [visitor(gateway, f"203.0.113.{number}") for number in range(60)]

    with counted_work(gateway) as work:
        answers = await asyncio.gather(*(try_password(guesser, email, WRONG) for guesser in guessers))
    after = await try_password(visitor(gateway), email, ann.password)

    kinds = sorted(answer.root["__typename"] for answer in answers)
    assert kinds == ["InvalidCredentials"] * 10 + ["TooManyAttempts"] * 50
    assert work.hashes == 10
    after.expect("TooManyAttempts")


async def test_right_password_hidden_in_a_burst_past_the_limit_is_not_looked_at(gateway: Gateway, ann: Person) -> None:
    stranger = visitor(gateway)
    await guess(stranger, ann.email, 10)
    passwords = [WRONG] * 30 + [ann.password] + [WRONG] * 29

    with counted_work(gateway) as work:
        answers = await asyncio.gather(*(try_password(stranger, ann.email, password) for password in passwords))

    assert [answer.root["__typename"] for answer in answers] == ["TooManyAttempts"] * 60
    assert work.hashes == 0
    assert await SecurityEvent.filter(kind="SIGNED_IN").count() == 0


async def test_side_door_shares_the_count(ann: Person, client: GraphQLClient) -> None:
    stepping = [(await ann.client.run(STEP_UP, password=WRONG)).root["__typename"] for _ in range(6)]
    knocking = await guess(client, ann.email, 5)
    right = await ann.client.run(STEP_UP, password=ann.password)

    assert stepping + knocking == ["InvalidCredentials"] * 10 + ["TooManyAttempts"]
    right.expect("TooManyAttempts")


async def test_front_door_burns_the_side_door(gateway: Gateway, ann: Person) -> None:
    stranger = visitor(gateway)
    thief = stranger.bearing(ann.token)
    await guess(stranger, ann.email, 10)

    (await thief.run(STEP_UP, password=ann.password)).expect("TooManyAttempts")
    # The owner, from where she signed in, still can.
    (await ann.client.run(STEP_UP, password=ann.password)).expect("SessionStarted")


async def test_known_and_unknown_right_and_wrong_look_the_same_while_refused(gateway: Gateway, ann: Person) -> None:
    known, unknown = visitor(gateway, "203.0.113.1"), visitor(gateway, "203.0.113.2")
    moment = clock.now()
    tries = [await guess(known, ann.email, 10), await guess(unknown, "nobody@example.com", 10)]
    clock.shift(moment - clock.now() + timedelta(seconds=10))

    answers = [
        await try_password(known, ann.email, ann.password),
        await try_password(unknown, "nobody@example.com", ann.password),
        await try_password(known, ann.email, WRONG),
        await try_password(unknown, "nobody@example.com", WRONG),
    ]

    assert tries[0] == tries[1]
    told = [{**answer.expect("TooManyAttempts"), "retryAfterSeconds": None} for answer in answers]
    assert told == [told[0]] * 4
    assert len({tuple(answer.response.headers.keys()) for answer in answers}) == 1
    waits = [answer.root["retryAfterSeconds"] for answer in answers]
    assert abs(waits[0] - waits[1]) <= 1
    assert abs(waits[2] - waits[3]) <= 1


async def test_all_who_fail_fail_alike_and_at_the_same_cost(
    gateway: Gateway, ann: Person, bob: Person, client: GraphQLClient, mailbox: Mailbox
) -> None:
    gone = await sign_up(client, mailbox, email="gone@example.com")
    await Account.filter(email=gone.email).delete()
    await Account.filter(email=bob.email).update(password_hash=None)
    await client.run(SIGN_UP, email="pending@example.com", password=gone.password)
    addresses = [ann.email, bob.email, "pending@example.com", gone.email, "nobody@example.com"]
    stranger = visitor(gateway)

    answers: list[Answer] = []
    works: list[Work] = []
    for address in addresses:
        with counted_work(gateway) as work:
            answers.append(await try_password(stranger, address, WRONG if address == ann.email else gone.password))
            # The failure is written, and streams are told of it, behind the answer.
            await eventually(partial(has_failure, work))
        works.append(work.without("security_events", "nobodys_events", "pg_notify", "outgoing_mails"))

    assert {answer.response.content for answer in answers} == {answers[0].response.content}
    answers[0].expect("InvalidCredentials")
    assert [work.hashes for work in works] == [1] * 5
    assert works == [works[0]] * 5


def has_failure(work: Work) -> bool:
    """Whether an event was written: for an account, or for an address without one, which holds up others as much."""
    tables = ('INSERT INTO "security_events"', 'INSERT INTO "nobodys_events"')
    return any(text.startswith(tables) for text in work.statements)


async def test_headers_of_a_client_move_nobody(gateway: Gateway, ann: Person) -> None:
    stranger = visitor(gateway)
    told = []
    for number in range(101):
        spoofed = {
            "x-forwarded-for": f"192.0.2.{number}",
            "forwarded": f"for=192.0.2.{number}",
            "x-real-ip": f"192.0.2.{number}",
            "true-client-ip": f"192.0.2.{number}",
        }
        answer = await try_password(stranger, f"{number}@example.com", WRONG, headers=spoofed)
        told.append(answer.root["__typename"])

    assert told == ["InvalidCredentials"] * 100 + ["TooManyAttempts"]


async def test_trusted_proxy_names_the_client_and_nobody_behind_it_does(settings: Settings) -> None:
    async with gateway_with(settings, trusted_proxies=(ip_network("10.0.0.0/8"),)) as gateway:
        proxy = visitor(gateway, "10.0.0.1")
        ann = await sign_up(proxy, Mailbox(proxy.http))
        told = []
        for number in range(11):
            # The attacker writes the left part, the proxy adds the right one.
            forged = {"x-forwarded-for": f"192.0.2.{number}, {ELSEWHERE}"}
            answer = await try_password(proxy, ann.email, WRONG, headers=forged)
            told.append(answer.root["__typename"])

        (event,) = {(event.kind, event.ip_address) for event in await SecurityEvent.filter(kind="SIGN_IN_FAILED")}
    assert told == ["InvalidCredentials"] * 10 + ["TooManyAttempts"]
    assert event == ("SIGN_IN_FAILED", ELSEWHERE)


async def test_neighbours_in_an_ipv6_network_are_one_client(gateway: Gateway) -> None:
    told = [
        (await guess(visitor(gateway, f"2001:db8:1:2::{number:x}"), f"{number}@example.com", 1))[0]
        for number in range(101)
    ]

    assert told == ["InvalidCredentials"] * 100 + ["TooManyAttempts"]
    assert await guess(visitor(gateway, "2001:db8:1:3::1"), "next@example.com", 1) == ["InvalidCredentials"]


async def test_known_ipv6_network_stays_known(gateway: Gateway) -> None:
    home = visitor(gateway, "2001:db8:7:7::1")
    ann = await sign_up(home, Mailbox(home.http))
    await guess(visitor(gateway), ann.email, 10)

    (await try_password(visitor(gateway, "2001:db8:7:7:ffff::2"), ann.email, ann.password)).expect("SessionStarted")


async def test_refused_tries_stand_in_the_log_without_the_address(gateway: Gateway, ann: Person) -> None:
    with capture_logs() as said:
        await guess(visitor(gateway), ann.email, 11)

    (line,) = [line for line in said if line["event"] == "throttled"]
    assert line["limits"] == ["password_client", "password_account"]
    assert 0 < line["seconds"] <= 300
    assert ann.email not in str(line)
