"""Attempt counters in the database: for installations without Redis, shared by all processes all the same."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tortoise import fields
from tortoise.connection import get_connection
from tortoise.models import Model

from kit.throttle import Bucket, Count, now_ms
from models.base import unit_of_work
from models.database import CONNECTION, ping

_COLUMNS = ("bucket", "tries", "refusals", "ends_at_ms", "shares")


class AttemptCounter(Model):
    """One bucket's count. Its name holds a digest, so a dump does not say whom it is about."""

    bucket = fields.CharField(max_length=128, primary_key=True)
    tries = fields.IntField()
    refusals = fields.IntField()
    # A number, since it is written by the statements below: the same on both databases, and what Redis keeps too.
    ends_at_ms = fields.BigIntField(db_index=True)
    shares = fields.TextField()

    class Meta:
        table = "attempt_counters"


class DatabaseCounters:
    """A `kit.throttle.CounterStore` in transactions of its own. Each method raises Unavailable."""

    async def take(self, wanted: Sequence[Bucket], client: str) -> int:
        """Charge the buckets in order up to the first that refuses; returns its wait in milliseconds, or 0."""
        wait_ms = 0
        async with unit_of_work():
            held, now, charged = await _hold(wanted), now_ms(), dict[str, Count]()
            for bucket in wanted:
                charged[bucket.name], wait_ms = held[bucket.name].charged(bucket.window, client, now)
                if wait_ms:
                    break
            await _keep(charged)
        return wait_ms

    async def take_out(self, wanted: Sequence[Bucket], client: str, most: int | None = None) -> None:
        """Take this client's tries out of the buckets: all of them, or so many."""
        async with unit_of_work():
            held = await _hold(wanted)
            await _keep({name: count.without(client, most) for name, count in held.items()})

    async def ping(self) -> None:
        """Ask the database for an answer."""
        await ping()

    async def close(self) -> None:
        """Nothing is open: the database is closed by whoever opened it."""

    async def purge(self) -> int:
        """Remove what no longer counts; returns how many buckets that were."""
        async with unit_of_work():
            return await AttemptCounter.filter(ends_at_ms__lte=now_ms()).delete()


async def _hold(wanted: Sequence[Bucket]) -> dict[str, Count]:
    """The present counts, locked until the unit of work ends.

    The upsert itself takes the locks, also where there is no row yet, in the order wanted: so two callers that share
    buckets wait for each other, and never in a circle.
    """
    rows = await _upsert(
        {bucket.name: Count() for bucket in wanted},
        "tries = attempt_counters.tries",
        f" RETURNING {', '.join(_COLUMNS)}",
    )
    return {row["bucket"]: _from_row(row) for row in rows}


async def _keep(counts: Mapping[str, Count]) -> None:
    await _upsert(counts, ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:]))


async def _upsert(counts: Mapping[str, Count], when_there: str, returning: str = "") -> list[dict[str, Any]]:
    connection = get_connection(CONNECTION)
    values = [value for name, count in counts.items() for value in _to_row(name, count)]
    places = _places(len(counts), numbered=connection.capabilities.dialect == "postgres")
    statement = (
        f"INSERT INTO attempt_counters ({', '.join(_COLUMNS)}) VALUES {places}"  # noqa: S608 - holds no values
        f" ON CONFLICT (bucket) DO UPDATE SET {when_there}{returning}"
    )
    return await connection.execute_query_dict(statement, values)


def _places(rows: int, *, numbered: bool) -> str:
    """Placeholders for so many rows: `(?, ?, …), …` for SQLite, `($1, $2, …), …` for PostgreSQL."""
    width = len(_COLUMNS)
    marks = [f"${number}" if numbered else "?" for number in range(1, rows * width + 1)]
    return ", ".join(f"({', '.join(marks[start : start + width])})" for start in range(0, len(marks), width))


def _to_row(name: str, count: Count) -> tuple[str, int, int, int, str]:
    return name, count.tries, count.refusals, count.ends_at_ms, json.dumps(dict(count.shares), separators=(",", ":"))


def _from_row(row: Mapping[str, Any]) -> Count:
    return Count(row["tries"], row["refusals"], row["ends_at_ms"], json.loads(row["shares"]))
