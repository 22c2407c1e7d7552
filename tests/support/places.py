"""The application as seen from several places at once, and with other settings than a test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from kit.settings import Settings
from process.gateway import Gateway
from tests.support.graphql_client import GraphQLClient

HOME = "198.51.100.7"
"""Where the client of the fixtures calls from, and so where people signed up from."""

ELSEWHERE = "203.0.113.66"
"""Where nobody signed in from."""


def visitor(gateway: Gateway, address: str = ELSEWHERE) -> GraphQLClient:
    """A guest who calls from that address."""
    transport = httpx.ASGITransport(gateway.app, client=(address, 40_000))
    return GraphQLClient(httpx.AsyncClient(transport=transport, base_url="http://localhost:8000"))


@asynccontextmanager
async def gateway_with(settings: Settings, **changes: Any) -> AsyncIterator[Gateway]:
    """The application on the same database with some settings changed."""
    gateway = Gateway(settings.model_copy(update=changes))
    async with gateway.started():
        yield gateway
