"""Signing up: SU-1 to SU-4, the code's tries and lifetime, and the bounds on mails and requests."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from kit import clock
from models import Account, PendingSignUp, SecurityEvent
from process.gateway import Gateway
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox, code_in
from tests.support.people import COMPLETE_SIGN_UP, PASSWORD, SIGN_UP, Person
from tests.support.places import visitor
from tests.support.sign_in import try_password
from tests.support.stored import stored
from tests.support.work import counted_work

EMAIL = "eve@example.com"

ODD_CODES = [
    "", "12345", "1234567", "abcdef", "12345\u0000", "\ud800", "\u0661\u0662\u0663\u0664\u0665\u0666", "0" * 10_000,
]  # fmt: skip


async def begin(client: GraphQLClient, email: str = EMAIL, password: str = PASSWORD) -> dict[str, Any]:
    return (await client.run(SIGN_UP, email=email, password=password)).expect("SignUpStarted")


async def test_address_and_password_become_an_account_with_the_mailed_code(
    client: GraphQLClient, mailbox: Mailbox
) -> None:
    started = await begin(client, " Eve@Example.COM ")
    code = await mailbox.code("Eve@Example.COM")
    before = await stored()
    session = (await client.run(COMPLETE_SIGN_UP, token=started["signUpToken"], code=code)).expect("SessionStarted")

    account = await Account.get()
    (event,) = await SecurityEvent.all()
    assert started["email"] == session["account"]["email"] == "Eve@Example.COM"
    assert before["Account"] == before["SecurityEvent"] == 0
    assert account.email_canonical == "eve@example.com"
    assert account.password_hash is not None
    assert account.password_hash.startswith("$argon2id$")
    assert (event.kind, event.ip_address) == ("SIGNED_UP", "198.51.100.7")
    assert await PendingSignUp.all().count() == 0


async def test_taken_address_is_answered_like_a_fresh_one(ann: Person, client: GraphQLClient) -> None:
    taken = await client.run(SIGN_UP, email="ANN@example.com", password=PASSWORD)
    fresh = await client.run(SIGN_UP, email="EVE@example.com", password=PASSWORD)

    alike = [{**answer.response.headers, "x-request-id": None} for answer in (taken, fresh)]
    assert alike[0] == alike[1]
    assert len(taken.response.content) == len(fresh.response.content)
    assert taken.expect("SignUpStarted").keys() == fresh.expect("SignUpStarted").keys()


async def test_taken_address_costs_the_same_work(ann: Person, gateway: Gateway, client: GraphQLClient) -> None:
    with counted_work(gateway) as taken:
        await begin(client, "ann@example.com")
    with counted_work(gateway) as fresh:
        await begin(client, "eve@example.com")

    # The sender is at work meanwhile, and as much for the one as for the other.
    assert taken.without("outgoing_mails") == fresh.without("outgoing_mails")
    assert taken.hashes == 1


async def test_mail_tells_the_owner_of_a_taken_address(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    started = await begin(client, "Ann@Example.com", "somebody else's passphrase")
    mail = (await mailbox.mails())[0]
    tried = [(await complete(client, started, f"{number:06d}")).root["__typename"] for number in range(6)]

    assert mail["to"] == "ann@example.com"
    assert "already" in mail["subject"]
    assert "198.51.100.7" in mail["text"]
    assert tried == ["InvalidCode"] * 5 + ["TooManyAttempts"]
    assert await Account.all().count() == 1
    assert (await try_password(client, ann.email, "somebody else's passphrase")).expect("InvalidCredentials")
    assert (await try_password(client, ann.email, ann.password)).expect("SessionStarted")


async def complete(client: GraphQLClient, started: dict[str, Any], code: str) -> Any:
    return await client.run(COMPLETE_SIGN_UP, token=started["signUpToken"], code=code)


async def test_code_is_wrong_five_times_and_then_right_no_more(client: GraphQLClient, mailbox: Mailbox) -> None:
    started = await begin(client)
    code = await mailbox.code(EMAIL)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    refused = [await complete(client, started, wrong) for _ in range(5)]
    after = await complete(client, started, code)

    assert [answer.expect("InvalidCode")["code"] for answer in refused] == ["INVALID_CODE"] * 5
    assert 0 < after.expect("TooManyAttempts")["retryAfterSeconds"] <= 900
    assert await Account.all().count() == 0
    assert await SecurityEvent.all().count() == 0


async def test_guesses_that_arrive_together_get_no_more_than_five_tries(
    client: GraphQLClient, mailbox: Mailbox
) -> None:
    started = await begin(client)
    code = int(await mailbox.code(EMAIL))
    guesses = [f"{(code + offset) % 1_000_000:06d}" for offset in range(1, 31)]

    answers = await asyncio.gather(*(complete(client, started, guess) for guess in guesses))

    assert sorted(answer.root["__typename"] for answer in answers) == ["InvalidCode"] * 5 + ["TooManyAttempts"] * 25


@pytest.mark.parametrize(("seconds", "answered"), [(899, "SessionStarted"), (900, "InvalidToken")])
async def test_code_works_for_fifteen_minutes(
    client: GraphQLClient, mailbox: Mailbox, seconds: int, answered: str
) -> None:
    started = await begin(client)
    code = await mailbox.code(EMAIL)
    clock.shift(timedelta(seconds=seconds))

    (await complete(client, started, code)).expect(answered)

    assert await Account.all().count() == (answered == "SessionStarted")


async def test_sign_up_is_completed_once(client: GraphQLClient, mailbox: Mailbox) -> None:
    started = await begin(client)
    code = await mailbox.code(EMAIL)

    answers = await asyncio.gather(*(complete(client, started, code) for _ in range(5)))
    again = await complete(client, started, code)

    assert sorted(answer.root["__typename"] for answer in answers) == ["InvalidToken"] * 4 + ["SessionStarted"]
    again.expect("InvalidToken")
    assert await Account.all().count() == await SecurityEvent.all().count() == 1


@pytest.mark.parametrize("token", ["", "signup_", "signup_" + "x" * 32, "\u0000", "\ud800", "x" * 30_000])
async def test_token_that_is_none_opens_nothing(client: GraphQLClient, mailbox: Mailbox, token: str) -> None:
    await begin(client)
    code = await mailbox.code(EMAIL)

    answer = await client.run(COMPLETE_SIGN_UP, token=token, code=code)

    answer.expect("InvalidToken")
    assert await Account.all().count() == 0
    assert (await PendingSignUp.get()).tries == 0


@pytest.mark.parametrize("code", ODD_CODES)
async def test_odd_code_is_a_wrong_one(client: GraphQLClient, code: str) -> None:
    started = await begin(client)

    (await complete(client, started, code)).expect("InvalidCode")

    assert await Account.all().count() == 0


async def test_code_of_another_sign_up_is_wrong(client: GraphQLClient, mailbox: Mailbox) -> None:
    own = await begin(client, "mallory@example.com")
    await begin(client, EMAIL)
    foreign_code = await mailbox.code(EMAIL)
    if foreign_code == await mailbox.code("mallory@example.com"):
        foreign_code = f"{(int(foreign_code) + 1) % 1_000_000:06d}"

    (await complete(client, own, foreign_code)).expect("InvalidCode")

    assert await Account.all().count() == 0


async def test_thirty_sign_ups_at_once_make_one_account(
    gateway: Gateway, client: GraphQLClient, mailbox: Mailbox
) -> None:
    passwords = [f"passphrase number {number}" for number in range(30)]
    started = await asyncio.gather(*(begin(client, EMAIL, password) for password in passwords))
    codes = [code_in(mail["text"]) for mail in await mailbox.mails(EMAIL)]

    # Nobody can tell which code is whose: each sign-up tries each code that the owner of the address was sent.
    answers = []
    for code in codes:
        answers += await asyncio.gather(*(complete(client, one, code) for one in started))

    (account,) = await Account.all()
    services: Any = gateway._services
    fitting = [one for one in passwords if (await services.passwords.verify(account.password_hash, one)).matches]
    assert len(codes) == 5
    assert [answer.root["__typename"] for answer in answers].count("SessionStarted") == 1
    assert len(fitting) == 1
    assert await SecurityEvent.all().count() == 1
    assert await PendingSignUp.all().count() == 0


async def test_owners_of_codes_who_finish_together_make_one_account(client: GraphQLClient, mailbox: Mailbox) -> None:
    codes, started = [], []
    for _ in range(5):
        started.append(await begin(client))
        codes.append(await mailbox.code(EMAIL))

    answers = await asyncio.gather(*(complete(client, *pair) for pair in zip(started, codes, strict=True)))

    assert sorted(answer.root["__typename"] for answer in answers) == ["InvalidToken"] * 4 + ["SessionStarted"]
    assert await Account.all().count() == await SecurityEvent.all().count() == 1


async def test_sixth_mail_of_a_day_stays_away_in_silence(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    fresh = [await client.run(SIGN_UP, email=EMAIL, password=PASSWORD) for _ in range(7)]
    taken = [await client.run(SIGN_UP, email=ann.email, password=PASSWORD) for _ in range(7)]
    mails = [len(await mailbox.mails(to)) for to in (EMAIL, ann.email)]
    clock.shift(timedelta(days=1, seconds=1))
    await begin(client)

    answered = {answer.expect("SignUpStarted")["email"] for answer in fresh + taken}
    assert answered == {EMAIL, ann.email}
    assert len({len(answer.response.content) for answer in fresh + taken}) == 1
    # Ann's own sign-up was the first of her five.
    assert mails == [5, 5]
    assert len(await mailbox.mails(EMAIL)) == 6


async def test_client_may_sign_up_sixty_times_an_hour(gateway: Gateway) -> None:
    client = visitor(gateway)
    started = await asyncio.gather(
        *(client.run(SIGN_UP, email=f"{number}@example.com", password=PASSWORD) for number in range(60))
    )
    before = await stored()
    refused = await client.run(SIGN_UP, email=EMAIL, password=PASSWORD)
    elsewhere = await visitor(gateway, "192.0.2.9").run(SIGN_UP, email="other@example.com", password=PASSWORD)

    assert {answer.root["__typename"] for answer in started} == {"SignUpStarted"}
    assert 0 < refused.expect("TooManyAttempts")["retryAfterSeconds"] <= 3600
    assert before["PendingSignUp"] == 60
    elsewhere.expect("SignUpStarted")
    assert await PendingSignUp.all().count() == 61


@pytest.mark.parametrize("twin", ["ANN@EXAMPLE.COM", " ann@example.com "])
async def test_spellings_of_one_address_are_one_account(
    ann: Person, client: GraphQLClient, mailbox: Mailbox, twin: str
) -> None:
    await begin(client, twin)

    # To the address as it was signed up with, never to the one that was typed just now.
    assert [mail["to"] for mail in await mailbox.mails()] == [ann.email, ann.email]
    assert await Account.all().count() == 1
