"""The real application as the fuzzer's target: asked without a socket, its answers checked and its delays counted."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from kit import clock
from kit.text import clean_email
from models import Account
from process.gateway import Gateway
from resolvers.callers import facts_of
from tests.fuzz.requests import BEARER, Request
from tests.support.people import PASSWORD

SLOWEST_SECONDS = 2.0
EMAIL = "ann@example.com"
CODES = {
    "BAD_REQUEST",
    "DOCUMENT_TOO_COSTLY",
    "GRAPHQL_VALIDATION_FAILED",
    "PERSISTED_QUERY_NOT_FOUND",
    "UNAUTHENTICATED",
    "UNAVAILABLE",
}
LEAKS = [
    b"Traceback",
    b"site-packages",
    # Of a traceback's lines. Not `.py` alone, with which a signature in base64url may begin.
    b'.py\\"',
    b".py:",
    b'File \\"',
    b"SELECT ",
    b"INSERT ",
    b"sqlite",
    b"asyncpg",
    b"tortoise",
    b"strawberry",
    b"graphql-core",
    b"object at 0x",
    b"Exception",
    b"TypeError",
    b"ValueError",
    b"KeyError",
    b"UnicodeEncodeError",
    b"RecursionError",
    b"NoneType",
    b"codec can't",
]


@dataclass
class Totals:
    """What a run amounted to."""

    requests: int = 0
    ran: int = 0
    worst_seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return (
            f"{self.requests} documents, {self.ran} of them answered with data; worst delay "
            f"{1_000 * self.worst_seconds:.0f} ms; statuses {dict(sorted(self.statuses.items()))}; codes {self.codes}"
        )


class Target:
    """Sends requests as one person, who is signed in anew, or signed up, whenever a request has ended that."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._account_id = UUID(int=0)
        self.totals = Totals()

    async def check(self, request: Request) -> None:
        """Ask, and fail where the answer is not as every answer must be."""
        status, body, took = await self._timed(request)
        if took >= SLOWEST_SECONDS:
            # Another program may have had the machine: what is slow is slow twice.
            status, body, took = await self._timed(request)
        self.totals.requests += 1
        self.totals.worst_seconds = max(self.totals.worst_seconds, took)
        self.totals.statuses[status] = self.totals.statuses.get(status, 0) + 1
        assert took < SLOWEST_SECONDS, (took, request)
        assert status < 500 or status == 503, (status, body, request)
        # What was sent may be quoted: only what was not is a leak.
        sent = request.body + request.query_string
        assert not [leak for leak in LEAKS if leak in body and leak not in sent], (body, request)
        for answer in _answers(body):
            self._check_errors(answer, status, request)

    async def _timed(self, request: Request) -> tuple[int, bytes, float]:
        token, began = await self._token(), time.perf_counter()
        status, body = await self._ask(request, token)
        return status, body, time.perf_counter() - began

    def _check_errors(self, answer: dict[str, Any], status: int, request: Request) -> None:
        self.totals.ran += bool(answer.get("data"))
        for error in answer.get("errors", ()):
            code = error["extensions"]["code"]
            self.totals.codes[code] = self.totals.codes.get(code, 0) + 1
            assert code in CODES, (answer, request)
            assert (code == "UNAVAILABLE") == (status == 503), (answer, request)

    async def _token(self) -> bytes:
        services = self._gateway._services
        assert services is not None
        facts = await services.reader.find_account(self._account_id)
        if facts is None:
            password_hash = await services.passwords.hash(PASSWORD)
            facts = facts_of(await Account.open(clean_email(EMAIL, "email"), password_hash=password_hash))
            self._account_id = facts.id
        token, _ = services.sessions.issue(
            account_id=facts.id, generation=facts.generation, signed_in_at=clock.now(), methods=("PASSWORD",)
        )
        return token.encode()

    async def _ask(self, request: Request, token: bytes) -> tuple[int, bytes]:
        inbox = iter([{"type": "http.request", "body": request.body, "more_body": False}])
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)
            return next(inbox, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            sent.append(message)

        await self._gateway.app(_scope(request, token), receive, send)
        status = next(message["status"] for message in sent if "status" in message)
        return status, b"".join(message.get("body", b"") for message in sent)


def _scope(request: Request, token: bytes) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": request.query_string,
        "headers": [(name, value.replace(BEARER, token)) for name, value in request.headers],
        "client": ("198.51.100.7", 40_000),
        "server": ("localhost", 8_000),
    }


def _answers(body: bytes) -> list[dict[str, Any]]:
    """The GraphQL answers in a body: one as JSON, several as events, none where it is a page."""
    if body.startswith(b"{"):
        return [json.loads(body)]
    return [json.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: {")]
