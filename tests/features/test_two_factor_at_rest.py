import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs
from tortoise.connection import get_connection

from kit import clock
from kit.keyring import Keyring
from kit.settings import Settings
from models import TotpDevice
from models.database import CONNECTION, is_sqlite, sqlite_path
from process.gateway import Gateway
from resolvers import upkeep
from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import Person, sign_up
from tests.support.two_factor import CONFIRM, STATUS, GuardedPerson, enable_two_factor, kinds, pair

TABLES = ("accounts", "totp_devices", "recovery_codes", "sign_in_tickets", "security_events", "outgoing_mails")


async def dump() -> str:
    """All rows of the tables that could hold something of it."""
    rows = [await get_connection(CONNECTION).execute_query_dict(f"SELECT * FROM {table}") for table in TABLES]  # noqa: S608 - constants
    return str(rows)


async def test_no_secret_rests_readable(guard: GuardedPerson) -> None:
    ticket = await guard.ticket()
    (await guard.complete(recoveryCode=guard.recovery_codes[0])).expect("SessionStarted")

    resting = await dump()

    assert guard.person.email in resting
    for raw in (guard.phone.secret, ticket, *guard.recovery_codes):
        assert raw not in resting
        assert raw.replace("-", "") not in resting


async def test_swapped_secrets_let_nobody_in_and_raise_an_alarm(guard: GuardedPerson, bob: Person) -> None:
    other = await enable_two_factor(bob)
    anns, bobs = await TotpDevice.all().order_by("id")
    await TotpDevice.filter(id=anns.id).update(secret_sealed=bobs.secret_sealed)
    await TotpDevice.filter(id=bobs.id).update(secret_sealed=anns.secret_sealed)

    with capture_logs() as logs:
        own = await guard.complete(code=guard.phone.next_code())
        others = await guard.complete(code=other.phone.code())

    own.expect("InvalidCode")
    others.expect("InvalidCode")
    alarms = [line for line in logs if line["event"] == "seal_broken"]
    assert [(alarm["log_level"], alarm["account"]) for alarm in alarms] == [("error", str(anns.account_id))] * 2
    assert "SIGNED_IN" not in kinds((await guard.person.client.run(STATUS)).root)
    # The way back is sealed apart.
    (await guard.complete(recoveryCode=guard.recovery_codes[0])).expect("SessionStarted")


async def test_swapped_recovery_keys_let_nobody_in(guard: GuardedPerson, bob: Person) -> None:
    other = await enable_two_factor(bob)
    anns, bobs = await TotpDevice.all().order_by("id")
    await TotpDevice.filter(id=anns.id).update(recovery_key_sealed=bobs.recovery_key_sealed)

    with capture_logs() as logs:
        own = await guard.complete(recoveryCode=guard.recovery_codes[0])
        others = await guard.complete(recoveryCode=other.recovery_codes[0])

    own.expect("InvalidCode")
    others.expect("InvalidCode")
    assert [line["log_level"] for line in logs if line["event"] == "seal_broken"] == ["error"] * 2


async def test_swapped_pairing_is_not_confirmed(ann: Person, bob: Person) -> None:
    phone, other = await pair(ann), await pair(bob)
    anns, bobs = await TotpDevice.all().order_by("id")
    await TotpDevice.filter(id=anns.id).update(secret_sealed=bobs.secret_sealed)

    with capture_logs() as logs:
        own = await ann.client.run(CONFIRM, code=phone.code())
        others = await ann.client.run(CONFIRM, code=other.code())

    own.expect("InvalidCode")
    others.expect("InvalidCode")
    assert [line["log_level"] for line in logs if line["event"] == "seal_broken"] == ["error"] * 2
    assert not (await ann.client.run(STATUS)).root["twoFactor"]["enabled"]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[GraphQLClient]:
    """A gateway with these settings, while it runs."""
    gateway = Gateway(settings)
    transport = httpx.ASGITransport(gateway.app, client=("198.51.100.7", 40_000))
    async with gateway.started(), httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as http:
        yield GraphQLClient(http)


async def test_phone_and_recovery_codes_outlive_the_keys_of_the_installation(settings: Settings) -> None:
    (old,), new = settings.secret_keys, secrets.token_bytes(32)
    both = settings.model_copy(update={"secret_keys": (new, old)})
    async with opened(settings) as client:
        guard = await enable_two_factor(await sign_up(client, Mailbox(client.http)))

    async with opened(both):
        resealed = await upkeep.rotate_secrets(Keyring(both.secret_keys))
        again = await upkeep.rotate_secrets(Keyring(both.secret_keys))

    async with opened(settings.model_copy(update={"secret_keys": (new,)})) as client:
        later = GuardedPerson(
            Person(guard.person.email, guard.person.password, guard.person.account_id, "", client),
            guard.phone,
            guard.recovery_codes,
        )
        (await later.complete(code=guard.phone.next_code())).expect("SessionStarted")
        (await later.complete(recoveryCode=guard.recovery_codes[0])).expect("SessionStarted")
    assert (resealed["totp_devices"], again["totp_devices"]) == (1, 0)


async def test_broken_seal_does_not_stop_the_others_from_being_sealed_anew(
    guard: GuardedPerson, bob: Person, settings: Settings
) -> None:
    await enable_two_factor(bob)
    broken, _ = await TotpDevice.all().order_by("id")
    await TotpDevice.filter(id=broken.id).update(secret_sealed="nonsense")

    with capture_logs() as logs:
        resealed = await upkeep.rotate_secrets(Keyring((secrets.token_bytes(32), *settings.secret_keys)))

    assert resealed["totp_devices"] == 1
    assert [line["account"] for line in logs if line["event"] == "seal_broken"] == [str(broken.account_id)]


@asynccontextmanager
async def held_accounts(url: str) -> AsyncIterator[None]:
    """A database whose accounts another program holds: nothing of ours can be written to them meanwhile."""
    if is_sqlite(url):
        with closing(sqlite3.connect(sqlite_path(url), isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield
    else:
        other = await asyncpg.connect(url)
        try:
            async with other.transaction():
                await other.execute("SELECT id FROM accounts FOR UPDATE")
                yield
        finally:
            await other.close()


@pytest.mark.slow
async def test_outage_burns_nothing(guard: GuardedPerson, database_url: str) -> None:
    ticket, code = await guard.ticket(), guard.phone.next_code()
    for _ in range(4):
        (await guard.complete(ticket=ticket, code="not a code")).expect("InvalidCode")

    async with held_accounts(database_url):
        unanswered: Answer = await guard.complete(ticket=ticket, code=code)
    # The fifth try of ticket and account: one more would be refused.
    answered = await guard.complete(ticket=ticket, code=code)

    assert (unanswered.status, unanswered.error_codes) == (503, ["UNAVAILABLE"])
    answered.expect("SessionStarted")


async def test_purge_removes_unfinished_pairings_and_old_tickets(guard: GuardedPerson, bob: Person) -> None:
    await pair(bob)
    await guard.ticket()
    early = await upkeep.purge()

    clock.shift(timedelta(minutes=15))
    late = await upkeep.purge()

    assert (early["totp_devices"], early["sign_in_tickets"]) == (0, 0)
    assert (late["totp_devices"], late["sign_in_tickets"]) == (1, 1)
    await guard.sign_in()
