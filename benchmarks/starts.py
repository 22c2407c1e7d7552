"""Starting: until the first answer, and what importing costs of it."""

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import served
from benchmarks.load import Target, post
from benchmarks.machine import DEPLOYED_PYTHON, SERVER_CORE, started_on
from benchmarks.table import Line
from tests.support.gateway_process import GatewayProcess
from tests.support.services import PATIENCE_SECONDS

IMPORTING = "import server"


def starting(folder: Path, rounds: int) -> list[Line]:
    """On an SQLite file that is up to date, and on one that there isn't yet."""
    process = GatewayProcess(folder, {"GATEHOUSE_LOG_LEVEL": "warning"}, python=DEPLOYED_PYTHON)
    first = _until_answer(process)
    again = [_until_answer(process) for _ in range(rounds)]
    imports = [_importing() for _ in range(rounds)]
    return [
        Line("start to first answer, ms", "≤ 700", f"{median(again):.0f}"),
        Line("of which imports, ms", "", f"{median(imports):.0f}"),
        Line("the very first start, which makes the database, ms", "", f"{first:.0f}"),
    ]


def _until_answer(process: GatewayProcess) -> float:
    def ask() -> float:
        process.spawn()
        _wait_for_answer(post(process.port, served.VIEWER))
        return time.perf_counter()

    took = _timed(ask)
    process.kill()
    return took


def _importing() -> float:
    """`python -c 'import server'` less `python -c pass`."""

    def run(code: str) -> Callable[[], float]:
        def ran() -> float:
            subprocess.run([DEPLOYED_PYTHON, "-c", code], check=True, cwd=served.ROOT)
            return time.perf_counter()

        return ran

    return _timed(run(IMPORTING)) - _timed(run("pass"))


def _timed(work: Callable[[], float]) -> float:
    """Milliseconds on the server's core until the work says it was done."""
    with started_on(SERVER_CORE):
        began = time.perf_counter()
        ended = work()
    return (ended - began) * 1000


def _wait_for_answer(target: Target) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", target.port), timeout=PATIENCE_SECONDS) as connection:
                connection.sendall(target.request)
                assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
                return
        except ConnectionError:
            time.sleep(0.002)
    raise TimeoutError("The gateway did not answer.")
