"""The gateway's process: `python server.py` is its command line, `server:app` its ASGI application. It only wires."""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from kit import logs
from kit.background import Background
from kit.errors import Unavailable
from kit.keyring import Keyring
from kit.metrics import SHARED_FOLDER_VARIABLE
from kit.origin import Origin
from kit.passwords import Passwords
from kit.providers import offered
from kit.session_tokens import SessionTokens
from kit.settings import Settings, SettingsError, load_settings, setting_warnings
from kit.stop_signals import heeding_stop_signals
from kit.throttle import RedisCounters, Throttle
from mails.sender import Sender
from mails.transports import open_transport
from models import DatabaseCounters, credentials, database
from models.live_reader import open_live_reader
from models.signals import open_signals
from resolvers import upkeep
from resolvers.callers import Services, identify
from resolvers.key_usage import KeyUsage
from resolvers.live_events import LiveEvents
from schema import CREDENTIAL_MUTATIONS, attribute_of, schema
from schema.context import Context
from schema.federation import subgraph_schema
from transport import pages
from transport.body import MOST_BYTES
from transport.demo_providers import DemoProviders
from transport.documents import Documents
from transport.endpoint import GraphQLEndpoint
from transport.event_stream import EventStream
from transport.front import Front
from transport.headers import HeadersMiddleware
from transport.metrics import MetricsMiddleware, metrics_route
from transport.receipt_deadline import ReceiptDeadlineProtocol
from transport.trusted_documents import TrustedDocuments, load_manifest
from transport.websocket import GraphQLSocket

PLAYGROUND = Path(__file__).parent / "playground" / "dist"
LONG_STATEMENT_SECONDS = 600.0
"""How long a statement of a migration may take."""

STARTING_SECONDS = 30
"""How long a worker may be silent, while it starts on a busy machine say, before it is replaced."""

GRACE_SECONDS = 10
"""How long requests in flight, and the mail that is being sent, may take after SIGTERM."""

HEARTBEAT_SECONDS = 15.0
"""How often a quiet stream, or a quiet socket, gives a sign of life."""

log = structlog.get_logger("gatehouse")


