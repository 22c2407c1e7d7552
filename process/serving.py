"""The server around a gateway: one process, or several workers."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from kit.metrics import SHARED_FOLDER_VARIABLE
from kit.settings import Settings
from process.checks import check_place, prepare_database, trusted_documents, with_database
from process.gateway import GRACE_SECONDS, HEARTBEAT_SECONDS, Gateway
from transport.body import MOST_BYTES
from transport.handshake_protocol import HandshakeProtocol
from transport.headers import is_behind_tls
from transport.receipt_deadline import BehindTlsProtocol, ReceiptDeadlineProtocol

STARTING_SECONDS = 30
"""How long a worker may be silent, while it starts on a busy machine say, before it is replaced."""

UVICORN_OPTIONS: dict[str, Any] = {
    "lifespan": "on",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
    "http": ReceiptDeadlineProtocol,
    "ws": HandshakeProtocol,
    "ws_max_size": MOST_BYTES,
    "ws_ping_interval": HEARTBEAT_SECONDS,
    "ws_per_message_deflate": False,
    "timeout_graceful_shutdown": GRACE_SECONDS,
    "timeout_worker_healthcheck": STARTING_SECONDS,
}


class Server(uvicorn.Server):
    """The server of a process of its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's own, which raises the signal once more at the end: by then it means nothing but a clean end."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def serve(settings: Settings) -> int:
    """Serve until told to stop."""
    # Before there is a server, so that whatever is wrong is said in a sentence, and once for all workers.
    trusted_documents(settings)
    check_place(settings)
    asyncio.run(with_database(settings, lambda: prepare_database(settings)))
    options = _options(settings)
    if settings.workers > 1:
        # Workers count requests together, in a folder that the processes they are started as find in the environment.
        with TemporaryDirectory(prefix="gatehouse-metrics-") as folder:
            os.environ[SHARED_FOLDER_VARIABLE] = folder
            return _serve_with_workers(uvicorn.Config("server:app", workers=settings.workers, **options))
    server = Server(uvicorn.Config(Gateway(settings).app, **options))
    server.run()
    return 0 if server.started else 1


def _options(settings: Settings) -> dict[str, Any]:
    # By name and not made here: workers are sent the class.
    protocol = BehindTlsProtocol if is_behind_tls(settings.public_url) else ReceiptDeadlineProtocol
    return UVICORN_OPTIONS | {"host": settings.host, "port": settings.port, "http": protocol}


def _serve_with_workers(config: uvicorn.Config) -> int:
    supervisor = Multiprocess(config, [config.bind_socket()])
    supervisor.run()
    return 1 if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes) else 0
