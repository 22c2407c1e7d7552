"""A client that speaks `graphql-transport-ws` to a service, and says what it is answered."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.served import served
from tests.support.services import HOST
from tests.transport.service import Service

PATIENCE_SECONDS = 10


@asynccontextmanager
async def connected(service: Service) -> AsyncIterator[ClientConnection]:
    async with served(service.app) as port, connection(port) as socket:
        yield socket


def connection(port: int, **options: Any) -> connect:
    protocols = [Subprotocol("graphql-transport-ws")]
    return connect(f"ws://{HOST}:{port}/graphql", subprotocols=protocols, open_timeout=PATIENCE_SECONDS, **options)


@asynccontextmanager
async def introduced(service: Service, payload: Any = None) -> AsyncIterator[ClientConnection]:
    async with connected(service) as socket:
        await send_raw(socket, {"type": "connection_init", "payload": payload})
        assert await receive(socket) == {"type": "connection_ack"}
        yield socket


async def send(socket: ClientConnection, kind: str, operation_id: str, **payload: Any) -> None:
    await send_raw(socket, {"type": kind, "id": operation_id, "payload": payload})


async def send_raw(socket: ClientConnection, message: dict[str, Any]) -> None:
    await socket.send(json.dumps(message))


async def receive(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def payloads(socket: ClientConnection) -> list[dict[str, Any]]:
    """What an operation answers until it is complete."""
    payloads = []
    while (message := await receive(socket))["type"] != "complete":
        payloads.append(message["payload"])
    return payloads


async def close_code(socket: ClientConnection) -> int:
    """The code that the server closed with, after whatever else it had said."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.recv()
    assert socket.close_code is not None
    return socket.close_code
