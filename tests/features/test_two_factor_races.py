"""Real races: twenty requests released together. Limits are off where they would let only five of them through."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from kit.settings import Settings
from models import TotpDevice
from tests.support.authenticator import STEP, Authenticator
from tests.support.gateway_process import running_gateway
from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import Person, sign_up
from tests.support.two_factor import (
    BEGIN,
    CONFIRM,
    STATUS,
    GuardedPerson,
    guarded,
    kinds,
    pair,
)

CROWD = 20


@pytest.fixture
def limits() -> bool:
    """Whether tries are limited."""
    return False


@pytest.fixture
def settings(settings: Settings, limits: bool) -> Settings:
    """Development."""
    return settings.model_copy(update={"rate_limits": limits})


def outcomes(answers: list[Answer]) -> Counter[str]:
    """How often each kind of answer came; none of them may be a failure of the server."""
    assert {answer.status for answer in answers} <= {200, 401}
    return Counter(answer.root["__typename"] if answer.status == 200 else "401" for answer in answers)


async def all_at_once(guard: GuardedPerson, tickets: list[str], **proof: Any) -> Counter[str]:
    """Take the second step with every ticket at the same moment."""
    return outcomes(await asyncio.gather(*(guard.complete(ticket=ticket, **proof) for ticket in tickets)))


async def test_one_code_opens_one_session_over_many_tickets(guard: GuardedPerson) -> None:
    tickets = [await guard.ticket() for _ in range(CROWD)]

    answers = await all_at_once(guard, tickets, code=guard.phone.next_code())

    assert answers == {"SessionStarted": 1, "InvalidCode": CROWD - 1}
    assert kinds((await guard.person.client.run(STATUS)).root).count("SIGNED_IN") == 1


async def test_one_recovery_code_opens_one_session_over_many_tickets(guard: GuardedPerson, mailbox: Mailbox) -> None:
    tickets = [await guard.ticket() for _ in range(CROWD)]

    answers = await all_at_once(guard, tickets, recoveryCode=guard.recovery_codes[0])

    status = (await guard.person.client.run(STATUS)).root
    assert answers == {"SessionStarted": 1, "InvalidCode": CROWD - 1}
    assert status["twoFactor"]["recoveryCodesRemaining"] == 9
    assert kinds(status).count("RECOVERY_CODE_USED") == 1
    assert len([mail for mail in await mailbox.mails() if "was used" in mail["subject"]]) == 1


async def test_one_ticket_opens_one_session_and_burns_no_other_code(guard: GuardedPerson) -> None:
    ticket = await guard.ticket()
    tries = [guard.complete(ticket=ticket, recoveryCode=code) for code in guard.recovery_codes]

    answers = outcomes(await asyncio.gather(*tries))

    assert answers == {"SessionStarted": 1, "InvalidToken": 9}
    assert (await guard.person.client.run(STATUS)).root["twoFactor"]["recoveryCodesRemaining"] == 9


async def test_one_pairing_is_confirmed_once(ann: Person) -> None:
    phone = await pair(ann)
    code = phone.code()

    answers = await asyncio.gather(*(ann.client.run(CONFIRM, code=code) for _ in range(CROWD)))

    (confirmed,) = [answer for answer in answers if b"TwoFactorEnabled" in answer.response.content]
    guard = guarded(ann, phone, confirmed)
    assert all(answer.status in {200, 401} for answer in answers)
    (await guard.complete(recoveryCode=guard.recovery_codes[9])).expect("SessionStarted")
    assert kinds((await guard.person.client.run(STATUS)).root).count("TWO_FACTOR_ENABLED") == 1


async def test_one_step_is_accepted_once_also_without_a_lock_around_it(guard: GuardedPerson) -> None:
    device = await TotpDevice.get()
    step = (device.last_step or 0) + 1

    won = await asyncio.gather(*(device.accept(step) for _ in range(CROWD)))

    assert won.count(True) == 1
    assert not await device.accept(step - 1)


@pytest.mark.parametrize("limits", [True])
async def test_burst_of_guesses_gets_no_more_than_five_looks(guard: GuardedPerson) -> None:
    tickets = [await guard.ticket() for _ in range(CROWD)]
    wrong = guard.phone.code(-30)

    answers = await all_at_once(guard, tickets, code=wrong)
    right = await guard.complete(code=guard.phone.next_code())

    assert answers == {"InvalidCode": 5, "TooManyAttempts": CROWD - 5}
    right.expect("TooManyAttempts")


@pytest.mark.parametrize("limits", [True])
async def test_one_ticket_gets_no_more_than_five_looks(guard: GuardedPerson) -> None:
    ticket = await guard.ticket()

    answers = await all_at_once(guard, [ticket] * CROWD, code=guard.phone.code(-30))

    assert answers == {"InvalidCode": 5, "TooManyAttempts": CROWD - 5}


@pytest.fixture
async def workers(database_url: str, tmp_path: Path) -> AsyncIterator[GraphQLClient]:
    """Three processes on one database, behind one port."""
    environment = {
        "GATEHOUSE_DATABASE_URL": database_url,
        "GATEHOUSE_WORKERS": "3",
        "GATEHOUSE_RATE_LIMITS": "off",
        "GATEHOUSE_ARGON2_MEMORY_KIB": "64",
        "GATEHOUSE_ARGON2_TIME_COST": "1",
    }
    with running_gateway(tmp_path, environment) as gateway:
        # No connection is kept, so that the kernel spreads the requests over the processes.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=gateway.base_url, limits=limits, timeout=20) as http:
            yield GraphQLClient(http)


async def enable_elsewhere(person: Person) -> GuardedPerson:
    """Pair with the code of the former step, so that the present one is still unspent: no clock moves over there."""
    pairing = (await person.client.run(BEGIN)).expect("TwoFactorPairing")
    phone = Authenticator.scanning(pairing["qrSvg"])
    confirmed = await person.client.run(CONFIRM, code=phone.code_at(datetime.now(UTC) - STEP))
    if confirmed.root["__typename"] == "InvalidCode":
        # A step had just ended.
        confirmed = await person.client.run(CONFIRM, code=phone.code_at(datetime.now(UTC) - STEP))
    return guarded(person, phone, confirmed)


@pytest.mark.process
@pytest.mark.slow
async def test_one_code_of_either_kind_opens_one_session_over_many_processes(workers: GraphQLClient) -> None:
    ann = await sign_up(workers, Mailbox(workers.http))
    guard = await enable_elsewhere(ann)
    tickets = [await guard.ticket() for _ in range(2 * CROWD)]

    by_code = await all_at_once(guard, tickets[:CROWD], code=guard.phone.code_at(datetime.now(UTC)))
    by_recovery_code = await all_at_once(guard, tickets[CROWD:], recoveryCode=guard.recovery_codes[0])

    assert by_code == {"SessionStarted": 1, "InvalidCode": CROWD - 1}
    assert by_recovery_code == {"SessionStarted": 1, "InvalidCode": CROWD - 1}
    assert (await guard.person.client.run(STATUS)).root["twoFactor"]["recoveryCodesRemaining"] == 9
