"""Which passwords there may be, and how they rest: PW-1 to PW-3."""

import asyncio
import re

import pytest

from kit.settings import Settings
from models import Account, PendingSignUp
from process.gateway import Gateway
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import SIGN_UP, Person, sign_up
from tests.support.places import gateway_with, visitor
from tests.support.sign_in import STEP_UP, sign_in_again, try_password

EMAIL = "margaret.hamilton@apollo.example.com"
COMMON = ["password", "12345678", "qwertyuiop", "iloveyou", "sunshine", "Password1", "PASSWORD", "baseball1"]
CONTEXT = [
    "gatehouse2026!",
    "Gatehouse!!",
    "g4teh0use",
    "margaret.hamilton",
    "Hamilton1",
    "margaret2026!",
    "margaret.hamilton@apollo.example.com",
    "apollo123!",
]
PHC = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")


async def reason(client: GraphQLClient, password: str) -> str:
    answer = (await client.run(SIGN_UP, email=EMAIL, password=password)).expect("InvalidInput")
    (problem,) = answer["fields"]
    assert problem["path"] == "input.password"
    assert await PendingSignUp.all().count() == 0
    return str(problem["reason"])


@pytest.mark.parametrize("length", [8, 14, 15, 64, 72, 73, 256])
async def test_password_of_any_allowed_length_signs_in(client: GraphQLClient, mailbox: Mailbox, length: int) -> None:
    password = ("vw kq zj " * 30)[: length - 1] + "x"
    person = await sign_up(client, mailbox, email=EMAIL, password=password)

    (await try_password(client, person.email, password)).expect("SessionStarted")
    (await try_password(client, person.email, password[:-1] + "y")).expect("InvalidCredentials")


@pytest.mark.parametrize("password", ["", "1234567", "\U0001f512" * 7])
async def test_short_password_is_refused_with_the_length_to_have(client: GraphQLClient, password: str) -> None:
    told = await reason(client, password)

    assert "8" in told
    assert "15" in told


async def test_long_password_is_refused_and_never_cut(client: GraphQLClient) -> None:
    assert "256" in await reason(client, "x" * 257)
    assert "256" in await reason(client, "\U0001f512" * 257)


@pytest.mark.parametrize("place", [72, 99])
async def test_long_passwords_that_differ_late_are_different(
    client: GraphQLClient, mailbox: Mailbox, place: int
) -> None:
    password = "correct horse battery staple " * 4
    other = password[:place] + "#" + password[place + 1 :]
    person = await sign_up(client, mailbox, email=EMAIL, password=password)

    (await try_password(client, person.email, other)).expect("InvalidCredentials")
    (await try_password(client, person.email, password)).expect("SessionStarted")


@pytest.mark.parametrize(
    "password", ["  two blanks  around  ", "\U0001f511\U0001f6aa" * 4, "пароль на воротах", "        "]
)
async def test_blanks_and_every_script_are_welcome(client: GraphQLClient, mailbox: Mailbox, password: str) -> None:
    person = await sign_up(client, mailbox, email=EMAIL, password=password)

    (await try_password(client, person.email, password)).expect("SessionStarted")
    (await try_password(client, person.email, password.strip() + "-")).expect("InvalidCredentials")


@pytest.mark.parametrize("password", COMMON)
async def test_common_password_is_refused_with_the_reason(client: GraphQLClient, password: str) -> None:
    assert "common" in await reason(client, password)


@pytest.mark.parametrize("password", CONTEXT)
async def test_word_of_the_context_is_refused_with_the_reason(client: GraphQLClient, password: str) -> None:
    assert "name of this service or your address" in await reason(client, password)


async def test_password_rests_as_argon2id_with_a_salt_of_its_own(
    settings: Settings, client: GraphQLClient, mailbox: Mailbox
) -> None:
    for name in ("one", "two"):
        await sign_up(client, mailbox, email=f"{name}@example.com")

    found = [PHC.fullmatch(account.password_hash or "") for account in await Account.all()]
    assert [match[1] for match in found if match] == [str(settings.argon2_memory_kib)] * 2
    assert len({match[4] for match in found if match}) == 2


def test_default_costs_are_among_those_that_the_standard_asks_for() -> None:
    settings = Settings()

    assert (settings.argon2_time_cost, settings.argon2_memory_kib, settings.argon2_parallelism) == (2, 19_456, 1)


async def test_raised_costs_hash_anew_at_the_next_good_sign_in(settings: Settings) -> None:
    async with gateway_with(settings) as gateway:
        ann = await sign_up(visitor(gateway), Mailbox(visitor(gateway).http))
        before = (await Account.get()).password_hash
    async with gateway_with(settings, argon2_memory_kib=128, argon2_time_cost=2) as raised:
        guest = visitor(raised)
        (await try_password(guest, ann.email, "a wrong passphrase")).expect("InvalidCredentials")
        after_a_wrong_one = (await Account.get()).password_hash
        (await try_password(guest, ann.email, ann.password)).expect("SessionStarted")
        renewed = (await Account.get()).password_hash
        (await try_password(guest, ann.email, ann.password)).expect("SessionStarted")
        kept = (await Account.get()).password_hash

    assert after_a_wrong_one == before
    assert (renewed or "").startswith("$argon2id$v=19$m=128,t=2,p=1$")
    assert kept == renewed


async def test_right_password_is_right_while_its_hash_is_renewed(settings: Settings) -> None:
    async with gateway_with(settings) as gateway:
        person = await sign_up(visitor(gateway), Mailbox(visitor(gateway).http))
        former = (await Account.get()).password_hash
    async with gateway_with(settings, argon2_memory_kib=settings.argon2_memory_kib * 2) as gateway:
        guest = visitor(gateway)
        session = guest.bearing(person.token)
        answers = await asyncio.gather(
            *(try_password(guest, person.email, person.password) for _ in range(4)),
            *(session.run(STEP_UP, password=person.password) for _ in range(4)),
        )
        account = await Account.get()

    assert [answer.root["__typename"] for answer in answers] == ["SessionStarted"] * 8
    assert account.password_hash != former


@pytest.mark.parametrize("password", ["a long enough\u0000passphrase", "\ud800" * 9, "line\nbreaks here", "x" * 257])
async def test_text_that_no_password_can_be_is_told_and_not_counted(
    gateway: Gateway, ann: Person, password: str
) -> None:
    guest = visitor(gateway)
    told = [await try_password(guest, ann.email, password) for _ in range(11)]
    stepped = await ann.client.run(STEP_UP, password=password)

    paths = {answer.expect("InvalidInput")["fields"][0]["path"] for answer in (*told, stepped)}
    assert paths == {"input.password"}
    (await try_password(guest, ann.email, ann.password)).expect("SessionStarted")


async def test_two_keyboards_type_one_password(client: GraphQLClient, mailbox: Mailbox) -> None:
    person = await sign_up(client, mailbox, email=EMAIL, password="passphrase with caf\u00e9")

    (await try_password(client, person.email, "passphrase with cafe\u0301")).expect("SessionStarted")
    assert (await sign_in_again(person)).token
