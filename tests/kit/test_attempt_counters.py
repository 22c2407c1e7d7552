"""The stores of attempt counters: Redis and the database, on either kind, must keep the rule of kit.throttle."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from kit import clock, throttle
from kit.errors import TooManyAttempts, Unavailable
from kit.throttle import Bucket, Count, CounterStore, Limit, RedisCounters, Throttle, Window
from models import database
from models.attempt_counters import AttemptCounter, DatabaseCounters
from tests.support.databases import SqliteTemplate
from tests.support.postgres import PostgresServer
from tests.support.services import RedisServer, running

MINUTES = Limit("minutes", (Window(3, 300),))
LAYERS = Limit("layers", (Window(2, 60), Window(5, 600), Window(9, 86_400)))
CLIENTS = Limit("clients", (Window(4, 300),), per_client=True)

ADA, EVE = "192.0.2.1", "203.0.113.9"

Source = SqliteTemplate | PostgresServer | RedisServer


@dataclass
class MemoryCounters:
    """The rule and a dictionary: what the real stores are compared with."""

    counts: dict[str, Count] = field(default_factory=dict)

    async def take(self, wanted: list[Bucket], client: str) -> int:
        wait_ms = 0
        for bucket in wanted:
            count = self.counts.get(bucket.name, Count())
            self.counts[bucket.name], wait_ms = count.charged(bucket.window, client, throttle.now_ms())
            if wait_ms:
                break
        return wait_ms


@pytest.fixture(params=["redis_server", "sqlite_template", "postgres"])
def source(request: pytest.FixtureRequest) -> Source:
    """What an empty store comes from."""
    found: Source = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def store(source: Source, tmp_path: Path) -> AsyncIterator[CounterStore]:
    """Each real store, empty."""
    if isinstance(source, RedisServer):
        source.flush()
        counters = RedisCounters(source.url)
        yield counters
        await counters.close()
        return
    url = source.copy_to(tmp_path) if isinstance(source, SqliteTemplate) else await source.emptied_database()
    context = await database.open_database(url)
    yield DatabaseCounters()
    await database.close_database(context)


async def wait_seconds(asked: Throttle, charges: list[tuple[Limit, str]], client: str = ADA) -> int:
    """How long the try must wait; 0 when it was allowed."""
    try:
        await asked.take(charges, client)
    except TooManyAttempts as refusal:
        return refusal.retry_after_seconds
    return 0


async def test_the_try_after_the_last_allowed_one_is_refused(store: CounterStore) -> None:
    asked = Throttle(store, enabled=True)

    waits = [await wait_seconds(asked, [(MINUTES, "ada")]) for _ in range(6)]

    assert waits[:3] == [0, 0, 0]
    assert 295 <= waits[3] <= 300
    assert waits[4:] == [330, 360]
    assert await wait_seconds(asked, [(MINUTES, "eve")]) == 0


async def test_when_the_wait_is_over_a_new_window_begins(store: CounterStore) -> None:
    asked = Throttle(store, enabled=True)
    waits = [await wait_seconds(asked, [(MINUTES, "ada")]) for _ in range(6)]

    clock.shift(timedelta(seconds=waits[-1] - 5))
    assert await wait_seconds(asked, [(MINUTES, "ada")]) == 390
    clock.shift(timedelta(seconds=390))

    assert [await wait_seconds(asked, [(MINUTES, "ada")]) > 0 for _ in range(4)] == [False, False, False, True]


async def test_a_short_window_that_refuses_charges_no_longer_one(store: CounterStore) -> None:
    asked = Throttle(store, enabled=True)

    allowed = 0
    for _ in range(12):
        for _ in range(5):
            allowed += not await wait_seconds(asked, [(LAYERS, "ada")])
        clock.shift(timedelta(seconds=100))
    # Two a minute until the five of ten minutes are taken; then the long window has refused, and waits.
    assert allowed in {5, 6, 7}

    for _ in range(30):
        clock.shift(timedelta(seconds=3_600))
        for _ in range(3):
            allowed += not await wait_seconds(asked, [(LAYERS, "ada")])
    assert allowed >= 9
    assert allowed <= 18


async def test_subjects_are_charged_in_order_up_to_the_one_that_refuses(store: CounterStore) -> None:
    asked = Throttle(store, enabled=True)
    for _ in range(3):
        await asked.take([(MINUTES, "ada")], ADA)

    assert await wait_seconds(asked, [(CLIENTS, EVE), (MINUTES, "ada"), (MINUTES, "bob")], EVE) > 0
    assert await wait_seconds(asked, [(MINUTES, "ada"), (CLIENTS, ADA)], ADA) > 0

    assert [await wait_seconds(asked, [(CLIENTS, EVE)]) > 0 for _ in range(4)] == [False, False, False, True]
    assert [await wait_seconds(asked, [(CLIENTS, ADA)]) > 0 for _ in range(5)] == [False] * 4 + [True]
    assert [await wait_seconds(asked, [(MINUTES, "bob")]) > 0 for _ in range(4)] == [False] * 3 + [True]


async def test_one_subject_twice_is_one_try(store: CounterStore) -> None:
    asked = Throttle(store, enabled=True)

    waits = [await wait_seconds(asked, [(MINUTES, "ada"), (MINUTES, "ada")]) for _ in range(4)]

    assert [wait > 0 for wait in waits] == [False, False, False, True]


async def test_clearing_takes_away_only_the_clients_own_tries(store: CounterStore) -> None:
    asked = Throttle(store, enabled=True)
    for client in (EVE, EVE, ADA):
        await asked.take([(MINUTES, "ada")], client)

    await asked.clear(MINUTES, "ada", ADA)
    await asked.clear(MINUTES, "ada", "198.51.100.1")
    await asked.clear(MINUTES, "nobody", ADA)

    waits = [await wait_seconds(asked, [(MINUTES, "ada")], EVE) for _ in range(2)]
    assert [wait > 0 for wait in waits] == [False, True]


async def test_giving_back_undoes_one_try_of_that_client(store: CounterStore) -> None:
    asked = Throttle(store, enabled=True)
    for _ in range(3):
        await asked.take([(MINUTES, "ada")], ADA)

    await asked.give_back([(MINUTES, "ada")], EVE)
    assert await wait_seconds(asked, [(MINUTES, "ada")]) > 0
    await asked.give_back([(MINUTES, "ada")], ADA)

    assert [await wait_seconds(asked, [(MINUTES, "ada")]) > 0 for _ in range(2)] == [False, True]


async def test_neighbours_in_an_ipv6_network_are_one_client(store: CounterStore) -> None:
    asked = Throttle(store, enabled=True)

    neighbours = [f"2001:db8:1:2::{host:x}" for host in range(5)]
    waits = [await wait_seconds(asked, [(CLIENTS, address)], address) for address in neighbours]
    assert [wait > 0 for wait in waits] == [False] * 4 + [True]

    await asked.clear(CLIENTS, "2001:db8:1:2::77", "2001:db8:1:2::99")
    assert await wait_seconds(asked, [(CLIENTS, "2001:db8:1:2::5")]) == 0
    assert await wait_seconds(asked, [(CLIENTS, "2001:db8:1:3::1")]) == 0


async def test_tries_that_arrive_together_cannot_overrun_a_limit(store: CounterStore) -> None:
    asked = Throttle(store, enabled=True)

    waits = await asyncio.gather(
        *(wait_seconds(asked, [(throttle.PASSWORD_CLIENT, f"192.0.2.{n}"), (MINUTES, "ada")]) for n in range(40))
    )

    assert waits.count(0) == 3


async def test_the_stores_keep_the_rule(store: CounterStore) -> None:
    asked, model = Throttle(store, enabled=True), MemoryCounters()
    expected = Throttle(model, enabled=True)  # type: ignore[arg-type]  # it has no more than is used here
    pauses = [0, 0, 1, 7, 0, 30, 0, 0, 61, 0, 0, 0, 200, 0, 0, 0, 0, 301, 0, 0, 5_000, 0, 0, 0, 0, 0, 90_000, 0]

    for place, pause in enumerate(pauses):
        clock.shift(timedelta(seconds=pause))
        charges = [(LAYERS, "ada"), (CLIENTS, ADA), (MINUTES, f"{place % 2}")]
        got, wanted = await wait_seconds(asked, charges), await wait_seconds(expected, charges)
        # A few milliseconds pass between the two.
        assert abs(got - wanted) <= 1, place
        assert (got > 0) == (wanted > 0), place


async def test_odd_subjects_are_counted_too(store: CounterStore) -> None:
    asked = Throttle(store, enabled=True)

    for subject in ("", "\0", "\ud800", "x" * 100_000, "{a}", "a:b"):
        waits = [await wait_seconds(asked, [(MINUTES, subject)], "no address") for _ in range(4)]
        assert [wait > 0 for wait in waits] == [False, False, False, True]


async def test_a_store_that_is_there_answers(store: CounterStore) -> None:
    await store.ping()


async def test_not_enabled_counts_nothing(store: CounterStore) -> None:
    asked = Throttle(store, enabled=False)

    assert [await wait_seconds(asked, [(MINUTES, "ada")]) for _ in range(9)] == [0] * 9
    await asked.clear(MINUTES, "ada", ADA)
    await asked.give_back([(MINUTES, "ada")], ADA)

    assert await wait_seconds(Throttle(store, enabled=True), [(MINUTES, "ada")]) == 0


async def test_purging_removes_what_is_over_and_nothing_else(database_url: str) -> None:
    context = await database.open_database(database_url)
    counters, asked = DatabaseCounters(), Throttle(DatabaseCounters(), enabled=True)
    await asked.take([(MINUTES, "ada"), (LAYERS, "ada@example.org")], ADA)

    assert await counters.purge() == 0
    clock.shift(timedelta(seconds=301))
    assert await counters.purge() == 2

    buckets = await AttemptCounter.all().values_list("bucket", flat=True)
    assert sorted(str(bucket).rpartition(":")[0] for bucket in buckets) == ["layers:600", "layers:86400"]
    assert "ada" not in str(buckets)
    await database.close_database(context)


async def test_counts_in_the_database_outlive_the_process(database_url: str) -> None:
    context = await database.open_database(database_url)
    for _ in range(3):
        await Throttle(DatabaseCounters(), enabled=True).take([(MINUTES, "ada")], ADA)
    await database.close_database(context)

    context = await database.open_database(database_url)
    assert await wait_seconds(Throttle(DatabaseCounters(), enabled=True), [(MINUTES, "ada")]) > 0
    await database.close_database(context)


async def test_redis_forgets_what_is_over_and_knows_no_subject(redis_url: str) -> None:
    counters = RedisCounters(redis_url)
    await Throttle(counters, enabled=True).take([(MINUTES, "ada@example.org")], ADA)

    (key,) = await counters._redis.keys("*")
    kept = f"{key!r} {await counters._redis.hgetall(key)}"

    assert "gatehouse:attempts:minutes:300:" in kept
    assert "ada" not in kept
    assert ADA not in kept
    assert 290_000 < await counters._redis.pttl(key) <= 300_000
    await counters.close()


async def test_redis_away_is_unavailable_soon_and_comes_back_by_itself() -> None:
    with running(RedisServer) as server:
        counters = RedisCounters(server.url)
        asked = Throttle(counters, enabled=True)
        await asked.take([(MINUTES, "ada")], ADA)

        server.stop()
        await is_unavailable(asked)
        server.start()
        assert [await wait_seconds(asked, [(MINUTES, "ada")]) > 0 for _ in range(4)] == [False, False, False, True]

        server.freeze()
        await is_unavailable(asked)
        server.thaw()
        assert await wait_seconds(asked, [(MINUTES, "ada")]) > 0
        await counters.close()


async def is_unavailable(asked: Throttle) -> None:
    """Assert that every door is shut, and within three seconds."""
    for attempt in (asked.take([(MINUTES, "ada")], ADA), asked.clear(MINUTES, "ada", ADA), asked.store.ping()):
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await attempt
        assert time.monotonic() - began < 3
