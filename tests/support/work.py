"""How much work an answer took, counted instead of timed: statements, and passwords hashed."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from kit.passwords import Passwords, Verdict
from server import Gateway

_STATEMENTS = logging.getLogger("tortoise.db_client")
_VALUES = re.compile(r"'[^']*'|\b\d+\b")


@dataclass
class Work:
    """What was done. Statements stand without their values."""

    statements: list[str] = field(default_factory=list)
    hashes: int = 0

    def without(self, name: str) -> "Work":
        """The same, without the statements about one table, or by one function."""
        return Work([text for text in self.statements if not re.search(rf"\b{name}\b", text)], self.hashes)


class _Listener(logging.Handler):
    def __init__(self, work: Work) -> None:
        super().__init__(logging.DEBUG)
        self._work = work

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple) and record.args:
            self._work.statements.append(_VALUES.sub("?", str(record.args[0])))


class CountingPasswords(Passwords):
    """The real thing, which also counts."""

    work = Work()

    async def hash(self, password: str) -> str:
        self.work.hashes += 1
        return await super().hash(password)

    async def verify(self, password_hash: str | None, password: str) -> Verdict:
        self.work.hashes += 1
        return await super().verify(password_hash, password)


@contextmanager
def counted_work(gateway: Gateway) -> Iterator[Work]:
    """Counts what the gateway does meanwhile."""
    services: Any = gateway._services
    passwords = CountingPasswords(gateway.settings)
    passwords.work = work = Work()
    listener = _Listener(work)
    level = _STATEMENTS.level
    _STATEMENTS.addHandler(listener)
    _STATEMENTS.setLevel(logging.DEBUG)
    gateway._services = replace(services, passwords=passwords)
    try:
        yield work
    finally:
        gateway._services = services
        _STATEMENTS.setLevel(level)
        _STATEMENTS.removeHandler(listener)
        passwords.close()
