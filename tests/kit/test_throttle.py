"""Limits: the rule itself, and two stores that must keep it, Redis and the database, compared with the rule."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import clock, throttle
from kit.errors import TooManyAttempts, Unavailable
from kit.throttle import Bucket, Count, CounterStore, Limit, RedisCounters, Throttle, Window
from models import database
from models.attempt_counters import AttemptCounter, DatabaseCounters
from tests.support.services import RedisServer, running

MINUTES = Limit("minutes", (Window(3, 300),))
LAYERS = Limit("layers", (Window(2, 60), Window(5, 600), Window(9, 86_400)))
CLIENTS = Limit("clients", (Window(4, 300),), per_client=True)

ADA, EVE = "192.0.2.1", "203.0.113.9"


@pytest.fixture(autouse=True)
def _clock_put_right() -> Iterator[None]:
    yield
    clock.reset()


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


@pytest.fixture(params=["redis", "sqlite", "postgres"])
async def store(request: Any, tmp_path: Any) -> AsyncIterator[CounterStore]:
    """Each real store, empty."""
    if request.param == "redis":
        counters = RedisCounters(request.getfixturevalue("redis_url"))
        yield counters
        await counters.close()
        return
    if request.param == "sqlite":
        url = f"sqlite://{tmp_path}/gatehouse.sqlite3"
        context = await database.open_database(url)
        await database.migrate()
    else:
        url = await request.getfixturevalue("postgres").emptied_database()
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


def freeze() -> None:
    """Move the clock to the beginning of a second, so that waits are whole numbers while a test runs."""
    clock.shift(timedelta(microseconds=1_000_000 - clock.now().microsecond))


# The rule


def test_the_limits_are_those_of_the_contract() -> None:
    minutes, hour, day = 300, 3_600, 86_400

    assert {name: limit.windows for name, limit in vars(throttle).items() if isinstance(limit, Limit)} == {
        "PASSWORD_ACCOUNT": (Window(10, minutes),),
        "PASSWORD_CLIENT": (Window(100, minutes),),
        "PASSWORD_KNOWN_CLIENT": (Window(10, minutes),),
        "CODE_ACCOUNT": (Window(5, minutes), Window(20, hour), Window(50, day)),
        "CODE_CLIENT": (Window(50, minutes),),
        "RESET_MAIL": (Window(5, day),),
        "SIGN_UP_MAIL": (Window(5, day),),
        "SIGN_UP_CLIENT": (Window(60, hour),),
        "RESET_REQUEST_CLIENT": (Window(60, hour),),
        # Ours: the contract lets `completeSocialLogin` say TooManyAttempts, and names no number.
        "SOCIAL_LOGIN_CLIENT": (Window(60, minutes),),
        "LEAK_REPORT_CLIENT": (Window(60, hour),),
        "INVITATION_FLEET": (Window(50, day),),
        "EXPORT_ACCOUNT": (Window(5, day),),
    }


def test_limits_share_no_name_and_check_short_windows_first() -> None:
    limits = [limit for limit in vars(throttle).values() if isinstance(limit, Limit)]

    assert len({limit.name for limit in limits}) == len(limits)
    for limit in limits:
        assert [window.seconds for window in limit.windows] == sorted({window.seconds for window in limit.windows})
        assert limit.per_client == limit.name.endswith("client") or limit is throttle.PASSWORD_KNOWN_CLIENT


@given(st.integers(1, 20), st.integers(1, 100_000), st.lists(st.integers(0, 50_000), max_size=60))
def test_no_window_ever_allows_more_than_it_says(allowed: int, seconds: int, pauses: list[int]) -> None:
    window, now, count, accepted = Window(allowed, seconds), 1_000_000, Count(), list[int]()
    for pause in pauses:
        now += pause
        count, wait_ms = count.charged(window, "c", now)
        if not wait_ms:
            accepted.append(now)

    # Counted from any window's first try, not from any instant: two windows that touch hold twice as many.
    assert all(
        later - earlier >= seconds * 1_000 for earlier, later in zip(accepted, accepted[2 * allowed :], strict=False)
    )
    assert 0 <= count.tries <= allowed
    assert sum(count.shares.values()) == count.tries


@given(st.integers(1, 20), st.integers(1, 100_000), st.lists(st.integers(0, 5_000), min_size=1, max_size=200))
def test_refusals_push_the_end_away_and_never_nearer(allowed: int, seconds: int, pauses: list[int]) -> None:
    window, now = Window(allowed, seconds), 1_000_000
    count = Count(allowed, 0, now + seconds * 1_000)
    for pause in pauses:
        now += pause
        if now >= count.ends_at_ms:
            break
        before = count
        count, wait_ms = count.charged(window, "c", now)
        assert wait_ms > 0
        assert count.ends_at_ms >= before.ends_at_ms
        assert wait_ms <= max(throttle.LONGEST_GROWN_WAIT_MS, seconds * 1_000)
    # Whatever was done, one wait of the length that was named ends it.
    assert count.charged(window, "c", max(now, count.ends_at_ms))[1] == 0


def test_the_wait_is_the_rest_of_the_window_then_grows_by_a_tenth() -> None:
    count, waits = Count(3, 0, 1_300_000, {"c": 3}), []
    for _ in range(120):
        count, wait_ms = count.charged(Window(3, 300), "c", 1_100_000)
        waits.append(wait_ms // 1_000)

    assert waits[:5] == [200, 330, 360, 390, 420]
    assert waits == sorted(waits)
    assert waits[-1] == 3_600


def test_the_bound_of_growing_cuts_no_longer_window_short() -> None:
    count = Count(5, 0, 86_400_000, {"c": 5})
    for _ in range(10):
        count, wait_ms = count.charged(Window(5, 86_400), "c", 0)
        assert wait_ms == 86_400_000


# What is asked of every store


async def test_the_try_after_the_last_allowed_one_is_refused(store: CounterStore) -> None:
    asked = Throttle(store, enabled=True)

    waits = [await wait_seconds(asked, [(MINUTES, "ada")]) for _ in range(6)]

    assert waits[:3] == [0, 0, 0]
    assert 295 <= waits[3] <= 300
    assert waits[4:] == [330, 360]
    assert await wait_seconds(asked, [(MINUTES, "eve")]) == 0


async def test_when_the_wait_is_over_a_new_window_begins(store: CounterStore) -> None:
    asked = Throttle(store, enabled=True)
    for _ in range(6):
        last = await wait_seconds(asked, [(MINUTES, "ada")])

    clock.shift(timedelta(seconds=last - 5))
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


def test_a_known_client_is_one_account_and_one_network() -> None:
    assert throttle.known_client("ada@x.test", "2001:db8::1") == throttle.known_client("ada@x.test", "2001:db8::2")
    assert throttle.known_client("ada@x.test", ADA) != throttle.known_client("bob@x.test", ADA)


# The database alone


async def test_purging_removes_what_is_over_and_nothing_else(tmp_path: Any) -> None:
    context = await database.open_database(f"sqlite://{tmp_path}/gatehouse.sqlite3")
    await database.migrate()
    counters, asked = DatabaseCounters(), Throttle(DatabaseCounters(), enabled=True)
    await asked.take([(MINUTES, "ada"), (LAYERS, "ada@example.org")], ADA)

    assert await counters.purge() == 0
    clock.shift(timedelta(seconds=301))
    assert await counters.purge() == 2

    buckets = await AttemptCounter.all().values_list("bucket", flat=True)
    assert sorted(str(bucket).rpartition(":")[0] for bucket in buckets) == ["layers:600", "layers:86400"]
    assert "ada" not in str(buckets)
    await database.close_database(context)


async def test_counts_in_the_database_outlive_the_process(tmp_path: Any) -> None:
    url = f"sqlite://{tmp_path}/gatehouse.sqlite3"
    context = await database.open_database(url)
    await database.migrate()
    for _ in range(3):
        await Throttle(DatabaseCounters(), enabled=True).take([(MINUTES, "ada")], ADA)
    await database.close_database(context)

    context = await database.open_database(url)
    assert await wait_seconds(Throttle(DatabaseCounters(), enabled=True), [(MINUTES, "ada")]) > 0
    await database.close_database(context)


# Redis alone


async def test_redis_forgets_what_is_over_and_knows_no_subject(redis_url: str) -> None:
    counters = RedisCounters(redis_url)
    await Throttle(counters, enabled=True).take([(MINUTES, "ada@example.org")], ADA)

    (key,) = await counters._redis.keys("*")

    assert key.startswith(b"gatehouse:attempts:minutes:300:")
    assert b"ada" not in key
    assert 290_000 < await counters._redis.pttl(key) <= 300_000
    assert ADA.encode() not in b" ".join(await counters._redis.hkeys(key))
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
