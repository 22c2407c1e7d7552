"""The one place that knows what time it is, so that tests can move it."""

from datetime import UTC, datetime, timedelta

_shift = timedelta()


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC) + _shift


def shift(by: timedelta) -> None:
    """Move the clock for the whole process: for tests only."""
    global _shift  # noqa: PLW0603 - the clock is the one thing a process has one of
    _shift += by


def reset() -> None:
    """Put the clock right again: for tests only."""
    global _shift  # noqa: PLW0603 - see shift()
    _shift = timedelta()
