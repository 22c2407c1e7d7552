"""Deadlines and bounds on sockets, which uvicorn has none of: no client holds much, or anything for long, on purpose.

The body's are the endpoint's, since only it knows what it waits for.
"""

import asyncio
from asyncio import TimerHandle
from typing import ClassVar, cast

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from transport.aborting_transport import AbortingTransport
from transport.early_answers import (
    MOST_HEAD_BYTES,
    MOST_HEADERS,
    early_answer,
    head_too_large,
    head_too_late,
    is_large_head,
    method_not_allowed,
    too_many_waiting,
    unreadable,
    upgrade_too_early,
)
from transport.headers import ALWAYS, ALWAYS_BEHIND_TLS
from transport.rejections import Header, Rejection


class ReceiptDeadlineProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which closes a connection whose request's head takes too long or too much, or its reading."""

    HEAD_SECONDS: ClassVar = 10.0
    """From a connection's start, or from the first byte after an answer, to the end of a request's head."""

    STUCK_SECONDS: ClassVar = 20.0
    """How long a client may read nothing of what waits for it."""

    MOST_AHEAD_BYTES: ClassVar = 256 * 1024
    """How much of what waits behind a request is read, so that the socket's end is noticed."""

    MOST_WAITING: ClassVar = 1_000
    """How many requests may wait behind one."""

    ALWAYS: ClassVar[list[Header]] = ALWAYS
    """What an answer of the protocol's own carries, as every other does."""

    _receipt: TimerHandle | None = None
    _stuck: TimerHandle | None = None
    _has_begun = False
    _has_head = False
    # Of a head whose end has not come: how much came after the piece that it begins in.
    _head_bytes: int | None = None
    _is_deaf = False
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
        if self._is_deaf:
            return
        self._has_begun = True
        # What follows an answer is the next request, or what was left of a body that nobody wanted.
        begins = self._receipt is None and self._is_answered()
        self._has_head = False
        if self._head_bytes is None and len(data) <= MOST_HEAD_BYTES:
            self._parse(data)
        else:
            self._parse_by_parts(data)
        # Nearly every head comes in one piece, and a timer costs as much as reading it.
        if begins and not (self._has_head or self._is_deaf):
            self._expect_a_head()
        if self.pipeline:
            self._read_ahead(len(data))

    def on_message_begin(self) -> None:
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._has_head = True
        self._head_is_here()
        if len(self.headers) > MOST_HEADERS or (self._head_bytes and is_large_head(self.url, self.headers)):
            raise head_too_large(self.url)
        if len(self.pipeline) >= self.MOST_WAITING:
            raise too_many_waiting(self.MOST_WAITING)
        self._head_bytes = None
        if not self.url.startswith(b"/"):
            self._refuse_what_names_no_path()
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """What follows the last chunk's, trailers, is like a head, and no part of the request's own."""
        self._head_bytes = 0
        self.headers = []

    def on_body(self, body: bytes) -> None:
        self._head_bytes = None
        super().on_body(body)

    def on_chunk_complete(self) -> None:
        self._head_bytes = None

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

    def _parse_by_parts(self, data: bytes) -> None:
        """As much at a time as a head may still have, so that no body is counted with it."""
        rest = memoryview(data)
        while rest and not self._is_deaf and self.transport.get_protocol() is self:
            room = MOST_HEAD_BYTES - (self._head_bytes or 0)
            part, rest = rest[:room], rest[room:]
            if self._head_bytes is not None:
                self._head_bytes += len(part)
            self._parse(part)
            self._refuse_an_endless_head()

    def _refuse_an_endless_head(self) -> None:
        if self._is_deaf or self._head_bytes is None:
            return
        if self._head_bytes >= MOST_HEAD_BYTES or len(self.headers) > MOST_HEADERS:
            self._refuse(head_too_large(self.url))

    def _parse(self, piece: bytes | memoryview) -> None:
        """As uvicorn's data_received, which answers whatever it cannot read with a bare 400, and at once."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(piece)
        except HttpParserError as problem:
            self._refuse(unreadable(problem, bytes(piece)))
        except HttpParserUpgrade:
            self._upgrade()

    def _upgrade(self) -> None:
        newest = self._cycle()
        if not self._should_upgrade():
            # SECURITY: the parser takes this request to have no body, and would read what its client sends as requests.
            self._unsupported_upgrade_warning()
            self._is_deaf, self.cycle.keep_alive = True, False
        elif newest is not None and not newest.response_complete:
            self._refuse(upgrade_too_early())
        else:
            self.handle_websocket_upgrade()

    def _refuse_what_names_no_path(self) -> None:
        method = self.parser.get_method()
        if method == b"CONNECT" or (method == b"OPTIONS" and self.url == b"*"):
            raise method_not_allowed()

    def _refuse(self, rejection: Rejection) -> None:
        """Listen no more, and say why once what came before has been answered."""
        self._is_deaf = True
        self._head_is_here()
        newest = self._cycle()
        if newest is not None and newest.scope is self.scope:
            self._break_off(newest, rejection)
        elif newest is None or newest.response_complete:
            self._say_last(rejection)
        else:
            self._say_after(newest, rejection)

    def _break_off(self, cycle: RequestResponseCycle, rejection: Rejection) -> None:
        """For a fault in a body, of which an application may have read a part."""
        if cycle is not self._running or cycle.response_started:
            # Said now, it would be taken for an answer to something else.
            self.transport.close()
            return
        _disconnect(cycle)
        self._say_last(rejection)

    def _say_after(self, cycle: RequestResponseCycle, rejection: Rejection) -> None:
        go_on = cycle.on_response

        def go_on_and_say() -> None:
            go_on()
            self._say_last(rejection)

        cycle.on_response = go_on_and_say
        self.flow.resume_reading()

    def _say_last(self, rejection: Rejection) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(early_answer(rejection, [*self.server_state.default_headers, *self.ALWAYS]))
        # Closed at once, a socket on which more arrives is reset, and the answer may be lost with it.
        self.transport.write_eof()
        self._receipt = self.loop.call_later(AbortingTransport.LINGER_SECONDS, self.transport.abort)

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
            self._say_last(head_too_late(self.HEAD_SECONDS))
        self.transport.close()


class BehindTlsProtocol(ReceiptDeadlineProtocol):
    """The same where the public URL is https."""

    ALWAYS: ClassVar = ALWAYS_BEHIND_TLS


def _disconnect(cycle: RequestResponseCycle) -> None:
    """Tell whoever answers a request that nobody is there any more."""
    cycle.disconnected = not cycle.response_complete
    cycle.waiting_for_100_continue = False
    cycle.message_event.set()
