"""The PostgreSQL connections that every request's look-up goes over."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from kit.errors import Unavailable
from models.database import postgres_credentials
from models.read_connections import MOST, ReadConnections
from tests.support.postgres import PostgresServer

OWN = "SELECT pg_backend_pid() WHERE $1 = ''"
NAME = "gatehouse"
HANG_UP = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gatehouse'"


@pytest.fixture
async def connections(postgres: PostgresServer) -> AsyncIterator[ReadConnections]:
    """On an empty database."""
    connections = ReadConnections(postgres_credentials(await postgres.emptied_database()))
    yield connections
    connections.close()


async def test_a_row_is_found_or_is_not(connections: ReadConnections) -> None:
    assert await connections.fetch_row("SELECT $1::int, 'two'", 1) == (1, "two")
    assert await connections.fetch_row("SELECT 1 WHERE $1", False) is None


@pytest.mark.parametrize(("mode", "connects"), [("disable", True), ("require", False), ("verify-full", False)])
async def test_tls_that_is_asked_for_is_not_done_without(postgres: PostgresServer, mode: str, connects: bool) -> None:
    # The server of the tests speaks no TLS.
    url = f"{await postgres.emptied_database()}?sslmode={mode}"
    connections = ReadConnections(postgres_credentials(url))
    try:
        row = await connections.fetch_row("SELECT $1::int", 1)
    except Unavailable:
        row = None
    finally:
        connections.close()

    assert (row is not None) is connects


async def test_many_readers_take_turns_on_few_connections(connections: ReadConnections) -> None:
    count = "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = $1"

    rows = await asyncio.gather(*(connections.fetch_row(count, NAME) for _ in range(10 * MOST)))

    assert {row is not None and row[0] <= MOST for row in rows} == {True}


async def test_nothing_can_be_written(connections: ReadConnections) -> None:
    with pytest.raises(Unavailable):
        await connections.fetch_row("UPDATE accounts SET generation = $1", 7)


async def test_a_connection_that_was_lost_is_replaced_unnoticed(
    connections: ReadConnections, postgres: PostgresServer
) -> None:
    before = await asyncio.gather(*(connections.fetch_row(OWN, "") for _ in range(MOST)))

    await postgres.execute(HANG_UP)
    after = await asyncio.gather(*(connections.fetch_row(OWN, "") for _ in range(MOST)))

    assert None not in after
    assert not set(before) & set(after)


async def test_a_reader_that_is_cancelled_leaves_no_connection_in_the_middle(connections: ReadConnections) -> None:
    sleeping = asyncio.create_task(connections.fetch_row("SELECT pg_sleep($1)", 60.0))
    await connections.fetch_row("SELECT pg_sleep($1)", 0.01)

    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping

    rows = await asyncio.gather(*(connections.fetch_row("SELECT $1::int", number) for number in range(MOST)))
    assert rows == [(number,) for number in range(MOST)]


async def test_a_mistake_in_a_statement_is_no_outage(connections: ReadConnections) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await connections.fetch_row("SELEKT $1", 1)

    assert await connections.fetch_row("SELECT $1::int", 1) == (1,)
