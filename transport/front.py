"""Who answers: the one path that nearly every request goes to, its socket, or the router of all others."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from transport.handshakes import NO_SOCKET_HERE, refusal_of, refuse


class Front:
    """Gives requests for `/graphql` to the endpoint, without the way through a router's middleware and patterns."""

    def __init__(self, endpoint: ASGIApp, socket: ASGIApp, others: ASGIApp) -> None:
        self._endpoint = endpoint
        self._socket = socket
        self._others = others

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "websocket":
            return self._meet(scope, receive, send)
        is_graphql = scope["type"] == "http" and scope["path"] == "/graphql"
        return (self._endpoint if is_graphql else self._others)(scope, receive, send)

    async def _meet(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = refusal_of(scope) if scope["path"] == "/graphql" else NO_SOCKET_HERE
        if refusal is None:
            await self._socket(scope, receive, send)
        else:
            await refuse(refusal, scope, send)
