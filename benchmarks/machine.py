"""This machine's cores and processes: which runs where, and what it costs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

DEPLOYED_PYTHON = str(Path(__file__).parents[1] / ".venv" / "deployed" / "bin" / "python")
"""Sees what a deployment installs and nothing else: structlog loads what it finds of the tools of development."""

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = {CORES[0]}
LOAD_CORE = {CORES[-1]}
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@contextmanager
def started_on(cores: set[int]) -> Iterator[None]:
    """Processes that start meanwhile run on these cores for good, with all their threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Seconds(NamedTuple):
    """Processor time of a process: all of it, and what its threads of low priority (the hashing ones) had."""

    total: float
    hashing: float


def processor_seconds(pid: int) -> Seconds:
    """From /proc/PID/task/*/stat, by its fields utime, stime and nice (proc(5))."""
    total = hashing = 0.0
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        fields = stat.read_text().rpartition(")")[2].split()
        seconds = (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND
        total += seconds
        hashing += seconds if int(fields[16]) > 0 else 0.0
    return Seconds(total, hashing)


def mebibytes(pid: int) -> float:
    """Resident memory of a process."""
    return float(psutil.Process(pid).memory_info().rss) / 2**20


def with_children(pid: int) -> list[int]:
    """A process and all that it started."""
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
