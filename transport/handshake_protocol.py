"""uvicorn's side of a WebSocket handshake. By itself it would answer a bad one without our headers, or not at all."""

import asyncio
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from transport.handshakes import Refusal, note_refusal

_BAD_REQUEST, _SWITCHING_PROTOCOLS = 400, 101
# What a client could have asked for instead (RFC 6455 section 4.4, RFC 9110 section 15.5.6).
_ADVICE = {
    _BAD_REQUEST: [(b"sec-websocket-version", b"13")],
    405: [(b"allow", b"GET")],
}


class HandshakeProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which has the application answer a handshake that is none."""

    conn: "_Handshakes"

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # As uvicorn makes it where compression is off.
        self.conn = _Handshakes(max_size=config.ws_max_size, logger=self.logger)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # A head longer than websockets reads, or one with a body: the connection would stay open without a word.
            self.conn = _Handshakes(is_readable=False, logger=self.logger)
            self.handle_connect(_request_in(data))

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        status = self.conn.refused_with
        if status is not None:
            # The application has been called by now, and has not begun.
            note_refusal(self.scope["state"], Refusal(status, _ADVICE.get(status, ())))

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            # uvicorn does not take this for the end of a handshake, and would log an error of the application.
            self.handshake_complete = True


class _Handshakes(ServerProtocol):
    """Lets uvicorn go on with every handshake, and remembers the status that it would have been refused with."""

    def __init__(self, *, is_readable: bool = True, **options: Any) -> None:  # noqa: ANN401 - the base class's own
        super().__init__(**options)
        self.refused_with: int | None = None if is_readable else _BAD_REQUEST

    def accept(self, request: Request) -> Response:
        response = super().accept(request)
        if response.status_code == _SWITCHING_PROTOCOLS:
            return response
        self.refused_with = self.refused_with or response.status_code
        return Response(_SWITCHING_PROTOCOLS, "", response.headers)


def _request_in(head: bytes) -> Request:
    """The request, from the head as uvicorn's HTTP side writes it out for this one."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = Headers()
    for line in filter(None, lines):
        name, _, value = line.partition(": ")
        headers[name] = value
    return Request(path.encode("ascii", "replace").decode(), headers, method)
