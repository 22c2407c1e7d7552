import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.services import HOST
from tests.transport.service import Service, make_service
from tests.transport.sockets import Connect


@pytest.fixture
def service() -> Service:
    return make_service()


@pytest.fixture
async def connect(port: int) -> AsyncIterator[Connect]:
    """Opens sockets to the module's own `port`, which are closed in the end."""
    writers = []

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(HOST, port, limit=1_024)
        writers.append(writer)
        return reader, writer

    yield connect
    for writer in writers:
        writer.transport.abort()
