"""The gateway's process: `python server.py` is its command line, `server:app` its ASGI application."""

import gc

# Importing makes a million objects and hardly any garbage: the collector would look through them all, time and again.
gc.disable()

import argparse
import sys

import structlog
from starlette.types import ASGIApp

from kit import logs
from kit.errors import Unavailable
from kit.settings import SettingsError, load_settings, setting_warnings
from process.checks import with_cause
from process.commands import COMMANDS
from process.gateway import Gateway
from schema import schema

# What has been imported stays: no later collection, in the middle of somebody's request, need look at it either.
gc.freeze()
gc.enable()

log = structlog.get_logger("gatehouse")


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="server.py", description=__doc__)
    parser.add_argument("command", nargs="?", default="serve", choices=[*COMMANDS, "schema"])
    command = parser.parse_args(arguments).command
    if command == "schema":
        sys.stdout.write(f"{schema.as_str()}\n")
        return 0
    try:
        settings = load_settings()
        logs.configure(level=settings.log_level, form=settings.log_format)
        for warning in setting_warnings(settings):
            log.warning("setting", problem=warning)
        return COMMANDS[command](settings)
    except (SettingsError, Unavailable) as problem:
        print(with_cause(problem), file=sys.stderr)
        return 1


def __getattr__(name: str) -> ASGIApp:
    """`server:app`, made when it is asked for: the other commands need none."""
    if name != "app":
        raise AttributeError(name)
    settings = load_settings()
    logs.configure(level=settings.log_level, form=settings.log_format)
    return Gateway(settings).app


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
