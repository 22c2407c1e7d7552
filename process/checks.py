"""Whether what the process leans on answers, and whether the database is up to date."""

import socket
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import structlog

from kit.errors import Unavailable
from kit.settings import PREFIX, Settings, SettingsError
from models import database
from transport.trusted_documents import ManifestError, load_manifest

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
    if settings.is_production:
        await require_migrations()


async def require_migrations() -> None:
    """Raises SettingsError that names the command, where there are tables that this release does not find."""
    missing = await database.missing_migrations()
    if missing:
        raise SettingsError(
            f"The database lacks {', '.join(missing)}: run `python server.py migrate`, then start again."
        )


def trusted_documents(settings: Settings) -> Mapping[str, str] | None:
    """The texts by their hashes, where there is a list. Raises SettingsError."""
    if settings.trusted_documents is None:
        return None
    try:
        return load_manifest(settings.trusted_documents)
    except ManifestError as problem:
        raise SettingsError(f"{PREFIX}TRUSTED_DOCUMENTS cannot be used: {problem}.") from None


def check_place(settings: Settings) -> None:
    """Raises SettingsError where the server cannot listen."""
    problem = _problem_of_place(settings.host, settings.port)
    if problem:
        place = f"{settings.host}, port {settings.port}"
        raise SettingsError(f"{PREFIX}HOST and {PREFIX}PORT: cannot listen on {place}: {problem}.")


def _problem_of_place(host: str, port: int) -> str | None:
    """Why no socket of any family can be bound there, or None."""
    problem = "there is no such address"
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        return error.strerror or problem
    for family, kind, protocol, _, address in places:
        try:
            with socket.socket(family, kind, protocol) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(address)
        except OSError as error:
            problem = error.strerror or problem
        else:
            return None
    return problem


async def with_database(settings: Settings, work: Callable[[], Coroutine[Any, Any, object]]) -> object:
    """Do this while the database is open, with time for long statements. Raises Unavailable."""
    context = await database.open_database(settings.database_url, statement_seconds=LONG_STATEMENT_SECONDS)
    try:
        return await work()
    finally:
        await database.close_database(context)
