"""Requests that wait behind another on their socket, against the protocol that the gateway is served with."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from tests.support.served import served
from tests.support.services import HOST
from tests.support.waiting import eventually
from tests.transport.service import make_service
from tests.transport.sockets import Connect, all_of, one_answer
from transport.receipt_deadline import ReceiptDeadlineProtocol

HEAD = b"POST /graphql HTTP/1.1\r\nhost: gate.test\r\ncontent-type: application/json\r\n"
QUERY = b'{"query": "subscription { endless }"}'
STREAM = HEAD + b"accept: text/event-stream\r\ncontent-length: %d\r\n\r\n" % len(QUERY) + QUERY
TICKS = STREAM.replace(b"{ endless }", b"{ ticks }  ")
NOWHERE = b"GET /nowhere HTTP/1.1\r\nhost: gate.test\r\n\r\n"
UNKNOWN = b"FOO /nowhere HTTP/1.1\r\nhost: gate.test\r\n\r\n"
WEB_SOCKET = (
    b"GET /graphql HTTP/1.1\r\nhost: gate.test\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
UPLOAD = HEAD + b"content-length: 80000\r\n\r\n" + b" " * 80_000


class NothingAheadProtocol(ReceiptDeadlineProtocol):
    MOST_AHEAD_BYTES = 0


@pytest.fixture
async def port() -> AsyncIterator[int]:
    service = make_service(streaming=True, heartbeat=0.05)
    async with served(service.app) as port:
        yield port


async def test_requests_that_wait_are_answered_in_their_order(connect: Connect) -> None:
    reader, writer = await connect()
    query = b'{"query": "{ echo(text: \\"%d\\") }"}'
    bodies = [query % number for number in range(10, 40)]
    writer.write(b"".join(HEAD + b"content-length: %d\r\n\r\n" % len(body) + body for body in bodies))

    answers = [await one_answer(reader) for _ in bodies]

    assert [answer.partition(b"\r\n\r\n")[2] for answer in answers] == [
        b'{"data":{"echo":"%d"}}' % number for number in range(10, 40)
    ]


@pytest.mark.parametrize(
    "before", [NOWHERE, NOWHERE * 3, TICKS, TICKS + NOWHERE], ids=["one", "more", "stream", "both"]
)
async def test_what_cannot_be_read_is_answered_in_its_turn(connect: Connect, before: bytes) -> None:
    reader, writer = await connect()
    writer.write(before + UNKNOWN + NOWHERE)

    answers = (await all_of(reader)).split(b"HTTP/1.1 ")[1:]

    assert [answer[:3] for answer in answers[:-1]] == [b"200"] * before.count(TICKS) + [b"404"] * before.count(NOWHERE)
    assert answers[-1].startswith(b"405 ")
    assert all(b"event: complete" in answer for answer in answers if answer.startswith(b"200 "))


async def test_upgrade_does_not_overtake_an_answer(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(NOWHERE + WEB_SOCKET)

    answers = (await all_of(reader)).split(b"HTTP/1.1 ")[1:]

    assert [answer[:3] for answer in answers] == [b"404", b"400"]


async def test_body_behind_an_upgrade_that_is_not_taken_is_no_request(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(HEAD + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: %d\r\n\r\n" % len(NOWHERE))
    answer = await one_answer(reader)
    writer.write(NOWHERE)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nconnection: close\r\n" in answer
    assert await all_of(reader) == b""


async def test_nothing_is_said_in_the_midst_of_a_stream(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(STREAM)
    await reader.readuntil(b"event: next")
    writer.write(UNKNOWN)

    said = b"".join([await reader.readuntil(b":\n\n") for _ in range(5)])

    assert b"HTTP/1.1" not in said


@pytest.mark.parametrize(
    "waiting",
    [NOWHERE, NOWHERE * 50, NOWHERE + UPLOAD, UNKNOWN, WEB_SOCKET],
    ids=["one", "many", "large", "unreadable", "upgrade"],
)
async def test_stream_ends_with_its_reader_though_requests_wait_behind_it(waiting: bytes) -> None:
    # Without signs of life there is nothing to be sent, and so nothing that could fail.
    service = make_service(streaming=True, heartbeat=60)
    async with served(service.app) as port:
        await _follow_and_leave(port, waiting)

        await eventually(lambda: service.witness.closed == ["endless"])


async def test_stream_whose_socket_is_not_read_any_more_ends_with_it_too(caplog: pytest.LogCaptureFixture) -> None:
    service = make_service(streaming=True, heartbeat=0.05)
    async with served(service.app, http=NothingAheadProtocol) as port:
        await _follow_and_leave(port, NOWHERE * 2)

        await eventually(lambda: service.witness.closed == ["endless"])

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def _follow_and_leave(port: int, waiting: bytes) -> None:
    """Open a stream, send what waits behind it, and close the socket."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(STREAM)
    await reader.readuntil(b"event: next")
    writer.write(waiting)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
