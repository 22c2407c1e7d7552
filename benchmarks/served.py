"""Servers to load, as processes on chosen cores, and people who use them."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import httpx

from benchmarks.load import Target, post
from benchmarks.machine import DEPLOYED_PYTHON, SERVER_CORE, started_on
from tests.support.gateway_process import GatewayProcess
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import PASSWORD, Person, sign_up
from tests.support.services import PATIENCE_SECONDS, free_port, wait_until

ROOT = Path(__file__).resolve().parents[1]
VIEWER = "{ viewer { id email } }"
LOG_IN = """
mutation ($email: EmailAddress!) {
  logIn(input: {email: $email, password: "a long enough passphrase"}) { __typename ... on SessionStarted { token } }
}
"""
CREATE_KEY = """
mutation ($name: String!) { createApiKey(input: {name: $name}) { __typename ... on ApiKeyCreated { key } } }
"""


@contextmanager
def gateway(
    folder: Path, database_url: str | None = None, *, workers: int = 1, cores: set[int] = SERVER_CORE
) -> Iterator[GatewayProcess]:
    """A gateway as it ships, with argon2 at its full cost, but for its rate limits."""
    environment = {
        "GATEHOUSE_LOG_LEVEL": "warning",
        "GATEHOUSE_RATE_LIMITS": "off",
        "GATEHOUSE_WORKERS": str(workers),
        **({"GATEHOUSE_DATABASE_URL": database_url} if database_url else {}),
    }
    process = GatewayProcess(folder, environment, python=DEPLOYED_PYTHON)
    try:
        with started_on(cores):
            # First, as in production: what a migration leaves in a process's memory is none of serving's.
            assert process.run("migrate").returncode == 0
            process.start()
        yield process
    finally:
        process.kill()


class Bare(NamedTuple):
    """A bare route that runs."""

    port: int
    pid: int


@contextmanager
def bare(*arguments: str) -> Iterator[Bare]:
    """A bare route on the server's core."""
    port = free_port()
    with started_on(SERVER_CORE):
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.bare", str(port), *arguments], cwd=ROOT)
    try:
        wait_until(lambda: _answers(port), lambda: process.poll() is not None, said=ROOT / "README.md")
        yield Bare(port, process.pid)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=PATIENCE_SECONDS).status_code == httpx.codes.NOT_FOUND
    except httpx.TransportError:
        return False


@dataclass(frozen=True)
class User:
    """Somebody with an account and keys on a gateway."""

    port: int
    person: Person
    keys: list[str]

    def by_session(self, document: str = VIEWER) -> Target:
        return post(self.port, document, bearer=self.person.token)

    def by_key(self, document: str = VIEWER) -> Target:
        return post(self.port, document, bearer=self.keys[0])

    def log_in(self) -> Target:
        return post(self.port, LOG_IN, email=self.person.email)


async def a_user(process: GatewayProcess, email: str = "ann@example.com", *, keys: int = 1) -> User:
    """Sign up, sign in, and make keys."""
    async with browsing(process.base_url) as http:
        person = await sign_up(GraphQLClient(http), Mailbox(http), email=email, password=PASSWORD)
        made = [await person.client.run(CREATE_KEY, name=f"Key {number}") for number in range(keys)]
    return User(process.port, person, [answer.expect("ApiKeyCreated")["key"] for answer in made])


@asynccontextmanager
async def browsing(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client that is as patient as the services are."""
    async with httpx.AsyncClient(base_url=base_url, timeout=PATIENCE_SECONDS) as http:
        yield http
