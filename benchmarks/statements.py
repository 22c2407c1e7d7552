"""How many SQL statements a read takes, however much it gives back.

Counted inside a gateway of this process's own, by the ORM's log: the one statement that finds the caller is not in it.
"""

import logging
import secrets
from pathlib import Path

import httpx
import structlog

from benchmarks import served
from benchmarks.table import Line
from kit import logs
from kit.settings import Settings
from process.gateway import Gateway
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import Person, sign_up

KEYS = (
    "{ viewer { id email apiKeys(first: 50) { totalCount nodes { id name description hint lastUsedAt expiresAt } } } }"
)
_ORM = logging.getLogger("tortoise.db_client")


class Counter(logging.Handler):
    """Counts the statements that the ORM runs for requests: what goes on in the background has no request's id."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.statements = 0

    def emit(self, _: logging.LogRecord) -> None:
        self.statements += "request_id" in structlog.contextvars.get_contextvars()


async def counted(folder: Path) -> list[Line]:
    """For an account with one key, and for one with 50."""
    settings = Settings(
        database_url=f"sqlite://{folder / 'counted.sqlite3'}",
        secret_keys=(secrets.token_bytes(32),),
        argon2_memory_kib=64,
        argon2_time_cost=1,
        rate_limits=False,
    )
    logs.configure(level="warning", form="console")
    gateway = Gateway(settings)
    transport = httpx.ASGITransport(gateway.app)
    async with gateway.started(), httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        person = await sign_up(GraphQLClient(http), Mailbox(http))
        one = await _count(person, keys=1)
        fifty = await _count(person, keys=49)
    return [Line("ORM statements of a viewer with 1 and with 50 keys", "equal", f"{one} and {fifty}")]


async def _count(person: Person, *, keys: int) -> int:
    for number in range(keys):
        (await person.client.run(served.CREATE_KEY, name=f"Key {number}")).expect("ApiKeyCreated")
    counter, level = Counter(), _ORM.level
    _ORM.addHandler(counter)
    _ORM.setLevel(logging.DEBUG)
    _ORM.propagate = False
    try:
        assert (await person.client.run(KEYS)).status == httpx.codes.OK
    finally:
        _ORM.removeHandler(counter)
        _ORM.setLevel(level)
        _ORM.propagate = True
    return counter.statements