class Gateway:
    """What one process runs: its services while it is started, and the application that answers."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stopping = False
        self._demo = DemoProviders(settings)
        endpoint, self._socket = self._graphql()
        self.app = _with_headers(Front(endpoint, self._others()), settings)
        self._services: Services | None = None
        self._live_events: LiveEvents | None = None
        self._sender: Sender | None = None

    @asynccontextmanager
    async def _lifespan(self, _: object) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.enter_context(heeding_stop_signals(self.begin_to_stop))
            context = await database.open_database(self.settings.database_url)
            stack.push_async_callback(database.close_database, context)
            await prepare_database(self.settings)
            await self._start(stack)
            log.info("ready", environment=self.settings.environment, url=self.settings.public_url)
            yield
            self.begin_to_stop()

    def begin_to_stop(self) -> None:
        """Say that the process is stopping, so that a load balancer looks elsewhere, and end the streams.

        Requests in flight end by themselves; a stream would keep the process until its patience is over.
        """
        self.stopping = True
        if self._live_events is not None:
            self._live_events.stop()

    async def _start(self, stack: AsyncExitStack) -> None:
        settings, keyring = self.settings, Keyring(self.settings.secret_keys)
        store = RedisCounters(settings.redis_url) if settings.redis_url else DatabaseCounters()
        stack.push_async_callback(store.close)
        passwords = Passwords(settings)
        stack.callback(passwords.close)
        reader = credentials.open_reader(settings.database_url)
        stack.callback(reader.close)
        providers = await stack.enter_async_context(offered.opened(settings, self._demo.transport()))
        sender, key_usage, background = Sender(open_transport(settings), keyring), KeyUsage(), Background()
        live_events = await self._start_live_events(stack, background)
        await stack.enter_async_context(_running(sender.run, sender.stop))
        await stack.enter_async_context(_running(key_usage.run, key_usage.stop))
        stack.push_async_callback(background.drain)
        self._sender = sender
        self._services = Services(
            settings=settings,
            keyring=keyring,
            sessions=SessionTokens(keyring, settings.session_max_age),
            passwords=passwords,
            throttle=Throttle(store, enabled=settings.rate_limits),
            providers=providers,
            reader=reader,
            key_usage=key_usage,
            live_events=live_events,
            wake_sender=sender.wake,
            in_background=background.start,
        )

    async def _start_live_events(self, stack: AsyncExitStack, background: Background) -> LiveEvents:
        signals = open_signals(self.settings, background.start)
        stack.push_async_callback(signals.close)
        reader = open_live_reader(self.settings.database_url)
        stack.callback(reader.close)
        self._live_events = LiveEvents(reader, signals)
        await stack.enter_async_context(_running(self._live_events.run, self._live_events.stop))
        return self._live_events

    def _others(self) -> ASGIApp:
        application = Starlette(routes=self._routes(), lifespan=self._lifespan, exception_handlers=_PLAIN)
        # A redirect from `/graphql/` would lead to whatever host the request names.
        application.router.redirect_slashes = False
        return application

    def _routes(self) -> list[BaseRoute]:
        settings = self.settings
        routes: list[BaseRoute] = [WebSocketRoute("/graphql", self._socket)]
        routes += [*pages.health_routes(self._not_ready), metrics_route(), *self._demo.routes]
        if settings.mail_url == "outbox:" and not settings.is_production:
            routes.append(pages.outbox_route(self._newest_mails))
        if settings.playground:
            routes += pages.playground_routes(PLAYGROUND)
        return routes

    def _graphql(self) -> tuple[GraphQLEndpoint, GraphQLSocket]:
        """What answers at `/graphql` over HTTP, and over a WebSocket: by one set of documents."""
        settings = self.settings
        manifest = load_manifest(settings.trusted_documents) if settings.trusted_documents else None
        trusted = TrustedDocuments(manifest, only_listed=manifest is not None and settings.is_production)
        served = subgraph_schema() if settings.federation else schema
        documents = Documents(
            served._schema,  # noqa: SLF001 - Strawberry's own name for what it built
            introspection=settings.introspection,
            credential_fields=CREDENTIAL_MUTATIONS,
            attribute_of=attribute_of if settings.compiled_plans else None,
        )
        endpoint = GraphQLEndpoint(
            documents,
            self._identify,
            trusted_documents=trusted,
            playground=pages.playground_page(PLAYGROUND) if settings.playground else None,
            stream=EventStream(documents, heartbeat=HEARTBEAT_SECONDS),
            trusted_proxies=settings.trusted_proxies,
        )
        socket = GraphQLSocket(
            documents,
            self._identify,
            trusted_documents=trusted,
            origins={_origin_of(settings.public_url), *settings.cors_origins},
            trusted_proxies=settings.trusted_proxies,
        )
        return endpoint, socket

    def started(self) -> AbstractAsyncContextManager[None]:
        """The gateway while it runs, without a server around it: for tests."""
        return self._lifespan(None)

    async def _identify(self, authorization: str | None, origin: Origin) -> Context:
        if self._services is None:
            raise Unavailable("The gateway")
        return Context(await identify(self._services, authorization, origin))

    async def _newest_mails(self) -> list[dict[str, str]]:
        return await self._sender.newest_sent() if self._sender else []

    async def _not_ready(self) -> dict[str, str]:
        if self.stopping or self._services is None:
            return {"gateway": "is starting or stopping"}
        checks = {"database": database.ping}
        if self.settings.redis_url:
            checks["redis"] = self._services.throttle.store.ping
        return await failing(checks)


_PLAIN = {HTTPException: pages.plain_error, Unavailable: pages.plain_error}


def _with_headers(app: ASGIApp, settings: Settings) -> ASGIApp:
    headed = HeadersMiddleware(app, public_url=settings.public_url, cors_origins=settings.cors_origins)
    return MetricsMiddleware(headed)


def _origin_of(url: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))


@asynccontextmanager
async def _running(run: Callable[[], Coroutine[Any, Any, None]], stop: Callable[[], None]) -> AsyncIterator[None]:
    """A loop that runs meanwhile; it is asked to stop, and cancelled only if it takes too long."""
    task = asyncio.create_task(run())
    try:
        yield
    finally:
        stop()
        await asyncio.wait([task], timeout=GRACE_SECONDS)
        task.cancel()


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
    await _refuse_if_behind(settings)
    if await database.missing_migrations():
        log.info("migrated", applied=await database.migrate())


async def _refuse_if_behind(settings: Settings) -> None:
    missing = await database.missing_migrations()
    if missing and settings.is_production:
        raise SettingsError(
            f"The database lacks {', '.join(missing)}: run `python server.py migrate`, then start again."
        )


# --- The command line


UVICORN_OPTIONS: dict[str, Any] = {
    "lifespan": "on",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
    "http": ReceiptDeadlineProtocol,
    "ws_max_size": MOST_BYTES,
    "ws_ping_interval": HEARTBEAT_SECONDS,
    "ws_per_message_deflate": False,
    "timeout_graceful_shutdown": GRACE_SECONDS,
    "timeout_worker_healthcheck": STARTING_SECONDS,
}


class Server(uvicorn.Server):
    """The server of a process of its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's own, which raises the signal once more at the end: by then it means nothing but a clean end."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def serve(settings: Settings) -> int:
    """Serve until told to stop."""
    # Before there is a server, so that whatever is wrong is said in a sentence, and once for all workers.
    asyncio.run(_with_database(settings, lambda: prepare_database(settings)))
    options = UVICORN_OPTIONS | {"host": settings.host, "port": settings.port}
    if settings.workers > 1:
        # Workers count requests together, in a folder that the processes they are started as find in the environment.
        with TemporaryDirectory(prefix="gatehouse-metrics-") as folder:
            os.environ[SHARED_FOLDER_VARIABLE] = folder
            return _serve_with_workers(uvicorn.Config("server:app", workers=settings.workers, **options))
    server = Server(uvicorn.Config(Gateway(settings).app, **options))
    server.run()
    return 0 if server.started else 1


