"""One live stream of one caller: what waits to be sent, and why the stream ended."""

import asyncio
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from kit import ids
from kit.errors import StreamBroken
from models import SecurityEvent, SecurityEventKind

MOST_WAITING = 100
"""Events that may wait for long; with one more, the stream of a reader who is slow is broken off."""

SLOW_SECONDS = 2.0
"""How long a reader may take over what came at once, a hundred keys revoked in one go say."""

MOST_AT_ONCE = 10 * MOST_WAITING
"""Events that may wait at all."""


class SessionEndReason(StrEnum):
    """Why a credential no longer holds, in the contract's words."""

    SIGNED_OUT_EVERYWHERE = "SIGNED_OUT_EVERYWHERE"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - a name
    EMAIL_CHANGED = "EMAIL_CHANGED"
    TWO_FACTOR_CHANGED = "TWO_FACTOR_CHANGED"
    ACCOUNT_DELETED = "ACCOUNT_DELETED"
    EXPIRED = "EXPIRED"
    API_KEY_REVOKED = "API_KEY_REVOKED"


ENDING_KINDS = {
    SecurityEventKind.SIGNED_OUT_EVERYWHERE: SessionEndReason.SIGNED_OUT_EVERYWHERE,
    SecurityEventKind.PASSWORD_SET: SessionEndReason.PASSWORD_CHANGED,
    SecurityEventKind.PASSWORD_CHANGED: SessionEndReason.PASSWORD_CHANGED,
    SecurityEventKind.PASSWORD_RESET: SessionEndReason.PASSWORD_CHANGED,
    SecurityEventKind.EMAIL_CHANGED: SessionEndReason.EMAIL_CHANGED,
    SecurityEventKind.TWO_FACTOR_ENABLED: SessionEndReason.TWO_FACTOR_CHANGED,
    SecurityEventKind.TWO_FACTOR_DISABLED: SessionEndReason.TWO_FACTOR_CHANGED,
}
"""What ends all sessions of an account, and what is said of it."""


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """When a credential ended, and why."""

    at: datetime
    reason: SessionEndReason


@dataclass(frozen=True, slots=True)
class Credential:
    """What a stream rests on: a session of a generation until a time, or a secret of an API key."""

    account_id: UUID
    generation: int | None = None
    expires_at: datetime | None = None
    api_key_id: UUID | None = None
    secret_digest: str | None = None

    def is_ended_by(self, event: SecurityEvent) -> bool:
        """Whether this event is one that ends such a credential."""
        if self.generation is not None:
            return event.kind in ENDING_KINDS
        if self.api_key_id is None or event.kind != SecurityEventKind.API_KEY_REVOKED:
            return False
        return bool(event.details.get("keyId") == ids.to_global("apikey", self.api_key_id))


class Feed:
    """An iterator over an account's new events of these kinds (None: all), until the credential ends: see `end`."""

    def __init__(self, credential: Credential, kinds: Collection[SecurityEventKind] | None) -> None:
        self.credential = credential
        self.seen: set[UUID] = set()
        self.has_begun = False
        self.end: SessionEnd | None = None
        self._kinds = kinds
        self._waiting: deque[SecurityEvent] = deque()
        self._behind_since = 0.0
        self._broken: str | None = None
        self._changed = asyncio.Event()

    def begin(self, seen: set[UUID]) -> None:
        """From now on; these events happened before."""
        self.seen = seen
        self.has_begun = True

    def deliver(self, events: Sequence[SecurityEvent]) -> None:
        """More has happened."""
        now = time.monotonic()
        if not self._waiting:
            self._behind_since = now
        self._waiting.extend(event for event in events if self._kinds is None or event.kind in self._kinds)
        is_slow = now - self._behind_since > SLOW_SECONDS
        if len(self._waiting) > (MOST_WAITING if is_slow else MOST_AT_ONCE):
            self.break_off("The reader is too slow.")
        self._changed.set()

    def finish(self, events: Sequence[SecurityEvent], end: SessionEnd) -> None:
        """The credential has ended; these events came before that, or are the end itself."""
        self.deliver(events)
        self.end = end
        self._changed.set()

    def break_off(self, reason: str) -> None:
        """End without completion, and forget what waits: the client is to subscribe again."""
        self._waiting.clear()
        self._broken = reason
        self._changed.set()

    @property
    def is_live(self) -> bool:
        """Whether more may come."""
        return self.has_begun and self.end is None and self._broken is None

    def __aiter__(self) -> "Feed":
        return self

    async def __anext__(self) -> SecurityEvent:
        """The next event. Raises StreamBroken where the stream was broken off."""
        while not self._waiting:
            if self._broken is not None:
                raise StreamBroken(self._broken)
            if self.end is not None:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()
