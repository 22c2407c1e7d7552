"""What uvicorn writes to, where closing has an end."""

import asyncio
from typing import Any, ClassVar


class AbortingTransport:
    """A transport whose close() does not wait for ever until the other side has read what is left."""

    LINGER_SECONDS: ClassVar = 5.0

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        # What every answer needs, without the way through __getattr__.
        self.write, self.is_closing = transport.write, transport.is_closing

    def close(self) -> None:
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._loop.call_later(self.LINGER_SECONDS, self._transport.abort)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - everything else is the transport's own
        return getattr(self._transport, name)
