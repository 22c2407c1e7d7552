"""Another process that writes to the database at a certain statement of the gateway's, not a moment sooner or later."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import asyncpg

from models.database import is_sqlite, postgres_credentials, sqlite_path

_STATEMENTS = logging.getLogger("tortoise.db_client")


class Meanwhile(logging.Handler):
    """Waits for the statement in which a mark stands, and writes just before it goes to the database.

    `problems` has what the database said, where it let nobody else write. `seen` counts the statements with the mark.
    """

    def __init__(self, url: str, mark: str, *writes: str) -> None:
        super().__init__(logging.DEBUG)
        self._url = url
        self._mark = mark
        self._writes = writes
        self.seen: list[str] = []
        self.problems: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        statement = str(record.args[0]) if isinstance(record.args, tuple) and record.args else ""
        if self._mark not in statement:
            return
        self.seen.append(statement)
        if len(self.seen) == 1 and self._writes:
            self._write()

    def _write(self) -> None:
        # In a thread, for the event loop stands still until it is done: so nothing of the gateway's comes in between.
        write = _write_to_sqlite if is_sqlite(self._url) else _write_to_postgres
        with ThreadPoolExecutor(1) as thread:
            try:
                thread.submit(write, self._url, self._writes).result()
            except (sqlite3.Error, asyncpg.PostgresError) as error:
                self.problems.append(str(error))


def _write_to_sqlite(url: str, writes: tuple[str, ...]) -> None:
    with closing(sqlite3.connect(sqlite_path(url), timeout=0.1, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for write in writes:
            connection.execute(write)


def _write_to_postgres(url: str, writes: tuple[str, ...]) -> None:
    async def connected() -> None:
        connection = await asyncpg.connect(**postgres_credentials(url), server_settings={"lock_timeout": "100"})
        try:
            for write in writes:
                await connection.execute(write)
        finally:
            await connection.close()

    asyncio.run(connected())


@contextmanager
def meanwhile(url: str, mark: str, *writes: str) -> Iterator[Meanwhile]:
    """Writes once, at the first statement with the mark."""
    listener = Meanwhile(url, mark, *writes)
    level = _STATEMENTS.level
    _STATEMENTS.addHandler(listener)
    _STATEMENTS.setLevel(logging.DEBUG)
    try:
        yield listener
    finally:
        _STATEMENTS.setLevel(level)
        _STATEMENTS.removeHandler(listener)
