"""Whether what the process leans on answers, and whether the database is up to date."""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from kit.errors import Unavailable
from kit.settings import Settings, SettingsError
from models import database

LONG_STATEMENT_SECONDS = 600.0
"""How long a statement of a migration may take."""

log = structlog.get_logger("gatehouse")


async def failing(
    checks: dict[str, Callable[[], Coroutine[Any, Any, None]]], tell: Callable[[Exception], str] = str
) -> dict[str, str]:
    """Which of these do not answer, and what is said of them."""
    missing = {}
    for name, check in checks.items():
        try:
            await check()
        except (SettingsError, Unavailable) as problem:
            missing[name] = tell(problem)
    return missing


def with_cause(problem: Exception) -> str:
    """The problem for an operator's eyes: what caused it stands behind it."""
    cause = str(problem.__cause__ or "")
    return f"{problem}: {cause}" if cause else str(problem)


async def prepare_database(settings: Settings) -> None:
    """In development, migrate; in production, refuse a database that is behind. Raises SettingsError, Unavailable."""
    await refuse_if_behind(settings)
    if await database.missing_migrations():
        log.info("migrated", applied=await database.migrate())


async def refuse_if_behind(settings: Settings) -> None:
    """Raises SettingsError that names the command, where production lacks migrations."""
    missing = await database.missing_migrations()
    if missing and settings.is_production:
        raise SettingsError(
            f"The database lacks {', '.join(missing)}: run `python server.py migrate`, then start again."
        )


async def with_database(settings: Settings, work: Callable[[], Coroutine[Any, Any, object]]) -> object:
    """Do this while the database is open, with time for long statements. Raises Unavailable."""
    context = await database.open_database(settings.database_url, statement_seconds=LONG_STATEMENT_SECONDS)
    try:
        return await work()
    finally:
        await database.close_database(context)
