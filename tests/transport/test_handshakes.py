"""WebSocket handshakes that come to nothing: answered as any request is (HD-1)."""

import asyncio
import logging
from typing import Any

import httpx
import pytest
from starlette.types import Message

from tests.support.served import served
from tests.support.services import HOST
from tests.transport.service import Service, make_service

HANDSHAKE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol": "graphql-transport-ws",
    "sec-websocket-version": "13",
}
PATIENCE_SECONDS = 10


@pytest.mark.parametrize(
    ("path", "changes", "status"),
    [
        ("/graphql", {"origin": "https://evil.test"}, 403),
        ("/nowhere", {}, 404),
        ("/nowhere", {"origin": "https://evil.test"}, 404),
        ("/nowhere", {"sec-websocket-version": "8"}, 404),
        ("/broken", {}, 404),
        ("/graphql", {"sec-websocket-version": "8"}, 400),
        ("/graphql", {"sec-websocket-key": "short"}, 400),
        ("/graphql", {"sec-websocket-version": "8", "origin": "https://evil.test"}, 400),
        ("/graphql", {"x-long": "x" * 10_000}, 400),
    ],
)
async def test_refused_handshake_is_answered_as_any_request(path: str, changes: dict[str, str], status: int) -> None:
    answer = await _refused(make_service(public_url="https://gate.example.test"), path, changes)

    assert (answer.status_code, answer.text) == (status, f"{status}\n")
    assert len(answer.headers["x-request-id"]) == 32
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "max-age=" in answer.headers["strict-transport-security"]
    assert not {"server", "x-powered-by"} & set(answer.headers)


async def test_other_version_is_told_which_there_is(service: Service) -> None:
    answer = await _refused(service, "/graphql", {"sec-websocket-version": "8"})

    assert answer.headers["sec-websocket-version"] == "13"


@pytest.mark.parametrize(("body", "status"), [(b"", 405), (b"{}", 400)])
async def test_handshake_by_another_method_is_answered(service: Service, body: bytes, status: int) -> None:
    answer = await _refused(service, "/graphql", {}, method="POST", content=body)

    assert answer.status_code == status
    assert answer.headers.get("allow") == ("GET" if status == 405 else None)


async def test_path_in_no_alphabet_is_answered(service: Service) -> None:
    async with served(service.app) as port, asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection(HOST, port)
        head = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items())
        writer.write(f"GET /graphql/\xff HTTP/1.1\r\nhost: gate.test\r\n{head}\r\n".encode("latin-1"))
        answer = await reader.read()
        writer.close()

    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))


async def test_refusal_is_no_error_of_the_application(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    await _refused(service, "/nowhere", {})

    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_server_without_the_extension_refuses_by_itself(service: Service) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    for path, headers in (("/nowhere", []), ("/graphql", [(b"origin", b"https://evil.test")])):
        await service.app({"type": "websocket", "path": path, "headers": headers}, receive, send)

    assert [message["type"] for message in sent] == ["websocket.close"] * 2


async def _refused(
    service: Service, path: str, changes: dict[str, str], method: str = "GET", **options: Any
) -> httpx.Response:
    async with (
        served(service.app) as port,
        httpx.AsyncClient(base_url=f"http://{HOST}:{port}", timeout=PATIENCE_SECONDS) as http,
    ):
        return await http.request(method, path, headers=HANDSHAKE | changes, **options)
