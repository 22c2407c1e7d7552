"""Deadlines on sockets, which uvicorn has none of: a client that is slow or silent on purpose holds no socket for long.

The body's deadline is the endpoint's, since only it knows what it waits for.
"""

import asyncio
from asyncio import TimerHandle
from typing import Any, ClassVar, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_LATE = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 4\r\n"
    b"cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n408\n"
)


class ReceiptDeadlineProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which closes a connection whose request's head, or whose reading, takes too long."""

    HEAD_SECONDS: ClassVar = 10.0
    """From a connection's start, or from the first byte after an answer, to the end of a request's head."""

    STUCK_SECONDS: ClassVar = 20.0
    """How long a client may read nothing of what waits for it."""

    MOST_AHEAD_BYTES: ClassVar = 256 * 1024
    """How much of what waits behind a request is read, so that the socket's end is noticed."""

    _receipt: TimerHandle | None = None
    _stuck: TimerHandle | None = None
    _has_begun = False
    _has_head = False
    _running: RequestResponseCycle | None = None
    _ahead_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(cast("asyncio.Transport", AbortingTransport(transport, self.loop)))
        self._expect_a_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        self.resume_writing()
        # uvicorn tells the newest request only, which may be waiting behind the one that is being answered.
        for cycle in (self._running, *(waiting for waiting, _ in self.pipeline)):
            if cycle is not None:
                _disconnect(cycle)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._has_begun = True
        # What follows an answer is the next request, or what was left of a body that nobody wanted.
        begins = self._receipt is None and self._is_answered()
        self._has_head = False
        super().data_received(data)
        # Nearly every head comes in one piece, and a timer costs as much as reading it.
        if begins and not self._has_head:
            self._expect_a_head()
        if self.pipeline:
            self._read_ahead(len(data))

    def on_headers_complete(self) -> None:
        self._has_head = True
        self._head_is_here()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        if self._stuck is None:
            self._stuck = self.loop.call_later(self.STUCK_SECONDS, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        super().resume_writing()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        if not self.pipeline:
            self._ahead_bytes = 0
        super()._start_asgi_task(cycle, app)

    def _read_ahead(self, size: int) -> None:
        """Once a request waits, uvicorn reads nothing more, and so misses that a stream's reader has left."""
        self._ahead_bytes += size
        if self._ahead_bytes <= self.MOST_AHEAD_BYTES:
            self.flow.resume_reading()

    def _cycle(self) -> RequestResponseCycle | None:
        """The newest request's; uvicorn's annotation leaves out that there is none at first."""
        return self.cycle

    def _is_answered(self) -> bool:
        cycle = self._cycle()
        return cycle is not None and cycle.response_complete

    def _expect_a_head(self) -> None:
        self._receipt = self.loop.call_later(self.HEAD_SECONDS, self._give_up)

    def _head_is_here(self) -> None:
        if self._receipt is not None:
            self._receipt.cancel()
            self._receipt = None

    def _give_up(self) -> None:
        if self.transport.is_closing():
            return
        # Whoever has had an answer already would take this one for an answer to something else.
        if self._has_begun and self._cycle() is None:
            self.transport.write(_LATE)
        self.transport.close()


def _disconnect(cycle: RequestResponseCycle) -> None:
    """Tell whoever answers a request that nobody is there any more."""
    cycle.disconnected = not cycle.response_complete
    cycle.message_event.set()


class AbortingTransport:
    """A transport whose close() does not wait for ever until the other side has read what is left."""

    LINGER_SECONDS: ClassVar = 5.0

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        # What every answer needs, without the way through __getattr__.
        self.write, self.is_closing = transport.write, transport.is_closing

    def close(self) -> None:
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._loop.call_later(self.LINGER_SECONDS, self._transport.abort)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - everything else is the transport's own
        return getattr(self._transport, name)
