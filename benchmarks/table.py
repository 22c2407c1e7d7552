"""The one table that a run prints."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple


class Line(NamedTuple):
    """A measured figure beside what is wanted of it."""

    what: str
    target: str
    measured: str


def ratio(what: str, target: str, rounds: Sequence[float]) -> Line:
    """A line for ratios of interleaved rounds: their median, and how far they spread."""
    return Line(what, target, f"{median(rounds):.2f}   ({min(rounds):.2f} to {max(rounds):.2f})")


def show(lines: Sequence[Line]) -> None:
    """Print them under one another."""
    rows = [Line("what", "target", "measured"), *lines]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for row in rows:
        print(f"{row.what:<{widths[0]}}  {row.target:>{widths[1]}}  {row.measured}")
