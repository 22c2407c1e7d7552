"""Counts answers and their times, and shows the counts."""

import time
from functools import cache

from prometheus_client import Counter, Histogram
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kit import metrics
from transport.headers import status_of

_PATHS = {path: path for path in ("/graphql", "/healthz", "/readyz", "/metrics", "/outbox", "/")}
_OTHER = "other"


class MetricsMiddleware:
    """Pure ASGI, around the header middleware, which sees the status.

    A path that is none of ours is counted as `other`: clients must not make new series.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = _PATHS.get(scope["path"], _OTHER)
        began = time.perf_counter()

        try:
            await self._app(scope, receive, send)
        finally:
            _seconds(path).observe(time.perf_counter() - began)
            status = status_of(scope)
            if status is not None:
                _requests(path, status).inc()


# To find a series by its labels takes longer than to count in it. There are few: no client names one.
@cache
def _requests(path: str, status: int) -> Counter:
    return metrics.REQUESTS.labels(path, status)


@cache
def _seconds(path: str) -> Histogram:
    return metrics.SECONDS.labels(path)


def metrics_route() -> BaseRoute:
    """`/metrics`, for Prometheus."""

    async def show(_: Request) -> Response:
        return Response(metrics.as_text(), media_type="text/plain; version=0.0.4")

    return Route("/metrics", show)
