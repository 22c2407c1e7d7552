"""Who answers: the one path that nearly every request goes to, or the router of all others."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send


class Front:
    """Gives requests for `/graphql` to the endpoint, without the way through a router's middleware and patterns."""

    def __init__(self, endpoint: ASGIApp, others: ASGIApp) -> None:
        self._endpoint = endpoint
        self._others = others

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        is_graphql = scope["type"] == "http" and scope["path"] == "/graphql"
        return (self._endpoint if is_graphql else self._others)(scope, receive, send)
