"""The commands of `python server.py`; each returns the exit code."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from kit.keyring import Keyring
from kit.settings import Settings
from kit.throttle import RedisCounters
from mails.transports import open_transport
from models import database
from process.checks import (
    failing,
    refuse_if_behind,
    require_migrations,
    trusted_documents,
    with_cause,
    with_database,
)
from process.serving import serve
from resolvers import upkeep


def migrate(settings: Settings) -> int:
    """Bring the database up to date."""
    print(asyncio.run(with_database(settings, database.migrate)))
    return 0


def rotate_secrets(settings: Settings) -> int:
    """Seal what is stored under the newest key."""
    keyring = Keyring(settings.secret_keys)
    print(asyncio.run(_in_database(settings, lambda: upkeep.rotate_secrets(keyring))))
    return 0


def purge(settings: Settings) -> int:
    """Remove expired rows."""
    print(asyncio.run(_in_database(settings, upkeep.purge)))
    return 0


async def _in_database(settings: Settings, work: Callable[[], Coroutine[Any, Any, object]]) -> object:
    async def after_a_look() -> object:
        await require_migrations()
        return await work()

    return await with_database(settings, after_a_look)


def check(settings: Settings) -> int:
    """Reach everything that the settings name, and say what is wrong."""
    missing = asyncio.run(_check(settings))
    for name, problem in missing.items():
        print(f"{name}: {problem}")
    print("Something is wrong." if missing else "Everything answers.")
    return 1 if missing else 0


async def _check(settings: Settings) -> dict[str, str]:
    async def reach_database() -> None:
        await with_database(settings, lambda: refuse_if_behind(settings))

    async def read_manifest() -> None:
        trusted_documents(settings)

    checks: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        "trusted documents": read_manifest,
        "database": reach_database,
        "mail": open_transport(settings).check,
    }
    if settings.redis_url:
        store = RedisCounters(settings.redis_url)
        checks["redis"] = store.ping
    return await failing(checks, with_cause)


COMMANDS = {"serve": serve, "migrate": migrate, "check": check, "rotate-secrets": rotate_secrets, "purge": purge}
