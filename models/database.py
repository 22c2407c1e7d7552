"""Opening, closing and migrating the database: SQLite or PostgreSQL, one code."""

import os
import sqlite3
import ssl
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tortoise.backends.base.executor import EXECUTOR_CACHE
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext, set_global_context
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget
from tortoise.transactions import in_transaction

from kit.errors import Unavailable
from models.asyncpg_client import CONNECTION_SECONDS, OUTAGES, PATIENCE_SECONDS

CONNECTION = "default"
APP = "models"
_MIGRATION_LOCK = 0x6761_7465  # "gate": any number that no other program on the server uses

SQLITE_PRAGMAS = {
    "journal_mode": "WAL",
    # An acknowledged write survives the loss of power, not only the end of the process.
    "synchronous": "FULL",
    "foreign_keys": "ON",
    # Short, since the one connection waits with it: the patience is in models/sqlite_client.py.
    "busy_timeout": 20,
    "journal_size_limit": 67_108_864,
}


def is_sqlite(url: str) -> bool:
    """Whether the URL names an SQLite file."""
    return url.startswith("sqlite:")


def sqlite_path(url: str) -> Path:
    """The file that `sqlite://relative/path` or `sqlite:///absolute/path` names."""
    return Path(unquote(url.removeprefix("sqlite://")))


def read_only_connection(url: str) -> sqlite3.Connection:
    """A connection of its own to the SQLite file, which cannot write, and under WAL never waits for who does."""
    address = f"{sqlite_path(url).absolute().as_uri()}?mode=ro"
    return sqlite3.connect(address, uri=True, isolation_level=None, timeout=1)


def orm_config(url: str) -> dict[str, Any]:
    """Tortoise's configuration for a database URL."""
    connection = _sqlite_connection(url) if is_sqlite(url) else _postgres_connection(url)
    app = {"models": ["models"], "default_connection": CONNECTION, "migrations": "models.migrations"}
    return {"connections": {CONNECTION: connection}, "apps": {APP: app}}


def _sqlite_connection(url: str) -> dict[str, Any]:
    return {"engine": "models.sqlite_client", "credentials": {"file_path": str(sqlite_path(url)), **SQLITE_PRAGMAS}}


def _postgres_connection(url: str) -> dict[str, Any]:
    return {"engine": "models.asyncpg_client", "credentials": postgres_credentials(url) | {"minsize": 1, "maxsize": 10}}


def postgres_credentials(url: str) -> dict[str, Any]:
    """How asyncpg is to connect, with every wait bounded. A `host` in the query names a socket's folder."""
    parts = urlsplit(url)
    query = dict(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
    return {
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "host": unquote(query["host"]) if "host" in query else parts.hostname or "localhost",
        "port": int(query.get("port") or parts.port or 5432),
        "database": unquote(parts.path.removeprefix("/")),
        "timeout": CONNECTION_SECONDS,
        "command_timeout": PATIENCE_SECONDS,
        **_tls(query.get("sslmode"), query.get("sslrootcert")),
    }


def _tls(mode: str | None, authorities: str | None) -> dict[str, Any]:
    """As libpq takes `sslmode` and `sslrootcert`; without the latter, the machine's authorities are trusted."""
    if mode not in {"verify-ca", "verify-full"}:
        return {"ssl": mode} if mode else {}
    context = ssl.create_default_context(cafile=unquote(authorities) if authorities else None)
    context.check_hostname = mode == "verify-full"
    return {"ssl": context}


async def open_database(url: str, *, statement_seconds: float = PATIENCE_SECONDS) -> TortoiseContext:
    """Connect, and make the connection the one that models use in this process. Raises Unavailable."""
    if is_sqlite(url):
        _try_file(sqlite_path(url))
    config = orm_config(url)
    if not is_sqlite(url):
        config["connections"][CONNECTION]["credentials"]["command_timeout"] = statement_seconds
    context = TortoiseContext()
    # One a process: the lifespan runs in a task of its own, and its context variables don't reach the requests'.
    set_global_context(context)
    try:
        await context.init(config)
        await ping()
    except BaseException:
        await close_database(context)
        raise
    return context


def _try_file(path: Path) -> None:
    """Open the file once, its folder made, before the ORM's own thread does: so it is told why it cannot be used."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # SECURITY: its owner's alone, as the files beside it will be too, which take their mode from it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        _turn_to_wal(path)
    except (OSError, sqlite3.Error) as error:
        raise Unavailable("The database") from error


def _turn_to_wal(path: Path) -> None:
    """Several first starts at once refuse each other here, whatever the busy timeout. Raises sqlite3.Error."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with closing(sqlite3.connect(path, timeout=PATIENCE_SECONDS)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
            time.sleep(0.01)
        else:
            return


async def ping() -> None:
    """Ask the database for an answer. Raises Unavailable."""
    try:
        await get_connection(CONNECTION).execute_query("SELECT 1")
    except OUTAGES as error:
        raise Unavailable("The database") from error


def _executor() -> MigrationExecutor:
    return MigrationExecutor(get_connection(CONNECTION), {APP: orm_config("sqlite://")["apps"][APP]})


async def missing_migrations() -> list[str]:
    """Names of the migrations that the open database has not had yet, oldest first."""
    steps = await _executor().plan([MigrationTarget(APP, "__latest__")])
    return [step.migration.name for step in steps if not step.backward]


async def migrate() -> list[str]:
    """Bring the open database up to date, all or nothing; returns what was applied.

    Several processes may call it at once: SQLite's writer lock, or PostgreSQL's advisory lock, lets one at a time work.
    """
    async with in_transaction() as connection:
        if connection.capabilities.dialect == "postgres":
            await connection.execute_query(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        executor = _executor()
        # The table of applied migrations comes first: to look for it in vain would break PostgreSQL's transaction.
        await executor.recorder.ensure_schema(executor._schema_editor(atomic=False))  # noqa: SLF001 - as migrate() does
        missing = await missing_migrations()
        if missing:
            await executor.migrate([MigrationTarget(APP, "__latest__")], direction="forward")
    return missing


async def close_database(context: TortoiseContext) -> None:
    """Close what open_database opened."""
    await context.close_connections()
    # Tortoise keeps finished statements by the connection's name: the next one may speak another dialect.
    EXECUTOR_CACHE.clear()
