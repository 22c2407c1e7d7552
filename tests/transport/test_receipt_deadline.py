"""Slow, silent and stuck sockets against the protocol that the gateway is served with, its deadlines shortened."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.served import served
from tests.support.services import HOST
from tests.transport.service import make_service
from tests.transport.sockets import PATIENCE_SECONDS, Connect, all_of, one_answer
from transport.receipt_deadline import ReceiptDeadlineProtocol

HEAD = b"POST /graphql HTTP/1.1\r\nhost: gate.test\r\ncontent-type: application/json\r\n"
QUERY = b'{"query": "{ echo }"}'
REQUEST = HEAD + b"content-length: %d\r\n\r\n" % len(QUERY) + QUERY
DEADLINE = 0.3


class ImpatientProtocol(ReceiptDeadlineProtocol):
    HEAD_SECONDS = DEADLINE
    STUCK_SECONDS = DEADLINE


@pytest.fixture
async def port() -> AsyncIterator[int]:
    service = make_service(deadline=DEADLINE)
    async with served(service.app, http=ImpatientProtocol, timeout_keep_alive=60) as port:
        yield port


async def test_silent_socket_is_closed(connect: Connect) -> None:
    reader, _ = await connect()

    assert await all_of(reader) == b""


async def test_half_a_head_is_answered_with_408(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(HEAD)

    answer = await all_of(reader)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer


async def test_head_that_trickles_in_is_cut_off(connect: Connect) -> None:
    reader, writer = await connect()
    began = time.monotonic()
    trickling = asyncio.create_task(_trickle(writer, HEAD))

    answer = await all_of(reader)

    trickling.cancel()
    assert time.monotonic() - began < PATIENCE_SECONDS / 2
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_body_that_stalls_is_answered_with_408(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(REQUEST[:-5])

    answer = await all_of(reader)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"BAD_REQUEST" in answer


async def test_body_that_trickles_in_after_the_answer_keeps_no_socket(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(b"POST /broken HTTP/1.1\r\nhost: gate.test\r\ncontent-length: 60000\r\n\r\n")
    trickling = asyncio.create_task(_trickle(writer, b"x" * 60_000))

    answer = await all_of(reader)

    trickling.cancel()
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert answer.count(b"HTTP/1.1") == 1


async def test_second_request_has_a_deadline_too(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(REQUEST)
    await one_answer(reader)
    writer.write(HEAD)

    assert await all_of(reader) == b""


async def test_good_requests_may_follow_each_other_past_the_deadline(connect: Connect) -> None:
    reader, writer = await connect()
    ends_at = time.monotonic() + 2 * DEADLINE
    answers = 0
    while time.monotonic() < ends_at:
        writer.write(REQUEST)
        assert b'"echo"' in await one_answer(reader)
        answers += 1

    assert answers > 2


async def test_stream_and_socket_outlive_the_deadline(connect: Connect) -> None:
    reader, writer = await connect()
    key = b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    protocol = b"sec-websocket-protocol: graphql-transport-ws\r\n"
    writer.write(b"GET /graphql HTTP/1.1\r\nhost: gate.test\r\nconnection: upgrade\r\nupgrade: websocket\r\n")
    writer.write(key + protocol + b"\r\n")
    head = await reader.readuntil(b"\r\n\r\n")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2 * DEADLINE):
            await reader.read(1)

    assert head.startswith(b"HTTP/1.1 101 ")


async def test_reader_who_takes_no_answers_is_cut_off(connect: Connect) -> None:
    reader, writer = await connect()
    query = b'{"query": "{ echo(text: \\"%s\\") }"}' % (b"x" * 60_000)
    request = HEAD + b"content-length: %d\r\n\r\n" % len(query) + query

    async with asyncio.timeout(PATIENCE_SECONDS):
        with contextlib.suppress(ConnectionError):
            while not writer.transport.is_closing():
                writer.write(request)
                await writer.drain()

    assert isinstance(reader.exception(), ConnectionError)


async def test_five_hundred_such_sockets_do_not_stop_others(connect: Connect, port: int) -> None:
    sockets = [await connect() for _ in range(500)]
    for number, (_, writer) in enumerate(sockets):
        writer.write(HEAD[: number % len(HEAD)])

    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}") as http:
        began = time.monotonic()
        answer = await http.post("/graphql", content=QUERY, headers={"content-type": "application/json"})
        took = time.monotonic() - began
    answers = await asyncio.gather(*(all_of(reader) for reader, _ in sockets))

    assert answer.json() == {"data": {"echo": "None"}}
    assert took < 1
    assert {given[:12] for given in answers} == {b"", b"HTTP/1.1 408"}


async def _trickle(writer: asyncio.StreamWriter, content: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        for byte in content:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(DEADLINE / 20)
