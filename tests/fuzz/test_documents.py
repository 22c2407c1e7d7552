"""Twenty thousand drawn documents a run, more where GATEHOUSE_TEST_FUZZ_DOCUMENTS says so."""

import asyncio
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kit.settings import Settings
from schema import schema
from server import Gateway
from tests.fuzz.requests import drawn_request
from tests.fuzz.target import Target
from tests.fuzz.values import Dice
from tests.support.databases import SqliteTemplate
from tests.support.postgres import PostgresServer

DOCUMENTS = int(os.environ.get("GATEHOUSE_TEST_FUZZ_DOCUMENTS", "20000"))
AT_ONCE = 100
"""Drawn from one seed. A failure shows the request itself, so that nothing need be made smaller."""

SHARES = {"sqlite": 3, "postgres": 1}
"""Of the whole, in quarters."""


@pytest.fixture(params=list(SHARES))
def share(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for all examples."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def database_url(share: str, request: pytest.FixtureRequest, runner: asyncio.Runner, tmp_path: Path) -> str:
    if share == "sqlite":
        template: SqliteTemplate = request.getfixturevalue("sqlite_template")
        return template.copy_to(tmp_path)
    server: PostgresServer = request.getfixturevalue("postgres")
    return runner.run(server.emptied_database())


@pytest.fixture
def quiet() -> Iterator[None]:
    """Logs errors only: tens of thousands of mails and events would drown what matters."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    yield
    structlog.reset_defaults()


@pytest.fixture
def target(database_url: str, runner: asyncio.Runner, quiet: None) -> Iterator[Target]:
    configured = Settings(
        database_url=database_url,
        secret_keys=(secrets.token_bytes(32),),
        argon2_memory_kib=64,
        argon2_time_cost=1,
        rate_limits=False,
    )
    gateway, stack = Gateway(configured), AsyncExitStack()
    runner.run(stack.enter_async_context(gateway.started()))
    yield Target(gateway)
    runner.run(stack.aclose())


@pytest.mark.slow
def test_every_document_is_answered_as_documents_are(
    target: Target, runner: asyncio.Runner, share: str, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = DOCUMENTS * SHARES[share] // sum(SHARES.values()) // AT_ONCE

    @settings(
        max_examples=max(1, examples),
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**64 - 1).map(Dice))
    def check(dice: Dice) -> None:
        for _ in range(AT_ONCE):
            runner.run(target.check(drawn_request(dice, schema._schema)))

    check()

    with capsys.disabled():
        sys.stdout.write(f"\nfuzz, {share}: {target.totals}\n")
    assert target.totals.requests >= examples * AT_ONCE
    assert target.totals.ran > target.totals.requests / 10
