"""What every answer carries: a request id, security headers, and leave for listed origins to read it."""

import os
from collections.abc import Iterator, Sequence

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from transport.rejections import Header

ALWAYS: list[Header] = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]
"""What every answer carries beside its request id."""

# Two years, as browsers' preload lists ask.
ALWAYS_BEHIND_TLS: list[Header] = [*ALWAYS, (b"strict-transport-security", b"max-age=63072000; includeSubDomains")]
"""The same where the public URL is https."""

_EXPOSED: Header = (b"access-control-expose-headers", b"X-Request-Id, Retry-After, WWW-Authenticate")
_PREFLIGHT: list[Header] = [
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"Authorization, Content-Type"),
    (b"access-control-max-age", b"600"),
]


class HeadersMiddleware:
    """Pure ASGI, outermost. An application's own header of the same name stays, such as the playground's policy."""

    def __init__(self, app: ASGIApp, *, public_url: str, cors_origins: Sequence[str] = ()) -> None:
        self._app = app
        self._always = ALWAYS_BEHIND_TLS if is_behind_tls(public_url) else ALWAYS
        self._request_ids = _request_ids()
        # SECURITY: a fixed list, compared whole. Every sandboxed page of anybody's has the origin `null`.
        self._origins = frozenset(origin.encode() for origin in cors_origins if origin != "null")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request_id = next(self._request_ids)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        added = [(b"x-request-id", request_id.encode()), *self._always, *self._cors(scope)]

        async def send_with_headers(message: Message) -> None:
            if message["type"] in _STARTS:
                state["status"] = message.get("status")
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                # A new message: what an application sent is its own, and it may send the same again.
                message = {**message, "headers": given + [header for header in added if header[0] not in names]}
            await send(message)

        app = _preflight if self._is_preflight(scope) else self._app
        bound = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await app(scope, receive, send_with_headers)
        finally:
            structlog.contextvars.reset_contextvars(**bound)

    def _cors(self, scope: Scope) -> list[Header]:
        if not self._origins:
            return []
        origin = _header(scope, b"origin")
        if origin not in self._origins:
            return [(b"vary", b"Origin")]
        return [(b"access-control-allow-origin", origin), (b"vary", b"Origin"), _EXPOSED]

    def _is_preflight(self, scope: Scope) -> bool:
        """Only a listed origin's: for anybody else OPTIONS is a method like any other that there isn't."""
        return (
            scope["type"] == "http"
            and scope["method"] == "OPTIONS"
            and _header(scope, b"origin") in self._origins
            and bool(_header(scope, b"access-control-request-method"))
        )


def is_behind_tls(public_url: str) -> bool:
    return public_url.startswith("https://")


def status_of(scope: Scope) -> int | None:
    """With which status a request was answered, once it was."""
    status: int | None = scope.get("state", {}).get("status")
    return status


def _request_ids() -> Iterator[str]:
    """128 random bits each, asked of the system many at a time."""
    while True:
        drawn = os.urandom(4_096).hex()
        yield from (drawn[place : place + 32] for place in range(0, len(drawn), 32))


_STARTS = {"http.response.start", "websocket.accept", "websocket.http.response.start"}


def _header(scope: Scope, wanted: bytes) -> bytes:
    return next((value for name, value in scope["headers"] if name == wanted), b"")


async def _preflight(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": _PREFLIGHT})
    await send({"type": "http.response.body", "body": b""})
