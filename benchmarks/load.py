"""A load generator that costs a server's machine next to nothing: prepared bytes out, lengths counted back in.

Each connection is kept alive and always has one request under way.
"""

import asyncio
import json
import math
import time
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, cast

CONNECTIONS = 24
PATIENCE_SECONDS = 20.0


class Target(NamedTuple):
    """Where one prepared request goes."""

    port: int
    request: bytes


class Round(NamedTuple):
    """What came of loading a target for a while. Latencies are in milliseconds, sorted."""

    answers: int
    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        return self.answers / self.seconds

    def percentile(self, percent: float) -> float:
        """The latency that so many per cent of answers kept."""
        return self.latencies[min(math.ceil(len(self.latencies) * percent / 100), len(self.latencies)) - 1]


def post(port: int, document: str, *, bearer: str | None = None, **variables: object) -> Target:
    """A POST of a GraphQL document."""
    body = json.dumps({"query": document, **({"variables": variables} if variables else {})}).encode()
    lines = [
        "POST /graphql HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "User-Agent: benchmark",
        "Accept: application/json",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *([f"Authorization: Bearer {bearer}"] if bearer else []),
    ]
    return Target(port, "\r\n".join(lines).encode() + b"\r\n\r\n" + body)


class Connection(asyncio.Protocol):
    """Sends its request again whenever the answer is whole, until it is told to stop."""

    def __init__(self, request: bytes, ended: asyncio.Future[None]) -> None:
        self._request = request
        self.ended = ended
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._sent_at = 0.0
        self.stopping = False
        self.latencies: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not by isinstance: uvloop's are none of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not _is_whole(self._received):
            return
        self.latencies.append((time.perf_counter() - self._sent_at) * 1000)
        if not self._received.startswith(b"HTTP/1.1 200 ") or b'"errors"' in self._received:
            self._end(RuntimeError(self._received.decode(errors="replace")))
        elif self.stopping:
            self._end(None)
        else:
            self._received = b""
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("The server closed the connection."))

    def _send(self) -> None:
        assert self._transport is not None
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)

    def _end(self, problem: Exception | None) -> None:
        if self.ended.done():
            return
        if problem is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(problem)
        if self._transport is not None:
            self._transport.close()


def _is_whole(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    return bool(separator) and len(body) >= int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])


async def load(targets: Sequence[Target], seconds: float) -> Round:
    """Keep one connection busy for each target (the same one may come many times). Raises for any answer but a 200."""
    loop = asyncio.get_running_loop()
    started_at = time.perf_counter()
    connections = [Connection(target.request, loop.create_future()) for target in targets]
    async with asyncio.timeout(seconds + PATIENCE_SECONDS):
        for target, connection in zip(targets, connections, strict=True):
            await loop.create_connection(partial(_itself, connection), "127.0.0.1", target.port)
        stop = loop.call_later(seconds, _stop, connections)
        try:
            await asyncio.gather(*(connection.ended for connection in connections))
        finally:
            stop.cancel()
    latencies = sorted(latency for connection in connections for latency in connection.latencies)
    return Round(len(latencies), time.perf_counter() - started_at, latencies)


def _itself(connection: Connection) -> Connection:
    return connection


def _stop(connections: Sequence[Connection]) -> None:
    for connection in connections:
        connection.stopping = True


async def load_one(target: Target, seconds: float, connections: int = CONNECTIONS) -> Round:
    """Keep several connections busy with one request."""
    return await load([target] * connections, seconds)