def _serve_with_workers(config: uvicorn.Config) -> int:
    supervisor = Multiprocess(config, [config.bind_socket()])
    supervisor.run()
    return 1 if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes) else 0


async def _with_database(settings: Settings, work: Callable[[], Coroutine[Any, Any, object]]) -> object:
    context = await database.open_database(settings.database_url, statement_seconds=LONG_STATEMENT_SECONDS)
    try:
        return await work()
    finally:
        await database.close_database(context)


def migrate(settings: Settings) -> int:
    """Bring the database up to date."""
    print(asyncio.run(_with_database(settings, database.migrate)))
    return 0


def rotate_secrets(settings: Settings) -> int:
    """Seal what is stored under the newest key."""
    keyring = Keyring(settings.secret_keys)
    print(asyncio.run(_with_database(settings, lambda: upkeep.rotate_secrets(keyring))))
    return 0


def purge(settings: Settings) -> int:
    """Remove expired rows."""
    print(asyncio.run(_with_database(settings, upkeep.purge)))
    return 0


def check(settings: Settings) -> int:
    """Reach everything that the settings name, and say what is wrong."""
    missing = asyncio.run(_check(settings))
    for name, problem in missing.items():
        print(f"{name}: {problem}")
    print("Something is wrong." if missing else "Everything answers.")
    return 1 if missing else 0


async def _check(settings: Settings) -> dict[str, str]:
    async def reach_database() -> None:
        await _with_database(settings, lambda: _refuse_if_behind(settings))

    checks: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        "database": reach_database,
        "mail": open_transport(settings).check,
    }
    if settings.redis_url:
        store = RedisCounters(settings.redis_url)
        checks["redis"] = store.ping
    return await failing(checks, with_cause)


COMMANDS = {"serve": serve, "migrate": migrate, "check": check, "rotate-secrets": rotate_secrets, "purge": purge}


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
