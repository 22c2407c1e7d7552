"""A small HTTP server on a real socket that answers as a test tells it to, also as no decent server would."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from tests.support.services import HOST

MEBIBYTE = b" " * 1_048_576
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Asked:
    """One request: form fields come each once."""

    path: str
    headers: dict[str, str]
    form: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """One answer. `mebibytes` of blanks come before the body; one that `trickles` sends some now and then."""

    body: bytes = b"{}"
    status: int = 200
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    mebibytes: int = 0
    trickles: bool = False


def reply(content: object, *, status: int = 200) -> Reply:
    """An answer in JSON."""
    return Reply(json.dumps(content).encode(), status=status)


Answerer = Callable[[Asked], Reply]


class HttpDouble:
    """Answers by path. A path whose name stands in `silent` is never answered."""

    def __init__(self) -> None:
        self.answerers: dict[str, Answerer] = {}
        self.silent: set[str] = set()
        self.asked: list[Asked] = []
        self.mebibytes_sent = 0
        self._over = threading.Event()
        self._server = ThreadingHTTPServer((HOST, 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_port}"

    def paths_asked(self) -> list[str]:
        """Which paths were asked for, in order."""
        return [asked.path for asked in self.asked]

    def close(self) -> None:
        """Stop, and let go of whoever is still waiting."""
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def is_over(self, *, within_seconds: float) -> bool:
        """Wait for the end of the test, for so long."""
        return self._over.wait(within_seconds)

    def answer(self, asked: Asked) -> Reply | None:
        """What to answer; None for nothing at all, once the test is over."""
        self.asked.append(asked)
        if asked.path in self.silent:
            self._over.wait()
            return None
        answerer = self.answerers.get(asked.path)
        return answerer(asked) if answerer else Reply(b"{}", status=404)


def _handler_of(double: HttpDouble) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["content-length"])).decode())

        def _answer(self, body: str) -> None:
            form = {name: values[-1] for name, values in parse_qs(body).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = double.answer(Asked(urlsplit(self.path).path, headers, form))
            # Whoever has had enough hangs up.
            with suppress(OSError):
                if answer is not None:
                    self._send(answer)

        def _send(self, answer: Reply) -> None:
            self.send_response(answer.status)
            self.send_header("content-type", answer.content_type)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            length = len(MEBIBYTE) if answer.trickles else answer.mebibytes * len(MEBIBYTE) + len(answer.body)
            self.send_header("content-length", str(length))
            self.end_headers()
            while answer.trickles and not double.is_over(within_seconds=0.2):
                self.wfile.write(b" ")
            for _ in range(answer.mebibytes):
                self.wfile.write(MEBIBYTE)
                double.mebibytes_sent += 1
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            """Say nothing."""

    return Handler


DoubleType = TypeVar("DoubleType", bound=HttpDouble)


@contextmanager
def doubling(kind: type[DoubleType]) -> Iterator[DoubleType]:
    """Run a double of that kind."""
    double = kind()
    try:
        yield double
    finally:
        double.close()
