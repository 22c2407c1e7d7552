from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.chromium import Witness, find_chromium, running_chromium
from tests.browser.playground_page import PlaygroundPage
from tests.support.gateway_process import GatewayProcess, running_gateway


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a file of tests, not for a run: while it lives, no test of asyncio can run."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine: install Debian's package chromium, or Google Chrome")
    with running_chromium(path) as browser:
        yield browser


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    with running_gateway(tmp_path) as process:
        yield process


@pytest.fixture
def visit(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser that has never been here."""
    context = chromium.new_context(viewport={"width": 1360, "height": 850})
    yield context
    context.close()


@pytest.fixture
def witness(visit: BrowserContext, gateway: GatewayProcess) -> Witness:
    return Witness(visit, gateway.base_url)


@pytest.fixture
def playground(visit: BrowserContext, witness: Witness) -> PlaygroundPage:
    return PlaygroundPage(visit.new_page())
