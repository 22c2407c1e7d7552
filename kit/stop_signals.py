"""Hearing of the end before the server acts on it."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, MethodType


@contextmanager
def heeding_stop_signals(begin_to_stop: Callable[[], None]) -> Iterator[None]:
    """Call this on the event loop at SIGTERM and SIGINT, then the server's own handler, in each of its workers.

    Where no server handles a signal, it goes on meaning what it means: in tests, say.
    """
    former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    served = {number: handler for number, handler in former.items() if isinstance(handler, MethodType)}
    loop = asyncio.get_running_loop()

    def heed(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(begin_to_stop)
        served[signal.Signals(number)](number, frame)

    for number in served:
        signal.signal(number, heed)
    try:
        yield
    finally:
        for number, handler in served.items():
            signal.signal(number, handler)
