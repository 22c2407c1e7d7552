"""How long a request may take, at no cost for one that never waits: a timer costs as much as reading its body."""

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Deadline:
    """Seconds that pieces of work have together, counted from where the first of them has to wait."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends_at: float | None = None
        self._timer: asyncio.Timeout | None = None

    @property
    def has_passed(self) -> bool:
        """Whether it was this deadline that ended the work, and no other."""
        return self._timer is not None and self._timer.expired()

    async def keep(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work gives back. Raises TimeoutError when it took too long; it is cancelled then."""
        try:
            awaited = work.send(None)
        except StopIteration as end:
            result: T = end.value
            return result
        if self._ends_at is None:
            self._ends_at = asyncio.get_running_loop().time() + self._seconds
        self._timer = asyncio.timeout_at(self._ends_at)
        async with self._timer:
            return await _resumed(work, awaited)


@coroutine
def _resumed(work: Coroutine[Any, Any, T], awaited: object) -> Generator[Any, Any, T]:
    """Goes on with a coroutine that has begun, and has said what it waits for."""
    while True:
        problem: BaseException | None = None
        sent = None
        try:
            sent = yield awaited
        except BaseException as thrown:  # noqa: BLE001 - a cancellation too is for the work to hear of
            problem = thrown
        try:
            awaited = work.send(sent) if problem is None else work.throw(problem)
        except StopIteration as end:
            result: T = end.value
            return result
