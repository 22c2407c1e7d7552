"""GraphQL over a WebSocket: the sub-protocol `graphql-transport-ws`, as the npm package `graphql-ws` specifies it."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.types import Receive, Scope, Send

from kit.addresses import Network, client_network
from kit.errors import StreamBroken, Unauthenticated, Unavailable
from kit.origin import Origin
from transport.answers import bug, encode, rejection_of
from transport.body import MOST_BYTES, decode_object
from transport.calls import read_call
from transport.documents import Documents
from transport.endpoint import Identify
from transport.handshakes import FORBIDDEN, refuse
from transport.parameters import Parameters, from_object
from transport.rejections import ClientGone, Rejection, bad_request
from transport.running import Results, StreamRequest, open_stream
from transport.socket_limits import Limits, Places
from transport.trusted_documents import TrustedDocuments

_log = structlog.get_logger("gatehouse.transport")

SUBPROTOCOL = "graphql-transport-ws"
MOST_OPERATIONS = 20
"""Operations that run on one socket at once."""

_LONGEST_ID = 64
_LONGEST_REASON = 123
"""Bytes, by RFC 6455 section 5.5."""


class CloseSocket(Exception):
    """Ends the connection with a code of the protocol, or of RFC 6455, and words for whoever debugs a client."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class GraphQLSocket:
    """An ASGI application for one path. `origins` are those of the pages that may connect, beside the gateway's own."""

    def __init__(
        self,
        documents: Documents,
        identify: Identify,
        *,
        trusted_documents: TrustedDocuments | None = None,
        origins: Collection[str] = (),
        trusted_proxies: Sequence[Network] = (),
        limits: Limits | None = None,
    ) -> None:
        self.documents = documents
        self.identify = identify
        self.trusted_documents = trusted_documents or TrustedDocuments()
        self.limits = limits or Limits()
        self._origins = frozenset(origins) - {"null"}
        self._trusted_proxies = trusted_proxies
        self._places = Places()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        call = read_call(scope, self._trusted_proxies)
        # SECURITY: browsers let any page connect anywhere. There are no cookies to ride on; this is a second wall.
        if not self._is_welcome(call.headers):
            await refuse(FORBIDDEN, scope, send)
            return
        offered = SUBPROTOCOL in scope.get("subprotocols", ())
        with self._places.taken(client_network(call.origin.ip_address), self.limits) as be_no_guest:
            await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if offered else None})
            connection = _Connection(self, call.origin, receive, send)
            if not offered:
                await connection.close(CloseSocket(4406, "Subprotocol not acceptable"))
            elif be_no_guest is None:
                await connection.close(CloseSocket(1013, "Too many connections"))
            else:
                await connection.run(be_no_guest)

    def _is_welcome(self, headers: dict[bytes, bytes]) -> bool:
        origin = headers.get(b"origin", b"").decode("latin-1")
        return not origin or origin in self._origins or urlsplit(origin).netloc.encode() == headers.get(b"host")


