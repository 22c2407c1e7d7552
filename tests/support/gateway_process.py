"""The gateway as whoever runs it sees it: `python server.py serve`, a process with a folder and an environment."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.support.services import HOST, PATIENCE_SECONDS, free_port, wait_until

SERVER = Path(__file__).resolve().parents[2] / "server.py"


class GatewayProcess:
    """One gateway on a port of its own. Its working folder holds its data and its log, over a restart too.

    Without an environment it runs on its defaults: development, SQLite, mail into the outbox.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str] | None = None, *, python: str = sys.executable
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.base_url = f"http://{HOST}:{self.port}"
        self.log = folder / "gateway.log"
        self._environment = dict(environment or {})
        self._python = python
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        """What the process has printed since its first start."""
        return self.log.read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's id, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it is ready. Raises ServiceFailedError."""
        self.spawn()
        wait_until(self.is_ready, lambda: not self.is_running, said=self.log)

    def spawn(self) -> None:
        """Start and do not wait, for one that is expected to refuse."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._python, SERVER, "serve"],
                cwd=self.folder,
                env=self._whole_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self) -> int:
        """Wait for its end and give its exit code."""
        assert self._process is not None
        return self._process.wait(PATIENCE_SECONDS)

    def ask_to_stop(self) -> None:
        """Send SIGTERM and do not wait."""
        self._send(signal.SIGTERM)

    def stop(self) -> int:
        """Send SIGTERM and give the exit code."""
        self.ask_to_stop()
        return self.wait()

    def kill(self) -> None:
        """End it and all its workers at once, as the kernel would."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self.wait()

    def restart(self) -> None:
        """Stop it, and start it on the same folder and port."""
        self.stop()
        self.start()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of `server.py` in the same folder and environment, to its end."""
        return subprocess.run(
            [self._python, SERVER, *arguments],
            cwd=self.folder,
            env=self._whole_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    def _whole_environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GATEHOUSE_")}
        own = {"GATEHOUSE_PORT": str(self.port), "GATEHOUSE_PUBLIC_URL": self.base_url, "PYTHONUNBUFFERED": "1"}
        return inherited | own | self._environment

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def is_ready(self) -> bool:
        """Whether it answers that it is."""
        try:
            return httpx.get(f"{self.base_url}/readyz", timeout=PATIENCE_SECONDS).is_success
        except httpx.TransportError:
            return False


@contextmanager
def running_gateway(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[GatewayProcess]:
    """Run a gateway in that folder, and end it whatever happens."""
    gateway = GatewayProcess(folder, environment)
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.kill()
