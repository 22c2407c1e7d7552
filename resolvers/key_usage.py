"""When API keys were last used, written at most once a minute a key, and never in a request's path."""

import asyncio
from datetime import datetime
from uuid import UUID

import structlog

from kit import clock
from kit.errors import Unavailable
from models import ApiKey
from models.base import unit_of_work

log = structlog.get_logger("gatehouse.api_keys")

MOST_REMEMBERED = 50_000


class KeyUsage:
    """Collects uses and writes them down from a task of its own."""

    def __init__(self) -> None:
        self._written: dict[UUID, datetime] = {}
        self._waiting: dict[UUID, datetime] = {}
        self._awake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._stopping = False

    def note(self, key_id: UUID) -> None:
        """A key was used now."""
        minute = clock.now().replace(second=0, microsecond=0)
        if self._written.get(key_id) != minute:
            self._waiting[key_id] = minute
            self._awake.set()

    def stop(self) -> None:
        """End `run` once what waits is written."""
        self._stopping = True
        self._awake.set()

    async def run(self) -> None:
        """Write until stopped. Nothing that goes wrong with one write ends it."""
        while not self._stopping:
            await self._awake.wait()
            self._awake.clear()
            try:
                await self.write()
            except Exception:
                log.exception("key_usage_failed")

    async def write(self) -> None:
        """Write what waits. With the database away it goes on waiting for the next use."""
        async with self._one_at_a_time:
            await self._write()

    async def _write(self) -> None:
        waiting, self._waiting = self._waiting, {}
        if not waiting:
            return
        try:
            async with unit_of_work():
                for key_id, minute in waiting.items():
                    await ApiKey.note_use(key_id, minute)
        except Unavailable:
            log.warning("key_usage_not_written", keys=len(waiting))
            self._waiting = waiting | self._waiting
            return
        if len(self._written) > MOST_REMEMBERED:
            self._written.clear()
        self._written.update(waiting)
