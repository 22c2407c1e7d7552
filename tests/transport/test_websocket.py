from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.served import served
from tests.support.services import HOST
from tests.support.waiting import eventually
from tests.transport.service import Service, make_service
from tests.transport.socket_client import (
    close_code,
    connected,
    connection,
    introduced,
    payloads,
    receive,
    send,
    send_raw,
)
from transport.socket_limits import Limits
from transport.trusted_documents import TrustedDocuments
from transport.websocket import MOST_OPERATIONS

GOOD = {"Authorization": "Bearer good"}


@pytest.fixture
def service() -> Service:
    return make_service()


async def test_subscription_runs_to_its_completion(service: Service) -> None:
    async with introduced(service) as socket:
        await send(socket, "subscribe", "1", query="subscription { ticks }")

        answers = [await receive(socket) for _ in range(4)]

    assert [answer["payload"]["data"]["ticks"] for answer in answers[:3]] == [0, 1, 2]
    assert answers[3] == {"id": "1", "type": "complete"}


async def test_query_and_mutation_run_by_the_rules_of_http(service: Service) -> None:
    async with introduced(service) as socket:
        await send(socket, "subscribe", "q", query="query ($t: String) { echo(text: $t) }", variables={"t": "hi"})
        echoed, complete = await receive(socket), await receive(socket)
        await send(socket, "subscribe", "m", query='mutation { a: logIn(password: "1") { id } b: logIn { id } }')
        refused = await receive(socket)

    assert echoed == {"id": "q", "type": "next", "payload": {"data": {"echo": "hi"}}}
    assert complete == {"id": "q", "type": "complete"}
    assert refused["type"] == "error"
    assert refused["payload"][0]["extensions"]["code"] == "DOCUMENT_TOO_COSTLY"
    assert service.witness.ran == ["echo"]


@pytest.mark.parametrize("query", ["{ echo }", "subscription { ticks(count: 2) }"])
async def test_cost_is_told_in_each_payload_on_request(service: Service, query: str) -> None:
    async with introduced(service) as socket:
        await send(socket, "subscribe", "asked", query=query, extensions={"cost": True})
        asked = await payloads(socket)
        await send(socket, "subscribe", "silent", query=query)
        silent = await payloads(socket)

    assert [payload.pop("extensions") for payload in asked] == [{"cost": 1}] * len(silent)
    assert asked == silent


