import asyncio
import signal
from types import FrameType

from kit.stop_signals import heeding_stop_signals


class Server:
    def __init__(self) -> None:
        self.told: list[int] = []

    def handle_exit(self, number: int, _frame: FrameType | None) -> None:
        self.told.append(number)


async def test_signal_is_heard_of_and_still_reaches_the_server() -> None:
    server, heard = Server(), asyncio.Event()
    former = signal.signal(signal.SIGTERM, server.handle_exit)
    try:
        with heeding_stop_signals(heard.set):
            signal.raise_signal(signal.SIGTERM)
            async with asyncio.timeout(5):
                await heard.wait()

        assert server.told == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) == server.handle_exit
    finally:
        signal.signal(signal.SIGTERM, former)


async def test_signal_that_no_server_handles_is_left_alone() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    with heeding_stop_signals(lambda: None):
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
