"""What one process runs. It only wires: settings in, services and an ASGI application out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from kit.background import Background
from kit.errors import Unavailable
from kit.keyring import Keyring
from kit.origin import Origin
from kit.passwords import Passwords
from kit.providers import offered
from kit.session_tokens import SessionTokens
from kit.settings import Settings
from kit.stop_signals import heeding_stop_signals
from kit.throttle import RedisCounters, Throttle
from mails.sender import Sender
from mails.transports import open_transport
from models import DatabaseCounters, credentials, database
from models.live_reader import open_live_reader
from models.signals import open_signals
from process.checks import failing, prepare_database, trusted_documents
from resolvers.callers import Services, identify
from resolvers.key_usage import KeyUsage
from resolvers.live_events import LiveEvents
from schema import CREDENTIAL_MUTATIONS, attribute_of, schema
from schema.context import Context
from schema.federation import subgraph_schema
from transport import pages
from transport.demo_providers import DemoProviders
from transport.documents import Documents
from transport.endpoint import GraphQLEndpoint
from transport.event_stream import EventStream
from transport.front import Front
from transport.headers import HeadersMiddleware
from transport.metrics import MetricsMiddleware, metrics_route
from transport.trusted_documents import TrustedDocuments
from transport.websocket import GraphQLSocket

PLAYGROUND = Path(__file__).parents[1] / "playground" / "dist"

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
        self.app = _with_headers(Front(*self._graphql(), self._others()), settings)
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
        routes: list[BaseRoute] = [*pages.health_routes(self._not_ready), metrics_route(), *self._demo.routes]
        if settings.mail_url == "outbox:" and not settings.is_production:
            routes.append(pages.outbox_route(self._newest_mails))
        if settings.playground:
            routes += pages.playground_routes(PLAYGROUND)
        return routes

    def _graphql(self) -> tuple[GraphQLEndpoint, GraphQLSocket]:
        """What answers at `/graphql` over HTTP, and over a WebSocket: by one set of documents."""
        settings = self.settings
        manifest = trusted_documents(settings)
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
