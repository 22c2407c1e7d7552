"""GraphQL over server-sent events, distinct connections mode: one operation, one response, closed when it is complete.

See the `graphql-sse` protocol: `event: next` carries a result, `event: complete` says that no more will come. A stream
that is broken off ends without the latter, so that clients connect again.
"""

import asyncio
from typing import Any

import structlog
from starlette.types import Receive, Scope, Send

from kit.errors import StreamBroken
from transport.answers import answer_of_rejection, bug, encode, send_answer
from transport.documents import Documents
from transport.negotiation import Media
from transport.rejections import Rejection
from transport.running import Payload, Results, StreamRequest, open_stream

_log = structlog.get_logger("gatehouse.transport")

_COMPLETE = b"event: complete\ndata:\n\n"
_HEARTBEAT = b":\n\n"
_HEADERS = (
    (b"content-type", Media.EVENT_STREAM.content_type),
    # Proxies that collect what they pass on would keep events to themselves.
    (b"x-accel-buffering", b"no"),
)


class EventStream:
    """Answers one StreamRequest. Seconds: `heartbeat` between signs of life, `patience` with a reader that is stuck."""

    def __init__(self, documents: Documents, *, heartbeat: float = 15.0, patience: float = 10.0) -> None:
        self._documents = documents
        self._heartbeat = heartbeat
        self._patience = patience

    async def __call__(self, asked: StreamRequest, _scope: Scope, receive: Receive, send: Send) -> None:
        try:
            results = await open_stream(self._documents, asked)
        except Rejection as rejection:
            media = Media.EVENT_STREAM
            await send_answer(send, answer_of_rejection(rejection, media), media, asked.origin.request_id)
            return
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await self._relay(results, gone, send, asked.origin.request_id)
        except TimeoutError:
            _log.info("slow_reader_dropped", request_id=asked.origin.request_id)
        finally:
            gone.cancel()
            await results.aclose()

    async def _relay(self, results: Results, gone: "asyncio.Future[None]", send: Send, request_id: str) -> None:
        block, is_last = b"", False
        while not is_last:
            following = asyncio.ensure_future(_next_block(results, request_id))
            try:
                await self._keep_alive_until(following, gone, send)
            finally:
                if not following.done():
                    following.cancel()
                    await asyncio.wait([following])
            if gone.done() or following.cancelled():
                return
            block, is_last = following.result()
            await self._write(send, block, is_last=is_last)

    async def _keep_alive_until(
        self, following: "asyncio.Future[tuple[bytes, bool]]", gone: "asyncio.Future[None]", send: Send
    ) -> None:
        awaited: set[asyncio.Future[Any]] = {following, gone}
        while not following.done() and not gone.done():
            done, _ = await asyncio.wait(awaited, timeout=self._heartbeat, return_when=_FIRST)
            if not done:
                await self._write(send, _HEARTBEAT)

    async def _write(self, send: Send, block: bytes, *, is_last: bool = False) -> None:
        """Raises TimeoutError where the reader takes nothing for too long: memory is not for keeping what it missed."""
        async with asyncio.timeout(self._patience):
            await send({"type": "http.response.body", "body": block, "more_body": not is_last})


_FIRST = asyncio.FIRST_COMPLETED


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        """What is left of the body says nothing."""


async def _next_block(results: Results, request_id: str) -> tuple[bytes, bool]:
    """What to send next, and whether it is the last."""
    try:
        return _next(await anext(results)), False
    except StopAsyncIteration:
        return _COMPLETE, True
    except StreamBroken:
        return b"", True
    except Rejection as rejection:
        return _next({"errors": rejection.errors}) + _COMPLETE, True
    except Exception as cause:  # noqa: BLE001 - whatever it is, the client gets an answer and the log the trace
        return _next({"errors": bug(cause, request_id).errors}) + _COMPLETE, True


def _next(payload: Payload) -> bytes:
    return b"event: next\ndata: " + encode(payload) + b"\n\n"
