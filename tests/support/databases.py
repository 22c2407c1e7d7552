"""A migrated database for a test, made by copying or emptying one that was migrated once."""

import asyncio
import shutil
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from models import database
from tests.support.postgres import PostgresServer


async def migrate(url: str) -> None:
    """Bring the database of that URL up to date."""
    context = await database.open_database(url)
    try:
        await database.migrate()
    finally:
        await database.close_database(context)


class SqliteTemplate:
    """An SQLite file that is up to date, to be copied for each test."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "template.sqlite3"
        _finish(migrate(f"sqlite://{self._file}"))

    def copy_to(self, folder: Path) -> str:
        """Copy the file and give the copy's URL."""
        copy = shutil.copyfile(self._file, folder / "gatehouse.sqlite3")
        return f"sqlite://{copy}"


def prepare_postgres(server: PostgresServer) -> None:
    """Make what the server gives out to tests."""
    _finish(server.prepare(migrate))


def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread of its own: whoever asks first may have an event loop running already."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
