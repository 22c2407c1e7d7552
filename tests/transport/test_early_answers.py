"""What the protocol answers by itself: requests that never reach an application, against the server itself."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest

from tests.support.served import served
from tests.support.services import HOST
from tests.transport.service import make_service
from tests.transport.sockets import Connect, all_of, one_answer
from transport.receipt_deadline import BehindTlsProtocol, ReceiptDeadlineProtocol

HOST_LINE = b"host: gate.test\r\n"
CHUNKED = (
    b"POST /graphql HTTP/1.1\r\nhost: gate.test\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n"
)
REFUSED = {
    "unknown method": (405, b"FOO /graphql HTTP/1.1\r\n" + HOST_LINE + b"\r\n"),
    "method in lower case": (405, b"post /graphql HTTP/1.1\r\n" + HOST_LINE + b"\r\n"),
    "longer than a method": (405, b"\r\nGETS /graphql HTTP/1.1\r\n" + HOST_LINE + b"\r\n"),
    "method of RTSP": (405, b"DESCRIBE /graphql HTTP/1.1\r\n" + HOST_LINE + b"\r\n"),
    "CONNECT": (405, b"CONNECT gate.test:443 HTTP/1.1\r\n" + HOST_LINE + b"\r\n"),
    "OPTIONS *": (405, b"OPTIONS * HTTP/1.1\r\n" + HOST_LINE + b"\r\n"),
    "no method": (400, b" /graphql HTTP/1.1\r\n" + HOST_LINE + b"\r\n"),
    "method that is no token": (400, b"F{}O /graphql HTTP/1.1\r\n" + HOST_LINE + b"\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01"),
    "bad header line": (400, b"GET /graphql HTTP/1.1\r\nho st: gate.test\r\n\r\n"),
    "both framings": (400, CHUNKED + b"content-length: 3\r\n\r\n0\r\n\r\n"),
    "chunk of no size": (400, CHUNKED + b"expect: 100-continue\r\n\r\nmany\r\n"),
    "another version": (400, b"GET /graphql HTTP/3.0\r\n" + HOST_LINE + b"\r\n"),
}
each_of_them = pytest.mark.parametrize(("status", "request_bytes"), REFUSED.values(), ids=REFUSED.keys())


class ImpatientProtocol(ReceiptDeadlineProtocol):
    HEAD_SECONDS = 1.0


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with served(make_service().app, http=BehindTlsProtocol) as port:
        yield port


@each_of_them
async def test_own_answers_carry_what_every_answer_does(
    connect: Connect, status: int, request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await connect()
    writer.write(request_bytes)

    answered, headers, body = parsed(await all_of(reader))

    assert answered == status
    assert_protected(headers)
    assert headers["strict-transport-security"].startswith("max-age=63072000")
    assert headers["connection"] == "close"
    assert headers.get("allow") == ("GET, POST" if status == 405 else None)
    assert json.loads(body)["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_late_head_is_answered_like_any_other() -> None:
    async with served(make_service().app, http=ImpatientProtocol) as port:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"GET /graphql HTTP/1.1\r\n")
        answered, headers, body = parsed(await all_of(reader))
        writer.close()

    assert answered == 408
    assert_protected(headers)
    assert "strict-transport-security" not in headers
    assert "1 seconds" in json.loads(body)["errors"][0]["message"]


async def test_request_ids_differ(connect: Connect) -> None:
    ids = set()
    for _ in range(3):
        reader, writer = await connect()
        writer.write(b"FOO / HTTP/1.1\r\n\r\n")
        ids.add(parsed(await all_of(reader))[1]["x-request-id"])

    assert len(ids) == 3


async def test_method_that_comes_byte_by_byte_is_known_from_its_beginning(connect: Connect) -> None:
    reader, writer = await connect()
    for byte in b"FOO /graphql HTTP/1.1\r\n\r\n":
        writer.write(bytes([byte]))

    answered, _, _ = parsed(await all_of(reader))

    assert answered == 405


async def test_address_with_the_host_in_it_is_read_as_any_other(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(b"GET http://gate.test/nowhere HTTP/1.1\r\n" + HOST_LINE + b"\r\n")

    assert (await one_answer(reader)).startswith(b"HTTP/1.1 404 ")


async def test_nothing_is_said_about_a_body_whose_request_has_been_answered(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(CHUNKED.replace(b"/graphql", b"/nowhere") + b"\r\n")
    answer = await one_answer(reader)
    writer.write(b"many\r\n")

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert await all_of(reader) == b""


def parsed(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status_line, *lines = head.decode().split("\r\n")
    return int(status_line.split(" ")[1]), dict(line.split(": ", 1) for line in lines), body


def assert_protected(headers: dict[str, str]) -> None:
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert len(headers["x-request-id"]) == 32
