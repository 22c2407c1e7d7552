"""Follows a subscription over server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

PATIENCE_SECONDS = 10
COMPLETE: dict[str, Any] = {"event": "complete"}


class LiveAnswers:
    """The messages of one stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def message(self, within: float = PATIENCE_SECONDS) -> dict[str, Any] | None:
        """The next message that is no heartbeat; None where the stream ended. Raises TimeoutError."""
        async with asyncio.timeout(within):
            return await self._message()

    async def value(self, within: float = PATIENCE_SECONDS) -> Any:
        """The value of the root field in the next message."""
        message = await self.message(within)
        assert message is not None, "the stream has ended"
        assert message["event"] == "next", message
        assert "errors" not in message["data"], message
        (value,) = message["data"]["data"].values()
        return value

    async def _message(self) -> dict[str, Any] | None:
        message: dict[str, Any] = {}
        async for line in self._lines:
            name, _, value = line.partition(":")
            if name == "data" and value.strip():
                message["data"] = json.loads(value)
            elif name == "event":
                message["event"] = value.strip()
            elif not line and message:
                return message
        return None


@asynccontextmanager
async def following(
    base_url: str, document: str, *, token: str | None = None, **variables: Any
) -> AsyncIterator[LiveAnswers]:
    """Subscribe, and go on once the gateway has begun to answer."""
    headers = {"accept": "text/event-stream", **({"authorization": f"Bearer {token}"} if token else {})}
    body = {"query": document, "variables": variables}
    async with (
        httpx.AsyncClient(base_url=base_url, timeout=PATIENCE_SECONDS) as http,
        http.stream("POST", "/graphql", json=body, headers=headers) as response,
    ):
        yield LiveAnswers(response)
