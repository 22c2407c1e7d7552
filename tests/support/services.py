"""A real PostgreSQL and a real Redis, started out of Python wheels in folders of their own, stopped without a trace.

Each server listens on a free port of the loopback address. A test can stop it, start it again on the same data and
port, or freeze it so that it takes connections and answers nothing.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import psutil

HOST = "127.0.0.1"
PATIENCE_SECONDS = 20.0


class ServiceFailedError(Exception):
    """A server did not come up, or is not to be had on this machine."""


def free_port() -> int:
    """Find a port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Service(ABC):
    """A server process of ours on a folder and a port that stay the same over a restart."""

    stop_signal = signal.SIGKILL

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    def start(self) -> None:
        """Start the server and wait until it answers. Raises ServiceFailedError."""
        with self.log.open("ab") as log:
            self._process = self._spawn(log.fileno())
        wait_until(self._is_up, self._died, said=self.log)

    def stop(self) -> None:
        """End the server at once, with whatever it is doing. What it has on disk stays."""
        if self._process is None:
            return
        self.thaw()
        self._process.send_signal(self.stop_signal)
        self._process.wait(PATIENCE_SECONDS)
        self._process = None

    def freeze(self) -> None:
        """Let the server take connections and answer nothing, until it is thawed."""
        for process in self._all_processes():
            process.suspend()

    def thaw(self) -> None:
        """Let a frozen server go on."""
        for process in self._all_processes():
            # The first that goes on may end others.
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def _all_processes(self) -> list[psutil.Process]:
        if self._process is None or self._process.poll() is not None:
            return []
        main = psutil.Process(self._process.pid)
        return [main, *main.children(recursive=True)]

    def _died(self) -> bool:
        return self._process is None or self._process.poll() is not None

    @abstractmethod
    def _spawn(self, log: int) -> subprocess.Popen[bytes]: ...

    @abstractmethod
    def _is_up(self) -> bool: ...


ServiceType = TypeVar("ServiceType", bound=Service)


class RedisServer(Service):
    """Redis without persistence."""

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def flush(self) -> None:
        """Forget every counter."""
        self._ask(b"FLUSHALL")

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        arguments = ["--bind", HOST, "--port", str(self.port), "--dir", str(self.folder), "--save", ""]
        return subprocess.Popen([find_redis(), *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def _is_up(self) -> bool:
        try:
            return self._ask(b"PING") == b"+PONG\r\n"
        except OSError:
            return False

    def _ask(self, command: bytes) -> bytes:
        with socket.create_connection((HOST, self.port), timeout=PATIENCE_SECONDS) as connection:
            connection.sendall(command + b"\r\n")
            return connection.recv(64)


def find_redis() -> str:
    """Find the wheel's server beside this Python, or one that the machine has. Raises ServiceFailedError."""
    found = shutil.which("redis-server", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise ServiceFailedError("There is no redis-server: the wheel has none for this platform, and PATH has none.")
    return found


def wait_until(is_done: Callable[[], bool], has_failed: Callable[[], bool], *, said: Path) -> None:
    """Poll until a process is up. Raises ServiceFailedError with what it said when it ended or took too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_done():
        if has_failed() or time.monotonic() > deadline:
            raise ServiceFailedError(f"It did not come up, and said:\n{said.read_text(errors='replace')}")
        time.sleep(0.01)


@contextmanager
def running(kind: type[ServiceType]) -> Iterator[ServiceType]:
    """Run a server of that kind in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-", ignore_cleanup_errors=True) as folder:
        service = kind(Path(folder))
        try:
            service.start()
            yield service
        finally:
            service.stop()
