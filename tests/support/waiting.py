"""Waits for what nothing announces."""

import asyncio
from collections.abc import Callable

PATIENCE_SECONDS = 10


async def eventually(is_so: Callable[[], bool]) -> None:
    """Go on once it is so. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - the code under test sets no event for tests
            await asyncio.sleep(0.01)
