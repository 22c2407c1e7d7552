"""What clients can follow live."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Annotated, Generic, TypeVar

import strawberry

import models
from resolvers.callers import Caller
from resolvers.feeds import Feed, SessionEndReason
from schema.context import Info
from schema.events import SecurityEvent

strawberry.enum(SessionEndReason, description="Why a session is over.")

T = TypeVar("T")


@strawberry.type(description="The caller's session is over.")
class SessionEnded:
    at: datetime = strawberry.field(description="When it ended.")
    reason: SessionEndReason = strawberry.field(description="What ended it.")


class _Following(ABC, Generic[T]):
    """What is followed. Not a generator: one that was never begun would not notice that it is closed."""

    def __init__(self, caller: Caller, feed: Feed) -> None:
        self._live_events = caller.services.live_events
        self._feed = feed

    def __aiter__(self) -> "_Following[T]":
        return self

    @abstractmethod
    async def __anext__(self) -> T: ...

    async def aclose(self) -> None:
        """Nobody listens any more."""
        self._live_events.leave(self._feed)


class _Events(_Following[SecurityEvent]):
    async def __anext__(self) -> SecurityEvent:
        return SecurityEvent.from_row(await anext(self._feed))


class _End(_Following[SessionEnded]):
    _is_told = False

    async def __anext__(self) -> SessionEnded:
        async for _ in self._feed:
            """None comes: the feed is of no kind."""
        end = self._feed.end
        if self._is_told or end is None:
            raise StopAsyncIteration
        self._is_told = True
        return SessionEnded(at=end.at, reason=end.reason)


async def _follow(info: Info, kinds: Collection[models.SecurityEventKind] | None) -> tuple[Caller, Feed]:
    caller = info.context.caller
    return caller, await caller.services.live_events.follow(caller.credential(), kinds)


@strawberry.type(description="What can be followed, over server-sent events or a WebSocket.")
class Subscription:
    @strawberry.subscription(
        description="What happens to the caller's account, as it happens, whichever gateway it happened on."
    )
    async def security_events(
        self,
        info: Info,
        kinds: Annotated[
            list[models.SecurityEventKind] | None,
            strawberry.argument(description="Only these kinds; all, if left out."),
        ] = None,
    ) -> AsyncIterator[SecurityEvent]:
        return _Events(*await _follow(info, kinds))

    @strawberry.subscription(
        description="One value within a second of the caller's session ending, then completion: "
        "a browser that is signed out knows."
    )
    async def session_ended(self, info: Info) -> AsyncIterator[SessionEnded]:
        return _End(*await _follow(info, ()))
