"""Live streams of this process: each is told what happens to its account, on whichever process, and ends in time.

The database decides, a signal only hurries. Ids sort by time, but clocks of machines differ and a transaction commits
later than its ids were drawn: so a window of the log is read again and again, and what was seen is left out. Nothing
is lost; where a machine's clock is set back, an event may come twice, with the same id.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID

import structlog

from kit import clock, ids
from kit.errors import BadRequest, Unavailable
from kit.signals import Signals
from models import SecurityEvent, SecurityEventKind
from models.credentials import KeyFacts
from models.live_reader import LiveReader
from resolvers.feeds import ENDING_KINDS, Credential, Feed, SessionEnd, SessionEndReason

log = structlog.get_logger("gatehouse.live_events")

MOST_STREAMS = 20
"""Streams of one account in one process."""

LOOK_SECONDS = 0.5
"""How often all streams are looked after where no signal came: half of what the contract allows a session's end."""

WINDOW = timedelta(minutes=5)
"""How far the clocks of machines, and the length of a transaction, may put an event behind the present."""


class LiveEvents:
    """The streams of this process, and the one task that feeds them."""

    def __init__(self, reader: LiveReader, signals: Signals) -> None:
        self._reader = reader
        self._signals = signals
        self._feeds: dict[UUID, list[Feed]] = {}
        self._woken: set[UUID] = set()
        self._look_at_all_at = 0.0
        self._needed = asyncio.Event()
        self._awake = asyncio.Event()
        self._stopping = False

    async def announce(self, account_id: UUID) -> None:
        """Something happens to an account in the present unit of work. Raises Unavailable."""
        await self._signals.announce(account_id)

    async def follow(self, credential: Credential, kinds: Collection[SecurityEventKind] | None) -> Feed:
        """A stream of what happens from now on; `leave` gives it back. Raises BadRequest (too many), Unavailable."""
        account_id = credential.account_id
        feed = Feed(credential, kinds)
        # SECURITY: counted before anything is awaited, so that parallel requests cannot pass the bound together.
        self._enter(feed)
        try:
            before = await self._reader.event_ids([account_id], _window_start())
            self._check_running()
        except BaseException:
            self.leave(feed)
            raise
        feed.begin(before.get(account_id, set()))
        self._heard(account_id)
        return feed

    def leave(self, feed: Feed) -> None:
        """The reader of this stream has gone. May be called twice."""
        feeds = self._feeds.get(feed.credential.account_id, [])
        if feed in feeds:
            feeds.remove(feed)
        if not feeds:
            self._feeds.pop(feed.credential.account_id, None)
        if not self._feeds:
            self._needed.clear()
            self._awake.set()

    def stop(self) -> None:
        """Break off all streams, and let `run` end."""
        self._stopping = True
        for feed in self._all_feeds():
            feed.break_off("The gateway is stopping.")
        self._needed.set()
        self._awake.set()

    async def run(self) -> None:
        """Feed the streams until stopped; listens for signals only while there are any."""
        while not self._stopping:
            await self._needed.wait()
            async with self._listening():
                while self._feeds and not self._stopping:
                    await self._wait()
                    await self._look_once()

    def _check_running(self) -> None:
        if self._stopping:
            raise Unavailable("The gateway")

    def _enter(self, feed: Feed) -> None:
        feeds = self._feeds.setdefault(feed.credential.account_id, [])
        if len(feeds) >= MOST_STREAMS:
            raise BadRequest(f"An account may have at most {MOST_STREAMS} streams open at once.")
        feeds.append(feed)
        self._needed.set()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _listen(self) -> None:
        try:
            await self._signals.listen(self._heard)
        except Exception:
            # Streams go on without signals: what they hear, they hear later.
            log.exception("signals_not_heard")

    def _heard(self, account_id: UUID | None) -> None:
        if account_id is None:
            self._look_at_all_at = 0.0
        elif account_id in self._feeds:
            self._woken.add(account_id)
        else:
            return
        self._awake.set()

    async def _wait(self) -> None:
        """Until a signal came, or it is time to look after all streams."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, self._look_at_all_at - time.monotonic())):
                await self._awake.wait()
        self._awake.clear()

    async def _look_once(self) -> None:
        try:
            await self._look(self._due())
        except Unavailable:
            log.warning("streams_not_fed", streams=len(self._all_feeds()))
        except Exception:
            # Whatever is wrong with one stream, the others go on.
            log.exception("streams_not_fed", streams=len(self._all_feeds()))

    def _due(self) -> list[Feed]:
        woken, self._woken = self._woken, set()
        if time.monotonic() < self._look_at_all_at:
            return [feed for account_id in woken for feed in self._feeds.get(account_id, []) if feed.is_live]
        self._look_at_all_at = time.monotonic() + LOOK_SECONDS
        return self._all_feeds()

    def _all_feeds(self) -> list[Feed]:
        return [feed for feeds in self._feeds.values() for feed in feeds if feed.is_live]

    async def _look(self, feeds: list[Feed]) -> None:
        """Tell these streams what is new, and end those whose credential has ended."""
        if not feeds:
            return
        account_ids = {feed.credential.account_id for feed in feeds}
        happened = await self._reader.event_ids(account_ids, _window_start())
        # SECURITY: the credentials are read after the events, so that a stream whose credential holds gets none that
        # came after its end. For one that has ended the events are read anew, to find the one that ended it.
        ended = await self._ended(feeds, account_ids)
        ended_ids = {feed.credential.account_id for feed in ended}
        until_the_end = await self._reader.event_ids(ended_ids, _window_start()) if ended else {}
        events = await self._load(feeds, happened | until_the_end)
        for feed in feeds:
            found = until_the_end if feed in ended else happened
            seen, feed.seen = feed.seen, found.get(feed.credential.account_id, set())
            fresh = [event for event in events if event.id in feed.seen - seen]
            if feed in ended:
                await self._finish(feed, ended[feed], fresh)
            else:
                feed.deliver(fresh)

    async def _load(self, feeds: list[Feed], happened: dict[UUID, set[UUID]]) -> list[SecurityEvent]:
        fresh = {event_id for feed in feeds for event_id in happened.get(feed.credential.account_id, set()) - feed.seen}
        return await SecurityEvent.filter(id__in=list(fresh)).order_by("id") if fresh else []

    async def _ended(self, feeds: list[Feed], account_ids: Collection[UUID]) -> dict[Feed, SessionEndReason]:
        """Those whose credential no longer holds."""
        generations = await self._reader.generations(account_ids)
        digests = {feed.credential.secret_digest for feed in feeds if feed.credential.secret_digest}
        secrets = await self._reader.secrets(digests) if digests else {}
        ends = {feed: _end_of(feed.credential, generations, secrets) for feed in feeds}
        return {feed: reason for feed, reason in ends.items() if reason is not None}

    async def _finish(self, feed: Feed, reason: SessionEndReason, fresh: list[SecurityEvent]) -> None:
        """End a stream after the event that ended it, and before all that came later."""
        place = next((place for place, event in enumerate(fresh) if feed.credential.is_ended_by(event)), None)
        last = fresh[place] if place is not None else None
        if reason is SessionEndReason.SIGNED_OUT_EVERYWHERE:
            last = last or await self._newest_end(feed.credential.account_id)
            reason = ENDING_KINDS[SecurityEventKind(last.kind)] if last else reason
        at = last.created_at if last else clock.now()
        feed.finish(fresh[: place + 1] if place is not None else [], SessionEnd(at, reason))

    async def _newest_end(self, account_id: UUID) -> SecurityEvent | None:
        kinds = [kind.value for kind in ENDING_KINDS]
        return await SecurityEvent.filter(account_id=account_id, kind__in=kinds).order_by("-id").first()


def _window_start() -> UUID:
    return ids.first_id_at(clock.now() - WINDOW)


def _end_of(
    credential: Credential, generations: Mapping[UUID, int], secrets: Mapping[str, KeyFacts]
) -> SessionEndReason | None:
    """Why a credential no longer holds, None while it does. A raised generation is not told apart from a sign-out."""
    now = clock.now()
    generation = generations.get(credential.account_id)
    secret = secrets.get(credential.secret_digest or "")
    expires_at = secret.expires_at if secret else credential.expires_at
    if generation is None:
        return SessionEndReason.ACCOUNT_DELETED
    if expires_at is not None and expires_at <= now:
        return SessionEndReason.EXPIRED
    if credential.generation is not None:
        return SessionEndReason.SIGNED_OUT_EVERYWHERE if credential.generation != generation else None
    is_over = secret is None or (secret.ends_at is not None and secret.ends_at <= now)
    return SessionEndReason.API_KEY_REVOKED if is_over else None
