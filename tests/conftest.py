"""What every test may ask for: databases and a Redis, the started application upon them, and people who use it."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import hypothesis
import pytest

from kit import clock
from kit.settings import Settings
from process.gateway import Gateway
from tests.support.databases import SqliteTemplate, prepare_postgres
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import Person, sign_up
from tests.support.postgres import PostgresServer
from tests.support.services import RedisServer, ServiceFailedError, find_redis, running
from tests.support.two_factor import GuardedPerson, enable_two_factor

pytest_plugins = ["tests.support.no_skips"]

# No test is about how long an example takes, so that a busy machine is no failure (in CI Hypothesis does so by itself).
hypothesis.settings.register_profile("untimed", deadline=None)
if "CI" not in os.environ:
    hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that all tests of a run share."""
    with running(PostgresServer) as server:
        prepare_postgres(server)
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis that all tests of a run share."""
    try:
        find_redis()
    except ServiceFailedError as missing:
        pytest.skip(str(missing))
    with running(RedisServer) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """An empty Redis."""
    redis_server.flush()
    return redis_server.url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    """A migrated SQLite file."""
    return SqliteTemplate(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(params=["sqlite", "postgres"])
def database_source(request: pytest.FixtureRequest) -> SqliteTemplate | PostgresServer:
    """What databases come from; each test that has one runs once on either kind."""
    name = "sqlite_template" if request.param == "sqlite" else "postgres"
    source: SqliteTemplate | PostgresServer = request.getfixturevalue(name)
    return source


@pytest.fixture
async def database_url(database_source: SqliteTemplate | PostgresServer, tmp_path: Path) -> str:
    """An empty, migrated database."""
    if isinstance(database_source, SqliteTemplate):
        return database_source.copy_to(tmp_path)
    return await database_source.emptied_database()


@pytest.fixture(autouse=True)
def right_clock() -> Iterator[None]:
    """No test leaves the clock moved."""
    yield
    clock.reset()


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Development, with hashing so cheap that tests can sign in often."""
    return Settings(
        database_url=database_url,
        secret_keys=(secrets.token_bytes(32),),
        argon2_memory_kib=64,
        argon2_time_cost=1,
        log_level="debug",
    )


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    """The real application, started."""
    gateway = Gateway(settings)
    async with gateway.started():
        yield gateway


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """HTTP to the application, without a socket."""
    transport = httpx.ASGITransport(gateway.app, client=("198.51.100.7", 40_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as http:
        yield http


@pytest.fixture
def client(http: httpx.AsyncClient) -> GraphQLClient:
    """A guest."""
    return GraphQLClient(http)


@pytest.fixture
def mailbox(http: httpx.AsyncClient) -> Mailbox:
    """All mail of this gateway."""
    return Mailbox(http)


@pytest.fixture
async def ann(client: GraphQLClient, mailbox: Mailbox) -> Person:
    """Somebody with an account, just signed in."""
    return await sign_up(client, mailbox, email="ann@example.com")


@pytest.fixture
async def bob(client: GraphQLClient, mailbox: Mailbox) -> Person:
    """Somebody else."""
    return await sign_up(client, mailbox, email="bob@example.com")


@pytest.fixture
async def guard(ann: Person) -> GuardedPerson:
    """Ann with two-factor authentication on."""
    return await enable_two_factor(ann)