class _Connection:
    """One socket, from its first message to its close."""

    def __init__(self, endpoint: GraphQLSocket, origin: Origin, receive: Receive, send: Send) -> None:
        self._endpoint = endpoint
        self._origin = origin
        self._receive = receive
        self._raw_send = send
        self._authorization: str | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._idleness = asyncio.timeout(None)

    async def run(self, be_no_guest: Callable[[], None]) -> None:
        """Converse to the end; what is given is called once the caller is known."""
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._converse(tasks, be_no_guest)
        except* ClientGone:
            """Its operations have been cancelled with it."""
        except* CloseSocket as group:
            await self.close(group.exceptions[0])

    async def close(self, end: BaseException) -> None:
        close = end if isinstance(end, CloseSocket) else CloseSocket(1011, "Internal error")
        reason = close.reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._endpoint.limits.patience_seconds):
                await self._raw_send({"type": "websocket.close", "code": close.code, "reason": reason})

    async def _converse(self, tasks: asyncio.TaskGroup, be_no_guest: Callable[[], None]) -> None:
        try:
            async with asyncio.timeout(self._endpoint.limits.init_seconds):
                await self._be_introduced()
        except TimeoutError:
            raise CloseSocket(4408, "Connection initialisation timeout") from None
        if self._authorization is not None:
            be_no_guest()
        await self._send(type="connection_ack")
        try:
            async with self._idleness:
                self._watch_idleness()
                while True:
                    await self._take(await self._message(), tasks)
        except TimeoutError:
            # Clients take this code for no fault, and connect again as soon as they have something to ask.
            raise CloseSocket(1000, "Nothing runs here") from None

    def _watch_idleness(self) -> None:
        """To be called whenever an operation begins or ends: a guest's socket is closed where none runs for long."""
        if self._authorization is None:
            now, seconds = asyncio.get_running_loop().time(), self._endpoint.limits.idle_guest_seconds
            self._idleness.reschedule(None if self._operations else now + seconds)

    async def _be_introduced(self) -> None:
        while (message := await self._message())["type"] != "connection_init":
            if message["type"] == "subscribe":
                raise CloseSocket(4401, "Unauthorized")
            await self._answer_ping(message)
        self._authorization = _authorization_in(message)
        try:
            await self._identify()
        except Rejection:
            raise CloseSocket(1013, "Try again later") from None

    async def _take(self, message: dict[str, Any], tasks: asyncio.TaskGroup) -> None:
        match message["type"]:
            case "subscribe":
                await self._subscribe(message, tasks)
            case "complete":
                task = self._operations.pop(_id_of(message), None)
                if task is not None:
                    task.cancel()
                    self._watch_idleness()
            case "connection_init":
                raise CloseSocket(4429, "Too many initialisation requests")
            case _:
                await self._answer_ping(message)

    async def _answer_ping(self, message: dict[str, Any]) -> None:
        if message["type"] == "ping":
            await self._send(type="pong")
        elif message["type"] != "pong":
            raise CloseSocket(4400, "Unknown or misplaced message type")

    async def _subscribe(self, message: dict[str, Any], tasks: asyncio.TaskGroup) -> None:
        operation_id, payload = _id_of(message), message.get("payload")
        if operation_id in self._operations:
            raise CloseSocket(4409, f"Subscriber for {operation_id} already exists")
        if not isinstance(payload, dict):
            raise CloseSocket(4400, "The payload of subscribe must be an object")
        if len(self._operations) >= MOST_OPERATIONS:
            refused = bad_request(f"At most {MOST_OPERATIONS} operations may run on one socket at once.")
            await self._send(id=operation_id, type="error", payload=refused.errors)
            return
        self._operations[operation_id] = tasks.create_task(self._operate(operation_id, payload))
        self._watch_idleness()

    async def _operate(self, operation_id: str, payload: dict[str, Any]) -> None:
        """Run one operation to its end, and say how it ended."""
        try:
            await self._relay(operation_id, from_object(payload))
            last: dict[str, Any] = {"type": "complete"}
        except Rejection as rejection:
            last = {"type": "error", "payload": rejection.errors}
        except StreamBroken as cause:
            raise CloseSocket(1013, str(cause)) from None
        except (CloseSocket, ClientGone):
            raise
        except Exception as cause:  # noqa: BLE001 - whatever it is, the client gets an answer and the log the trace
            last = {"type": "error", "payload": bug(cause, self._origin.request_id).errors}
        # Another of this id may have begun once the client completed this one.
        if self._operations.get(operation_id) is asyncio.current_task():
            del self._operations[operation_id]
            self._watch_idleness()
        await self._send(id=operation_id, **last)

    async def _relay(self, operation_id: str, asked: Parameters) -> None:
        results = await self._open(asked)
        try:
            async for payload in results:
                await self._send(id=operation_id, type="next", payload=payload)
        finally:
            await results.aclose()

    async def _open(self, asked: Parameters) -> Results:
        """By the same rules as over HTTP. Raises Rejection."""
        documents, trusted = self._endpoint.documents, self._endpoint.trusted_documents
        operation = documents.prepare(trusted.text_of(asked), asked.operation_name, asked.variables)
        trusted.register(asked)
        # SECURITY: a socket outlives what it was opened with, so the credential is looked at for each operation.
        context = await self._identify()
        return await open_stream(documents, StreamRequest(operation, asked, context, self._origin))

    async def _identify(self) -> Any:  # noqa: ANN401 - whatever resolvers take as their context
        try:
            return await self._endpoint.identify(self._authorization, self._origin)
        except Unauthenticated:
            raise CloseSocket(4403, "Forbidden") from None
        except Unavailable as cause:
            raise rejection_of(cause) from None

    async def _message(self) -> dict[str, Any]:
        received = await self._receive()
        if received["type"] == "websocket.disconnect":
            raise ClientGone
        text = received.get("text")
        if text is None or len(text) > MOST_BYTES:
            raise CloseSocket(4400, "Messages are texts of at most 64 KiB")
        try:
            message = decode_object(text.encode())
        except (Rejection, UnicodeEncodeError):
            raise CloseSocket(4400, "A message must be one JSON object") from None
        if not isinstance(message.get("type"), str):
            raise CloseSocket(4400, "A message needs a type")
        return message

    async def _send(self, **message: object) -> None:
        """Raises CloseSocket where the reader takes nothing for too long, ClientGone where there is none any more."""
        try:
            async with asyncio.timeout(self._endpoint.limits.patience_seconds):
                await self._raw_send({"type": "websocket.send", "text": encode(message).decode()})
        except TimeoutError:
            _log.info("slow_reader_dropped", request_id=self._origin.request_id)
            raise CloseSocket(1013, "The reader is too slow.") from None
        except OSError:
            raise ClientGone from None


def _id_of(message: dict[str, Any]) -> str:
    operation_id = message.get("id")
    if not isinstance(operation_id, str) or not 0 < len(operation_id) <= _LONGEST_ID or not operation_id.isprintable():
        raise CloseSocket(4400, f"An operation's id is a text of 1 to {_LONGEST_ID} characters")
    return operation_id


def _authorization_in(message: dict[str, Any]) -> str | None:
    """The caller, as the payload of `connection_init` names it."""
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise CloseSocket(4400, "The payload of connection_init must be an object")
    given = [value for name, value in (payload or {}).items() if name.lower() == "authorization" and value is not None]
    if not given:
        return None
    # SECURITY: two of them, or one that is no text, is no credential, and never a guest by mistake.
    if len(given) > 1 or not isinstance(given[0], str):
        raise CloseSocket(4403, "Forbidden")
    return given[0]
