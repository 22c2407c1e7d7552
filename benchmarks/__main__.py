"""`make bench`: measures the gateway on this machine, prints one table, and writes nothing.

Figures are ratios of interleaved rounds wherever they can be, because absolute ones drift with the machine. A server
has one core to itself, and the load comes from another. "Bare" is a Starlette route under the same uvicorn.
"""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

import uvloop

from benchmarks import large, reads, starts, statements
from benchmarks.machine import LOAD_CORE
from benchmarks.table import Line, show

WHOLE = reads.Pace(rounds=5, seconds=2.0)
QUICK = reads.Pace(rounds=3, seconds=0.5)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="half a minute instead of three, and rougher")
    parser.add_argument("--only", metavar="PART", choices=PARTS, help=f"one part alone: {', '.join(PARTS)}")
    parser.add_argument(
        "--large",
        metavar="ACCOUNTS",
        nargs="?",
        type=int,
        const=1_000_000,
        help="instead, compare reads beside 1,000 accounts with reads beside so many (1,000,000), five keys each",
    )
    asked = parser.parse_args()
    os.sched_setaffinity(0, LOAD_CORE)
    pace = QUICK if asked.quick else WHOLE
    lines: list[Line] = []
    for name, part in PARTS.items():
        if asked.large is None and asked.only in {None, name}:
            with tempfile.TemporaryDirectory(prefix="gatehouse-") as folder:
                lines += uvloop.run(part(Path(folder), pace))
    if asked.large is not None:
        with tempfile.TemporaryDirectory(prefix="gatehouse-") as folder:
            lines += uvloop.run(large.beside(Path(folder), pace, asked.large))
    show(lines)


async def _starting(folder: Path, pace: reads.Pace) -> list[Line]:
    return await asyncio.to_thread(starts.starting, folder, pace.rounds)


async def _counting(folder: Path, _: reads.Pace) -> list[Line]:
    return await statements.counted(folder)


PARTS = {
    "sqlite": reads.on_sqlite,
    "postgres": reads.on_postgres,
    "workers": reads.by_workers,
    "starting": _starting,
    "statements": _counting,
}


if __name__ == "__main__":
    main()
