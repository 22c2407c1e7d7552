"""What every answer carries (HD-1), and who may read it from another origin (HD-3)."""

import httpx
import pytest
import structlog
from starlette.types import Message, Receive, Scope, Send

from tests.transport.service import Service, make_service
from transport.headers import HeadersMiddleware

FRONT_END = "https://app.example.test"
TRICKS = [
    "https://evil.test",
    "null",
    "https://app.example.test.evil.test",
    "https://evil-app.example.test",
    "http://app.example.test",
    "https://app.example.test:8443",
    "",
]


async def every_status(service: Service) -> list[httpx.Response]:
    good = {"query": "{ viewer { id } }"}
    async with service.client() as client:
        return [
            await service.post(good),
            await service.post({"query": "{"}, {"accept": "application/graphql-response+json"}),
            await service.post(good, {"authorization": "Bearer bad"}),
            await client.get("/nowhere"),
            await service.request("PUT"),
            await service.post(good, {"accept": "text/html"}),
            await client.get("/broken"),
            await service.post(b" " * 70_000),
            await service.post(good, {"content-type": "text/plain"}),
            await service.post({"query": "{ bug }"}),
            await service.post({"query": "{ databaseAway }"}),
        ]


async def test_every_answer_carries_security_headers_and_a_request_id() -> None:
    service = make_service(public_url="https://gate.example.test")

    answers = await every_status(service)

    assert [answer.status_code for answer in answers] == [200, 400, 401, 404, 405, 406, 410, 413, 415, 500, 503]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert int(answer.headers["strict-transport-security"].partition("=")[2].partition(";")[0]) >= 31_536_000
        assert not {"server", "x-powered-by"} & set(answer.headers)
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


async def test_transport_security_is_left_out_without_tls() -> None:
    response = await make_service(public_url="http://gate.example.test").ask("{ __typename }")

    assert "strict-transport-security" not in response.headers


async def test_request_id_is_never_the_clients(service: Service) -> None:
    response = await service.post({"query": "{ bug }"}, {"x-request-id": "mine"})

    assert response.headers["x-request-id"] != "mine"
    assert response.json()["errors"][0]["extensions"]["requestId"] == response.headers["x-request-id"]


async def test_request_id_is_bound_to_the_log_while_the_request_lasts(service: Service) -> None:
    await service.ask("{ __typename }")

    assert structlog.contextvars.get_contextvars() == {}


async def test_page_keeps_a_policy_of_its_own() -> None:
    response = await make_service(playground=True).request("GET", {"accept": "text/html"})

    assert response.headers.get_list("content-security-policy") == ["script-src 'nonce-1'"]
    assert response.headers["cache-control"] == "no-store"


async def test_listed_origin_may_ask_and_read() -> None:
    service = make_service(cors_origins=(FRONT_END,))

    preflight = await service.request("OPTIONS", {"origin": FRONT_END, "access-control-request-method": "POST"})
    answer = await service.post({"query": "{ viewer { id } }"}, {"origin": FRONT_END})

    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-methods"] == "GET, POST"
    assert preflight.headers["access-control-allow-headers"] == "Authorization, Content-Type"
    for response in (preflight, answer):
        assert response.headers["access-control-allow-origin"] == FRONT_END
        assert response.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in response.headers
    assert "X-Request-Id" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", TRICKS)
async def test_other_origins_get_no_leave(origin: str) -> None:
    service = make_service(cors_origins=(FRONT_END, "null"))

    preflight = await service.request("OPTIONS", {"origin": origin, "access-control-request-method": "POST"})
    answer = await service.post({"query": "{ viewer { id } }"}, {"origin": origin})

    assert preflight.status_code == 405
    for response in (preflight, answer):
        assert not [name for name in response.headers if name.startswith("access-control-")]
        assert response.headers["vary"] == "Origin"


async def test_stream_carries_headers_of_its_own_and_none_of_another() -> None:
    listed = ["https://a.example.test", "https://b.example.test"]
    service = make_service(streaming=True, cors_origins=tuple(listed))
    accept, document = {"accept": "text/event-stream"}, {"query": "subscription { ticks }"}
    origins = [*listed, "https://evil.test", None]

    answers = [await service.post(document, accept | ({"origin": origin} if origin else {})) for origin in origins]

    allowed = [answer.headers.get_list("access-control-allow-origin") for answer in answers]
    assert allowed == [[listed[0]], [listed[1]], [], []]
    assert [answer.headers.get_list("vary") for answer in answers] == [["Origin"]] * len(origins)
    ids = [answer.headers.get_list("x-request-id") for answer in answers]
    assert [len(each) for each in ids] == [1] * len(origins)
    assert len({each[0] for each in ids}) == len(origins)


async def test_message_of_the_application_is_left_as_it_is() -> None:
    start: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
    sent: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(start)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "headers": []}
    await HeadersMiddleware(app, public_url="http://gate.test")(scope, receive, send)

    assert start == {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
    assert b"x-request-id" in dict(sent[0]["headers"])


async def test_without_a_list_no_origin_is_allowed(service: Service) -> None:
    response = await service.post({"query": "{ viewer { id } }"}, {"origin": "http://gate.test"})

    assert not [name for name in response.headers if name.startswith("access-control-")]


async def test_plain_options_is_a_method_that_there_is_not() -> None:
    response = await make_service(cors_origins=(FRONT_END,)).request("OPTIONS", {"origin": FRONT_END})

    assert response.status_code == 405


async def test_start_of_the_application_passes_through() -> None:
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(_message: Message) -> None:
        return

    await HeadersMiddleware(app, public_url="http://gate.test")({"type": "lifespan"}, receive, send)

    assert seen == ["lifespan"]


async def test_websocket_handshake_carries_a_request_id_too() -> None:
    sent: list[Message] = []

    async def accepts(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept", "subprotocol": "graphql-transport-ws"})

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await HeadersMiddleware(accepts, public_url="http://gate.test")({"type": "websocket", "headers": []}, receive, send)

    assert b"x-request-id" in dict(sent[0]["headers"])
    assert sent[0]["subprotocol"] == "graphql-transport-ws"