async def test_only_trusted_documents_run_where_http_runs_no_others() -> None:
    service = make_service(trusted_documents=TrustedDocuments({"abc": "{ echo }"}, only_listed=True))
    async with introduced(service) as socket:
        await send(socket, "subscribe", "1", query="{ viewer { id } }")
        refused = await receive(socket)
        await send(socket, "subscribe", "2", documentId="abc")
        allowed = await receive(socket)

    assert refused["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_REQUIRED"
    assert allowed["type"] == "next"
    assert service.witness.ran == ["echo"]


@pytest.mark.parametrize(
    "payload", [{"Authorization": "Bearer good"}, {"authorization": "Bearer good"}, {}, None], ids=str
)
async def test_caller_stands_in_the_payload_or_is_a_guest(service: Service, payload: Any) -> None:
    async with introduced(service, payload) as socket:
        await send(socket, "subscribe", "1", query="{ echo }")
        await receive(socket)

    assert service.witness.ran == ["echo"]


@pytest.mark.parametrize(
    "payload",
    [
        {"Authorization": "Bearer bad"},
        {"Authorization": "Bearer good", "authorization": "Bearer good"},
        {"Authorization": 7},
        {"Authorization": ["Bearer good"]},
        {"Authorization": ""},
    ],
    ids=str,
)
async def test_bad_credential_closes_the_socket(service: Service, payload: dict[str, Any]) -> None:
    async with connected(service) as socket:
        await send_raw(socket, {"type": "connection_init", "payload": payload})

        assert await close_code(socket) == 4403
    assert service.witness.ran == []


async def test_credential_that_ends_meanwhile_closes_the_socket(service: Service) -> None:
    endings = iter([GOOD["Authorization"], "Bearer bad"])
    identify = service.socket.identify
    service.socket.identify = lambda _authorization, origin: identify(next(endings), origin)
    async with introduced(service, GOOD) as socket:
        await send(socket, "subscribe", "1", query="{ echo }")

        assert await close_code(socket) == 4403
    assert service.witness.ran == []


async def test_subscribing_before_the_introduction_is_unauthorized(service: Service) -> None:
    async with connected(service) as socket:
        await send(socket, "subscribe", "1", query="{ echo }")

        assert await close_code(socket) == 4401
    assert service.witness.ran == []


async def test_silence_instead_of_an_introduction_times_out() -> None:
    service = make_service(limits=Limits(init_seconds=0.1))
    async with connected(service) as socket:
        assert await close_code(socket) == 4408


async def test_second_introduction_is_one_too_many(service: Service) -> None:
    async with introduced(service) as socket:
        await send_raw(socket, {"type": "connection_init"})

        assert await close_code(socket) == 4429


async def test_same_id_twice_at_once_closes_the_socket(service: Service) -> None:
    async with introduced(service) as socket:
        await send(socket, "subscribe", "1", query="subscription { endless }")
        await receive(socket)
        await send(socket, "subscribe", "1", query="{ echo }")

        assert await close_code(socket) == 4409
    assert service.witness.closed == ["endless"]


@pytest.mark.parametrize(
    "message",
    [
        "nonsense",
        "[]",
        "{}",
        '{"type": 7}',
        '{"type": "start"}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ echo }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ echo }"}}',
        '{"type": "complete"}',
        '{"type": "ping", "type": "ping"}',
        "[" * 100,
        b"{}",
    ],
    ids=repr,
)
async def test_unreadable_message_closes_the_socket(service: Service, message: str | bytes) -> None:
    async with introduced(service) as socket:
        await socket.send(message)

        assert await close_code(socket) == 4400
    assert service.witness.ran == []


@pytest.mark.parametrize("payload", [{"query": 7}, {"query": "{ echo }", "variables": []}, {}, {"query": "{"}], ids=str)
async def test_unusable_request_is_an_error_of_that_operation(service: Service, payload: dict[str, Any]) -> None:
    async with introduced(service) as socket:
        await send(socket, "subscribe", "1", **payload)
        answer = await receive(socket)
        await send(socket, "subscribe", "1", query="{ echo }")
        next_answer = await receive(socket)

    assert (answer["id"], answer["type"]) == ("1", "error")
    assert answer["payload"][0]["extensions"]["code"] in {"BAD_REQUEST", "GRAPHQL_VALIDATION_FAILED"}
    assert next_answer["type"] == "next"


async def test_message_past_the_bound_closes_the_socket(service: Service) -> None:
    async with introduced(service) as socket:
        await socket.send("x" * (64 * 1024 + 1))

        assert await close_code(socket) == 1009


async def test_completed_operation_stops_and_frees_its_id(service: Service) -> None:
    async with introduced(service) as socket:
        await send(socket, "subscribe", "1", query="subscription { endless }")
        await receive(socket)
        await send_raw(socket, {"id": "1", "type": "complete"})
        await send(socket, "subscribe", "1", query="{ echo }")
        answer = await receive(socket)

    assert answer["payload"] == {"data": {"echo": "None"}}
    assert service.witness.closed == ["endless"]


async def test_operations_on_one_socket_are_bounded(service: Service) -> None:
    async with introduced(service) as socket:
        for number in range(MOST_OPERATIONS):
            await send(socket, "subscribe", str(number), query="subscription { endless }")
            await receive(socket)
        await send(socket, "subscribe", "more", query="{ echo }")
        answer = await receive(socket)

    assert (answer["id"], answer["type"]) == ("more", "error")
    assert service.witness.ran == []


async def test_ping_is_answered_before_and_after_the_introduction(service: Service) -> None:
    async with connected(service) as socket:
        await send_raw(socket, {"type": "ping"})
        before = await receive(socket)
        await send_raw(socket, {"type": "connection_init"})
        await receive(socket)
        await send_raw(socket, {"type": "pong"})
        await send_raw(socket, {"type": "ping", "payload": {"any": "thing"}})

        assert await receive(socket) == before == {"type": "pong"}


async def test_bug_is_masked(service: Service) -> None:
    async with introduced(service) as socket:
        await send(socket, "subscribe", "1", query="subscription { faulty }")
        await receive(socket)
        answer = await receive(socket)

    assert answer["type"] == "error"
    assert [error["extensions"]["code"] for error in answer["payload"]] == ["INTERNAL"]
    assert "SELECT" not in str(answer)


async def test_broken_stream_closes_the_socket_so_that_the_client_returns(service: Service) -> None:
    async with introduced(service) as socket:
        await send(socket, "subscribe", "1", query="subscription { broken }")
        await receive(socket)

        assert await close_code(socket) == 1013


async def test_reader_who_is_stuck_is_dropped(service: Service) -> None:
    async with introduced(service) as socket:
        socket.transport.pause_reading()
        await send(socket, "subscribe", "1", query="subscription { endless(size: 100000) }")
        await eventually(lambda: service.witness.closed == ["endless"])
        socket.transport.abort()


async def test_another_subprotocol_is_not_spoken(service: Service) -> None:
    async with served(service.app) as port, connect(f"ws://{HOST}:{port}/graphql") as socket:
        assert await close_code(socket) == 4406


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://gate.test.evil.test", "https://app.test:8443"])
async def test_page_of_another_origin_may_not_connect(service: Service, origin: str) -> None:
    async with served(service.app) as port:
        with pytest.raises(InvalidStatus) as refused:
            async with connection(port, origin=origin):
                pass

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("origin", ["http://gate.test", "https://app.test", "http://{host}"])
async def test_page_of_ours_or_of_a_listed_origin_may_connect(origin: str) -> None:
    service = make_service(cors_origins=("https://app.test",))
    async with served(service.app) as port, connection(port, origin=origin.format(host=f"{HOST}:{port}")) as socket:
        await send_raw(socket, {"type": "connection_init"})

        assert await receive(socket) == {"type": "connection_ack"}
