import asyncio
import json
import re
from typing import Any

import httpx
import pytest

from tests.support.live import COMPLETE, following
from tests.support.served import served
from tests.support.services import HOST
from tests.support.waiting import eventually
from tests.transport.service import Service, make_service


@pytest.fixture
def service() -> Service:
    return make_service(streaming=True, heartbeat=0.05)


async def test_values_arrive_one_by_one_and_then_the_completion(service: Service) -> None:
    async with served(service.app) as port, following(_url(port), "subscription { ticks }") as answers:
        values = [await answers.value() for _ in range(3)]
        last, after = await answers.message(), await answers.message()

    assert answers.response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answers.response.headers["cache-control"] == "no-store"
    assert values == [0, 1, 2]
    assert last == COMPLETE
    assert after is None


async def test_query_is_answered_as_a_stream_where_that_is_wanted(service: Service) -> None:
    async with served(service.app) as port, following(_url(port), '{ echo(text: "hello") }') as answers:
        assert await answers.value() == "hello"
        assert await answers.message() == COMPLETE


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ echo }", [{"data": {"echo": "None"}, "extensions": {"cost": 1}}]),
        (
            "subscription { ticks(count: 2) }",
            [{"data": {"ticks": tick}, "extensions": {"cost": 1}} for tick in range(2)],
        ),
    ],
)
async def test_cost_is_told_in_each_payload_on_request(
    service: Service, query: str, expected: list[dict[str, Any]]
) -> None:
    asked = await service.ask(query, accept="text/event-stream", extensions={"cost": True})
    silent = await service.ask(query, accept="text/event-stream")

    payloads = [json.loads(data) for data in re.findall("^data: (.+)$", asked.text, re.MULTILINE)]
    assert payloads == expected
    assert "extensions" not in silent.text


async def test_faulty_document_is_refused_without_a_stream(service: Service) -> None:
    async with served(service.app) as port, following(_url(port), "subscription { nothing }") as answers:
        body = await answers.response.aread()

    assert answers.response.headers["content-type"] == "application/json; charset=utf-8"
    assert b"GRAPHQL_VALIDATION_FAILED" in body
    assert service.witness.streamed == []


async def test_refused_subscription_says_so_and_is_complete(service: Service) -> None:
    async with served(service.app) as port, following(_url(port), "subscription { refused }") as answers:
        message, last = await answers.message(), await answers.message()

    assert message is not None
    assert [error["extensions"]["code"] for error in message["data"]["errors"]] == ["UNAUTHENTICATED"]
    assert last == COMPLETE


async def test_bug_in_a_stream_is_masked(service: Service) -> None:
    async with served(service.app) as port, following(_url(port), "subscription { faulty }") as answers:
        await answers.value()
        message, last = await answers.message(), await answers.message()

    assert message is not None
    assert [error["extensions"]["code"] for error in message["data"]["errors"]] == ["INTERNAL"]
    assert "SELECT" not in str(message)
    assert last == COMPLETE


async def test_stream_that_is_broken_off_is_not_called_complete(service: Service) -> None:
    async with served(service.app) as port, following(_url(port), "subscription { broken }") as answers:
        await answers.value()

        assert await answers.message() is None


async def test_quiet_stream_gives_signs_of_life(service: Service) -> None:
    async with (
        served(service.app) as port,
        httpx.AsyncClient(base_url=_url(port)) as http,
        http.stream("POST", "/graphql", json={"query": "subscription { endless }"}, headers=_STREAM) as response,
    ):
        read = b""
        async for chunk in response.aiter_bytes():
            read += chunk
            if read.count(b":\n\n") >= 2:
                break

    assert read.count(b"event: next") == 1


async def test_stream_ends_when_its_client_leaves(service: Service) -> None:
    async with served(service.app) as port:
        async with following(_url(port), "subscription { endless }") as answers:
            await answers.value()
        await eventually(lambda: service.witness.closed == ["endless"])


async def test_reader_who_is_stuck_is_dropped(service: Service) -> None:
    async with served(service.app) as port:
        reader, writer = await asyncio.open_connection(HOST, port, limit=1_024)
        body = b'{"query": "subscription { endless(size: 100000) }"}'
        writer.write(_HEAD + b"content-length: %d\r\n\r\n" % len(body) + body)
        await reader.readuntil(b"\r\n")

        # Nothing more is read: the server finds out within its patience, which is half a second here.
        await eventually(lambda: service.witness.closed == ["endless"])
        writer.close()


_STREAM = {"accept": "text/event-stream"}
_HEAD = b"POST /graphql HTTP/1.1\r\nhost: gate.test\r\naccept: text/event-stream\r\ncontent-type: application/json\r\n"


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"
