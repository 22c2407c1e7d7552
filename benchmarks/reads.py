"""Reads: their rate against a bare route, their latency while others sign in, and what memory they leave behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks import served
from benchmarks.load import CONNECTIONS, Round, Target, load, load_one, post
from benchmarks.machine import CORES, LOAD_CORE, Seconds, mebibytes, processor_seconds, started_on, with_children
from benchmarks.table import Line, ratio
from tests.support.databases import prepare_postgres
from tests.support.gateway_process import GatewayProcess
from tests.support.postgres import PostgresServer
from tests.support.services import running

LOGINS = 8


class Pace(NamedTuple):
    """How long a run may take: rounds, and seconds of load in each part of a round."""

    rounds: int
    seconds: float


async def on_sqlite(folder: Path, pace: Pace) -> list[Line]:
    """Rates against the bare route, then memory, then latency during logins, on one gateway."""
    with served.gateway(folder) as process, served.bare() as bare:
        idle = mebibytes(process.pid)
        user = await served.a_user(process)
        lines = await _against_bare("SQLite, ÷ bare", "≥ 0.50", bare, process, user, pace)
        warm = mebibytes(process.pid)
        lines += await _while_signing_in(process, user, pace)
        after = mebibytes(process.pid)
        lines.append(Line("idle memory; after load; after logins, MiB", "≤ 75", f"{idle:.0f}; {warm:.0f}; {after:.0f}"))
    return lines


async def on_postgres(folder: Path, pace: Pace) -> list[Line]:
    """Rates against a bare route that looks one row up. PostgreSQL runs on the load's core."""
    async with postgres_database() as url:
        with served.gateway(folder, url) as process:
            user = await served.a_user(process)
            account = user.person.account_id.removeprefix("account_")
            with served.bare(url, account) as bare:
                what = "PostgreSQL, ÷ bare with a look-up"
                return await _against_bare(what, "≥ 0.70", bare, process, user, pace)


@asynccontextmanager
async def postgres_database() -> AsyncIterator[str]:
    """An empty, migrated database of a PostgreSQL of our own on the load's core."""
    async with AsyncExitStack() as stack:
        with started_on(LOAD_CORE):
            server = stack.enter_context(running(PostgresServer))
        await asyncio.to_thread(prepare_postgres, server)
        yield await stack.enter_async_context(server.own_database())


class Speed(NamedTuple):
    """Answers by a second of the clock, and by a second of the server's processor: the same, if the core is its own."""

    by_clock: float
    by_processor: float


async def _speed(target: Target, pid: int, seconds: float) -> Speed:
    before = processor_seconds(pid).total
    done = await load_one(target, seconds)
    return Speed(done.rate, done.answers / (processor_seconds(pid).total - before))


async def _against_bare(
    how: str, wanted: str, bare: served.Bare, process: GatewayProcess, user: served.User, pace: Pace
) -> list[Line]:
    asked = {"a session token": user.by_session(), "an API key": user.by_key()}
    by_clock: dict[str, list[float]] = {what: [] for what in asked}
    by_processor: dict[str, list[float]] = {what: [] for what in asked}
    for target in (post(bare.port, served.VIEWER), *asked.values()):
        await load_one(target, pace.seconds / 2)
    for _ in range(pace.rounds):
        limit = await _speed(post(bare.port, served.VIEWER), bare.pid, pace.seconds)
        for what, target in asked.items():
            speed = await _speed(target, process.pid, pace.seconds)
            by_clock[what].append(speed.by_clock / limit.by_clock)
            by_processor[what].append(speed.by_processor / limit.by_processor)
    return [
        line
        for what in asked
        for line in (
            ratio(f"viewer with {what}, {how}", wanted, by_clock[what]),
            ratio("    the same by processor time, whoever else is on the core", wanted, by_processor[what]),
        )
    ]


async def _while_signing_in(process: GatewayProcess, user: served.User, pace: Pace) -> list[Line]:
    people = [await served.a_user(process, f"user{number}@example.com", keys=0) for number in range(LOGINS)]
    logins = [person.log_in() for person in people]
    reading = [user.by_session()] * CONNECTIONS
    slowdowns, alone, during = [], [], []
    for _ in range(pace.rounds):
        alone.append(await load(reading, pace.seconds))
        signing_in = asyncio.create_task(load(logins, pace.seconds))
        during.append(await load(reading, pace.seconds))
        await signing_in
        slowdowns.append(during[-1].percentile(99) / alone[-1].percentile(99))
    share = await _share_of_hashing(process.pid, logins, pace.seconds * 2)
    return [
        ratio(f"read p99 during {LOGINS} logins ÷ alone", "≤ 2", slowdowns),
        Line("read p50 and p99, alone → during logins, ms", "", f"{_latencies(alone)} → {_latencies(during)}"),
        Line("argon2's share of the processor time of logins", "≥ 0.95", f"{share:.3f}"),
    ]


def _latencies(rounds: list[Round]) -> str:
    return " and ".join(
        f"{sorted(entry.percentile(percent) for entry in rounds)[len(rounds) // 2]:.1f}" for percent in (50, 99)
    )


async def _share_of_hashing(pid: int, logins: list[Target], seconds: float) -> float:
    before = processor_seconds(pid)
    await load(logins, seconds)
    used = Seconds(*(now - then for now, then in zip(processor_seconds(pid), before, strict=True)))
    return used.hashing / used.total


async def by_workers(folder: Path, pace: Pace) -> list[Line]:
    """One worker on one core against two on two, where the load has to share the second core."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    costs: dict[int, list[float]] = {1: [], 2: []}
    (folder / "one").mkdir()
    (folder / "two").mkdir()
    with (
        served.gateway(folder / "one") as one,
        served.gateway(folder / "two", workers=2, cores=set(CORES)) as two,
    ):
        users = {1: (one, await served.a_user(one)), 2: (two, await served.a_user(two))}
        for _ in range(pace.rounds):
            for workers, (process, user) in users.items():
                before = _seconds_of_all(process.pid)
                done = await load_one(user.by_session(), pace.seconds)
                rates[workers].append(done.rate)
                costs[workers].append((_seconds_of_all(process.pid) - before) / done.answers)
    scaling = [two_rate / one_rate for one_rate, two_rate in zip(rates[1], rates[2], strict=True)]
    at_cost = [2 * one_cost / two_cost for one_cost, two_cost in zip(costs[1], costs[2], strict=True)]
    return [
        ratio("two workers ÷ one, the load on one of the two cores", "", scaling),
        ratio("two workers ÷ one, by processor time a read", "≥ 1.8", at_cost),
    ]


def _seconds_of_all(pid: int) -> float:
    return sum(processor_seconds(process).total for process in with_children(pid))
