"""Logging: one structured line an occurrence, in UTC, with the request's id; the same for libraries' lines."""

import logging
import sys
from typing import Literal

import structlog

_SHARED: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(*, level: str, form: Literal["console", "json"]) -> None:
    """Send every logger of the process to standard error in that form.

    SECURITY: tracebacks are written without local variables, which may hold passwords; JSON escapes line breaks, so
    that no text of a user forges a line (ASVS 16.4.1).
    """
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(form))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # SECURITY: at DEBUG these write statements with their values, and whole requests with their headers.
    for talkative in ("tortoise", "tortoise.db_client", "aiosqlite", "asyncio", "httpx", "httpcore", "uvicorn.error"):
        logging.getLogger(talkative).setLevel(max(logging.INFO, root.level))
    # SECURITY: uvicorn's line about each WebSocket has the query string in it, where somebody may have put a token.
    logging.getLogger("uvicorn.error").addFilter(_is_about_no_socket)


def _is_about_no_socket(record: logging.LogRecord) -> bool:
    return '"WebSocket ' not in str(record.msg)


def _formatter(form: Literal["console", "json"]) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(form)],
    )


def _renderers(form: Literal["console", "json"]) -> list[structlog.types.Processor]:
    if form == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # The plain traceback: the pretty one shows local variables.
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
