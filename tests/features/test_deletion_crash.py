"""The process is killed in the middle of deletions: each account is whole afterwards, or wholly gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from tortoise.connection import get_connection

from kit.passwords import Passwords
from kit.settings import Settings
from models import Account, ApiKey, Device, Fleet, Membership, database
from tests.support.gateway_process import GatewayProcess, running_gateway
from tests.support.graphql_client import GraphQLClient
from tests.support.leftovers import leftovers, traces_of
from tests.support.people import PASSWORD

pytestmark = [pytest.mark.process, pytest.mark.slow]

PEOPLE, FLEETS, DEVICES = 12, 2, 150
CHEAP = {
    "GATEHOUSE_ARGON2_MEMORY_KIB": "8",
    "GATEHOUSE_ARGON2_TIME_COST": "1",
    "GATEHOUSE_RATE_LIMITS": "off",
    "GATEHOUSE_LOG_LEVEL": "warning",
}
LOG_IN = """
mutation ($email: EmailAddress!) {
  logIn(input: {email: $email, password: "a long enough passphrase"}) { ... on SessionStarted { token } }
}
"""
DELETE = 'mutation { deleteAccount(password: "a long enough passphrase") { __typename } }'


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[None]:
    """The database in this process, between two lives of the gateway's."""
    context = await database.open_database(url)
    try:
        yield
    finally:
        await database.close_database(context)


async def settle(number: int, password_hash: str) -> Account:
    """An account with fleets, devices, a key, and a neighbour in each fleet."""
    email = f"p{number}@example.com"
    account = await Account.create(email=email, email_canonical=email, password_hash=password_hash)
    neighbour = await Account.get_or_create(email="n@example.com", email_canonical="n@example.com")
    await ApiKey.create(account_id=account.id, name="K", description="", hint="abcd")
    for place in range(FLEETS):
        fleet = await Fleet.create(owner_id=account.id, name="F")
        for person in (account, neighbour[0]):
            await Membership.create(fleet_id=fleet.id, account_id=person.id, role="DEVELOPER")
        prefix = (number * FLEETS + place) * DEVICES
        await Device.bulk_create(
            [Device(fleet_id=fleet.id, name="D", uuid=f"{prefix + n:032x}") for n in range(DEVICES)]
        )
    return account


async def what_is_left(account_id: UUID) -> tuple[int, int, int, int, int]:
    """How much of an account there is: itself, keys, fleets, members in them, devices in them."""
    return (
        await Account.filter(id=account_id).count(),
        await ApiKey.filter(account_id=account_id).count(),
        await Fleet.filter(owner_id=account_id).count(),
        await Membership.filter(fleet__owner_id=account_id).count(),
        await Device.filter(fleet__owner_id=account_id).count(),
    )


async def delete_and_kill(gateway: GatewayProcess, emails: dict[UUID, str], *, after: int) -> set[UUID]:
    """Delete all accounts at once and kill the process after so many answers; gives whose were answered."""
    acknowledged: set[UUID] = set()

    async with httpx.AsyncClient(base_url=gateway.base_url, timeout=30) as http:
        client = GraphQLClient(http)
        tokens = {person: (await client.run(LOG_IN, email=email)).root["token"] for person, email in emails.items()}

        async def delete(person: UUID) -> None:
            try:
                answer = await client.bearing(tokens[person]).run(DELETE)
            except httpx.TransportError:
                return
            answer.expect("AccountDeleted")
            acknowledged.add(person)
            if len(acknowledged) == after:
                gateway.kill()

        await asyncio.gather(*map(delete, emails))
    return acknowledged


@pytest.fixture
async def process_database(database_source: object, database_url: str) -> str:
    """A database for a gateway in a process of its own."""
    return database_url


@pytest.mark.parametrize("after", [1, 4])
async def test_killed_in_the_middle_each_account_is_whole_or_gone(
    process_database: str, tmp_path: Path, after: int
) -> None:
    cheap = Settings(argon2_memory_kib=8, argon2_time_cost=1)
    password_hash = await Passwords(cheap).hash(PASSWORD)
    async with opened(process_database):
        people = [await settle(number, password_hash) for number in range(PEOPLE)]
    emails = {person.id: person.email for person in people}

    with running_gateway(tmp_path, {**CHEAP, "GATEHOUSE_DATABASE_URL": process_database}) as gateway:
        acknowledged = await delete_and_kill(gateway, emails, after=after)
        gateway.start()
        gateway.stop()

    whole = (1, 1, FLEETS, FLEETS * 2, FLEETS * DEVICES)
    async with opened(process_database):
        states = {person: await what_is_left(person) for person in emails}
        gone = {person for person, state in states.items() if state == (0, 0, 0, 0, 0)}
        assert {person for person, state in states.items() if state != whole} == gone
        assert len(acknowledged) >= after
        assert acknowledged <= gone
        for person in gone:
            assert await leftovers(traces_of(person, emails[person])) == []
        assert await Device.all().count() == (PEOPLE - len(gone)) * FLEETS * DEVICES
        if database.is_sqlite(process_database):
            _, orphans = await get_connection(database.CONNECTION).execute_query("PRAGMA foreign_key_check")
            assert list(orphans) == []
