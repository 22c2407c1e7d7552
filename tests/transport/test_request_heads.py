"""How large a request's head may be, and what is no part of it, against the server itself."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tests.support.served import served
from tests.support.services import HOST
from tests.transport.service import make_service
from tests.transport.sockets import Connect, all_of, one_answer
from transport.receipt_deadline import ReceiptDeadlineProtocol

GET = b"GET /nowhere HTTP/1.1\r\nhost: gate.test\r\n"
POST = b"POST /graphql HTTP/1.1\r\nhost: gate.test\r\ncontent-type: application/json\r\n"
QUERY = b'{"query": "{ echo }"}'
ECHOED = b'{"data":{"echo":"None"}}'
KIB = 1_024
MOST_BYTES = 64 * KIB
MOST_HEADERS = 100
CLOSE_FRAME = b"\x88"
LONG_VALUE = b"x: " + b"y" * 2_000 + b"\r\n"


class FewWaitingProtocol(ReceiptDeadlineProtocol):
    MOST_WAITING = 3


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with served(make_service().app) as port:
        yield port


def get_of(size: int) -> bytes:
    """A request that is a head of so many bytes, in few headers."""
    missing = size - len(GET) - len(b"\r\n")
    full, left = divmod(missing, 20_000)
    lines = [b"x: " + b"y" * 19_995 + b"\r\n"] * full + [b"x: " + b"y" * (left - 5) + b"\r\n"]
    return GET + b"".join(lines) + b"\r\n"


async def send_in_pieces(writer: asyncio.StreamWriter, *pieces: bytes) -> None:
    """The server, in this very event loop, mostly sees each of them alone; what is expected holds if it does not."""
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)


FLOODS = {
    "headers without end": (431, GET + b"x-a: a\r\n" * 40_000),
    "one header without end": (431, GET + b"x-a: " + b"a" * 300_000),
    "a name without end": (431, GET + b"x" * 300_000),
    "one header of 100 KiB": (431, GET + b"x-a: " + b"a" * 100 * KIB + b"\r\n\r\n"),
    "a head of 65 KiB": (431, get_of(65 * KIB)),
    "one header too many": (431, GET + b"x: y\r\n" * MOST_HEADERS + b"\r\n"),
    "an address without end": (414, b"GET /" + b"a" * 300_000),
    "an address of 65 KiB": (414, b"GET /" + b"a" * 65 * KIB + b" HTTP/1.1\r\nhost: gate.test\r\n\r\n"),
    "trailers without end": (431, POST + b"transfer-encoding: chunked\r\n\r\n0\r\n" + b"x-a: a\r\n" * 40_000),
    "a trailer without end": (431, POST + b"transfer-encoding: chunked\r\n\r\n0\r\nx-a: " + b"a" * 300_000),
}
each_flood = pytest.mark.parametrize(("status", "flood"), FLOODS.values(), ids=FLOODS.keys())


@each_flood
async def test_head_past_its_bounds_is_refused_and_the_connection_closed(
    connect: Connect, status: int, flood: bytes
) -> None:
    reader, writer = await connect()
    writer.write(flood)

    answer = await all_of(reader)

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nconnection: close\r\n" in answer
    assert b"\r\nx-request-id: " in answer
    error = json.loads(answer.partition(b"\r\n\r\n")[2])["errors"][0]
    assert error["message"] == "The head of a request may have at most 65536 bytes (64 KiB) and 100 headers."


@each_flood
async def test_bounds_hold_however_a_head_is_cut_into_pieces(connect: Connect, status: int, flood: bytes) -> None:
    reader, writer = await connect()
    size = max(1, len(flood) // 7)
    await send_in_pieces(writer, *(flood[place : place + size] for place in range(0, len(flood), size)))

    assert (await all_of(reader)).startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("cut", [0, 1, 20, 30_000, MOST_BYTES - 2, MOST_BYTES])
async def test_largest_head_passes_however_it_is_cut(connect: Connect, cut: int) -> None:
    reader, writer = await connect()
    largest = get_of(MOST_BYTES)
    await send_in_pieces(writer, largest[:cut], largest[cut:])

    assert (await one_answer(reader)).startswith(b"HTTP/1.1 404 ")
    assert len(largest) == MOST_BYTES


async def test_most_headers_pass(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(GET + b"x: y\r\n" * (MOST_HEADERS - 1) + b"\r\n")

    assert (await one_answer(reader)).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("cut", [0, 50, 20_000, 40_000, 60_000])
async def test_body_is_no_part_of_the_head(connect: Connect, cut: int) -> None:
    reader, writer = await connect()
    body = QUERY + b" " * (MOST_BYTES - len(QUERY))
    request = POST + LONG_VALUE * 20 + b"content-length: %d\r\n\r\n" % len(body) + body
    await send_in_pieces(writer, request[:cut], request[cut:] + GET + b"\r\n")

    assert (await one_answer(reader)).endswith(ECHOED)
    assert (await one_answer(reader)).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("size", [1, 7, 50_000])
async def test_chunks_are_no_part_of_the_head(connect: Connect, size: int) -> None:
    reader, writer = await connect()
    body = QUERY + b" " * (50_000 - len(QUERY))
    pieces = [body[place : place + size] for place in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    writer.write(POST + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\nx-checksum: 1\r\n\r\n" + GET + b"\r\n")

    assert (await one_answer(reader)).endswith(ECHOED)
    assert (await one_answer(reader)).startswith(b"HTTP/1.1 404 ")


async def test_trailer_is_no_header(connect: Connect) -> None:
    reader, writer = await connect()
    chunked = b"%x\r\n%s\r\n0\r\nauthorization: Bearer forged\r\n\r\n" % (len(QUERY), QUERY)
    writer.write(POST + b"transfer-encoding: chunked\r\n\r\n" + chunked)

    assert (await one_answer(reader)).endswith(ECHOED)


async def test_heads_that_follow_each_other_are_counted_one_by_one(connect: Connect) -> None:
    reader, writer = await connect()
    request = GET + LONG_VALUE * 10 + b"\r\n"
    together = request * 20
    await send_in_pieces(writer, together[:1_000], together[1_000:150_000], together[150_000:])

    answers = [await one_answer(reader) for _ in range(20)]

    assert {answer[:13] for answer in answers} == {b"HTTP/1.1 404 "}


async def test_good_request_before_a_flood_is_answered_first(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(GET + b"\r\n" + GET + b"x-a: a\r\n" * 40_000)

    answers = (await all_of(reader)).split(b"HTTP/1.1 ")[1:]

    assert [answer[:3] for answer in answers] == [b"404", b"431"]


async def test_what_follows_an_upgrade_is_no_request(connect: Connect) -> None:
    reader, writer = await connect()
    asked = b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    key = b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n"
    writer.write(b"GET /graphql HTTP/1.1\r\nhost: gate.test\r\n" + asked + key + (GET + b"\r\n") * 2_000)

    said = await reader.readuntil(CLOSE_FRAME)

    assert said.startswith(b"HTTP/1.1 101 ")
    assert said.count(b"HTTP/1.1") == 1


async def test_requests_without_end_do_not_wait_behind_one() -> None:
    async with served(make_service().app, http=FewWaitingProtocol) as port:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write((GET + b"\r\n") * 10)
        answers = (await all_of(reader)).split(b"HTTP/1.1 ")[1:]
        writer.close()

    assert [answer[:3] for answer in answers] == [b"404", b"404", b"404", b"404", b"429"]
