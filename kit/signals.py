"""Telling other processes that something happened to an account: what carries it, and the carrier over Redis.

A signal only hurries: it holds an account's id and nothing else, and one that is lost costs half a second, because who
listens looks at the database now and then anyway.
"""

import asyncio
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import structlog

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

log = structlog.get_logger("gatehouse.signals")

Heard = Callable[[UUID | None], None]
"""Called with the account that something happened to; with None when it may have happened to any."""

RETRY_SECONDS = 1.0
"""How long to wait before listening again where that failed."""


class Signals(Protocol):
    """Carries account ids between the gateway's processes."""

    async def announce(self, account_id: UUID) -> None:
        """Tell all processes once the present unit of work is kept; nobody if it is rolled back. Raises Unavailable."""

    async def listen(self, heard: Heard) -> None:
        """Listen until cancelled, over outages too."""

    async def close(self) -> None:
        """Let go of connections."""


def account_in(payload: str) -> UUID | None:
    """The account id that was carried; None for anything else, since others may write to a channel too."""
    try:
        return UUID(payload)
    except ValueError:
        return None


_CHANNEL = "gatehouse:accounts"
_CONNECT_SECONDS = 1.0
_PUBLISH_SECONDS = 2.5
_LISTEN_SECONDS = 5.0


class RedisChannel:
    """Publishes and hears account ids on one channel of a Redis."""

    def __init__(self, url: str) -> None:
        # Loaded here, since importing it takes a tenth of a second that an installation without Redis need not wait.
        library = importlib.import_module("redis.asyncio")
        self._failures = (importlib.import_module("redis.exceptions").RedisError, OSError, TimeoutError)
        self._redis: Redis = library.Redis.from_url(
            url, socket_connect_timeout=_CONNECT_SECONDS, health_check_interval=_LISTEN_SECONDS
        )

    async def publish(self, account_id: UUID) -> None:
        """Send the id. Failing is only logged: the change itself is kept, and found without a signal."""
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                await self._redis.publish(_CHANNEL, str(account_id))
        except self._failures:
            log.warning("signal_not_sent")

    async def listen(self, heard: Heard) -> None:
        """Listen until cancelled; connects again after an outage."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(_CHANNEL)
                    heard(None)
                    await _hear(channel, heard)
            except self._failures:
                log.warning("signals_not_heard")
            await asyncio.sleep(RETRY_SECONDS)

    async def close(self) -> None:
        await self._redis.aclose()


async def _hear(channel: "PubSub", heard: Heard) -> None:
    while True:
        message: dict[str, Any] | None = await channel.get_message(timeout=_LISTEN_SECONDS)
        if message is not None:
            heard(account_in(message["data"].decode("ascii", "replace")))
