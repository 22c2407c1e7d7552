"""Bytes that are almost HTTP, on a real socket: answered or cut off, never with a fault of ours."""

import asyncio

import pytest

from tests.fuzz.target import LEAKS
from tests.fuzz.values import Dice
from tests.support.served import served
from tests.support.services import HOST
from tests.transport.service import make_service
from transport.receipt_deadline import ReceiptDeadlineProtocol

REQUESTS = 600
AT_ONCE = 20
BODY = b'{"query": "{ echo }"}'
LINES = [
    b"POST /graphql HTTP/1.1",
    b"host: gate.test",
    b"content-type: application/json",
    b"accept: application/json",
    b"content-length: %d" % len(BODY),
]
ODD_LINES = [
    b"GET /graphql?query=%7B HTTP/1.1",
    b"POST /graphql HTTP/0.9",
    b"POST /graphql HTTP/2.0",
    b"POST http://evil.test/graphql HTTP/1.1",
    b"POST //graphql?%ff%00 HTTP/1.1",
    b"CONNECT gate.test:443 HTTP/1.1",
    b"PRI * HTTP/2.0",
    b"content-length: 5, 5",
    b"content-length: -5",
    b"content-length: 18446744073709551617",
    b"transfer-encoding: chunked",
    b"transfer-encoding: chunked, identity",
    b"transfer-encoding : chunked",
    b"connection: upgrade",
    b"upgrade: h2c",
    b"upgrade: websocket",
    b"expect: 100-continue",
    b"expect: 500-please",
    b"host: evil.test",
    b"x: " + b"y" * 60_000,
    b": nameless",
    b"name\x00: value",
    b"name: value\r",
    b" folded",
    b"\xff\xfe: \xff",
]
STATUSES = frozenset(b"100 101 200 400 404 405 406 408 413 415 426 431".split())


class ImpatientProtocol(ReceiptDeadlineProtocol):
    HEAD_SECONDS = 0.3


@pytest.fixture
def dice() -> Dice:
    return Dice(20_261_125)


@pytest.mark.slow
async def test_almost_http_is_answered_without_a_fault_of_ours(dice: Dice) -> None:
    service = make_service(deadline=0.3)
    answers: list[bytes] = []
    async with served(service.app, http=ImpatientProtocol) as port:
        for _ in range(REQUESTS // AT_ONCE):
            answers += await asyncio.gather(*(_answer(port, _almost_http(dice)) for _ in range(AT_ONCE)))
        good = await _answer(port, b"\r\n".join([*LINES, b"connection: close", b"", BODY]))

    statuses = {line.split(b" ")[1] for answer in answers for line in answer.splitlines() if line.startswith(b"HTTP/1")}
    assert good.endswith(b'{"data":{"echo":"None"}}')
    assert statuses <= STATUSES, statuses
    assert not [answer for answer in answers for leak in LEAKS if leak in answer]


def _almost_http(dice: Dice) -> bytes:
    lines = [line for line in LINES if not dice.one_in(12)]
    for _ in range(dice.between(0, 2)):
        lines.insert(dice.between(0, len(lines)), dice.choice(ODD_LINES))
    request = b"\r\n".join([*lines, b"", BODY])
    for _ in range(dice.between(0, 2)):
        place = dice.between(0, len(request))
        request = request[:place] + bytes([dice.between(0, 255)]) + request[place + dice.between(0, 3) :]
    return request


async def _answer(port: int, request: bytes) -> bytes:
    """All that is said until the server closes, or until it has been silent for long enough to be waiting for more."""
    reader, writer = await asyncio.open_connection(HOST, port)
    said = b""
    try:
        writer.write(request)
        writer.write_eof()
        async with asyncio.timeout(5):
            while chunk := await reader.read(65_536):
                said += chunk
    except ConnectionError:
        """Cut off in the middle: an answer too."""
    finally:
        writer.transport.abort()
    return said
