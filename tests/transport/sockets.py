"""What a server says on a socket, byte by byte."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

PATIENCE_SECONDS = 5


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """What the server says until it closes, which it must."""
    said = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(65_536):
                said += chunk
    return said


async def one_answer(reader: asyncio.StreamReader) -> bytes:
    """One answer that says how long it is."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        return head + await reader.readexactly(int(length.partition(b":")[2]))
