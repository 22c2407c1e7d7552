"""The client libraries that front-ends use, each from sign-up to a first key that works, against the served gateway."""

import asyncio
import json
import shutil
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest
from gql import Client, GraphQLRequest, gql
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

from schema import schema
from tests.support.gateway_process import GatewayProcess, running_gateway
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.node import run_node
from tests.support.people import COMPLETE_SIGN_UP, PASSWORD, SIGN_UP

pytestmark = pytest.mark.process

FOLDER = Path(__file__).parent
EMAIL = "ann@example.com"
CREATE = 'mutation { createApiKey(input: {name: "gql"}) { ... on ApiKeyCreated { key apiKey { name } } } }'
CREATED = "subscription { securityEvents(kinds: [API_KEY_CREATED]) { kind } }"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    folder = tmp_path / "gateway"
    folder.mkdir()
    with running_gateway(folder) as gateway:
        yield gateway


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """The clients' sources with the schema, where what they generate may lie about."""
    folder = tmp_path / "clients"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__", "*.py"))
    if (FOLDER / "node_modules").is_dir():
        (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    (folder / "schema.graphql").write_text(schema.as_str(), encoding="utf-8")
    return folder


@pytest.mark.parametrize("script", ["apollo.mjs", "urql.mjs"])
async def test_client_makes_its_first_key_and_hears_of_it(gateway: GatewayProcess, workshop: Path, script: str) -> None:
    made = _result_of(run_node(workshop, script, gateway.base_url, EMAIL))

    assert made["name"] == script.removesuffix(".mjs")
    assert made["heard"] == "API_KEY_CREATED"
    assert await _owner_of(gateway, made["key"]) == EMAIL


async def test_relay_compiles_and_makes_its_first_key(gateway: GatewayProcess, workshop: Path) -> None:
    run_node(workshop, "node_modules/relay-compiler/cli.js", "relay.config.json")

    made = _result_of(run_node(workshop, "--import", "./extensions.mjs", "relay.mjs", gateway.base_url, EMAIL))

    assert made["name"] == "relay"
    assert await _owner_of(gateway, made["key"]) == EMAIL


async def test_generated_types_fit_and_make_a_first_key(gateway: GatewayProcess, workshop: Path) -> None:
    run_node(workshop, "node_modules/@graphql-codegen/cli/cjs/bin.js", "--config", "codegen.yml")
    run_node(workshop, "node_modules/typescript/bin/tsc", "--project", "tsconfig.json")

    made = _result_of(run_node(workshop, "typed.ts", gateway.base_url, EMAIL))

    assert made["name"] == "codegen"
    assert await _owner_of(gateway, made["key"]) == EMAIL


async def test_python_gql_makes_its_first_key_and_hears_of_it(gateway: GatewayProcess) -> None:
    guest = Client(transport=_transport(gateway), fetch_schema_from_transport=True)
    async with guest as session, httpx.AsyncClient(base_url=gateway.base_url) as http:
        started = await session.execute(_request(SIGN_UP, email=EMAIL, password=PASSWORD))
        code = await Mailbox(http).code(EMAIL)
        finish = _request(COMPLETE_SIGN_UP, token=started["signUp"]["signUpToken"], code=code)
        completed = await session.execute(finish)
    bearer = {"Authorization": f"Bearer {completed['completeSignUp']['token']}"}
    socket = WebsocketsTransport(url=f"{gateway.base_url.replace('http', 'ws')}/graphql", init_payload=bearer)

    async with Client(transport=socket) as live, Client(transport=_transport(gateway, bearer)) as session:
        heard = asyncio.create_task(_first(live.subscribe(gql(CREATED))))
        # Operations of one socket begin in their order: with this one's answer, the subscription has begun.
        await asyncio.sleep(0)
        await live.execute(gql("{ viewer { id } }"))
        made = (await session.execute(gql(CREATE)))["createApiKey"]
        event = await heard

    assert event["securityEvents"]["kind"] == "API_KEY_CREATED"
    assert made["apiKey"]["name"] == "gql"
    assert await _owner_of(gateway, made["key"]) == EMAIL


async def _first(values: AsyncGenerator[dict[str, Any], None]) -> dict[str, Any]:
    async with aclosing(values):
        return await anext(values)


def _request(document: str, **variables: str) -> GraphQLRequest:
    return GraphQLRequest(document, variable_values=variables)


def _transport(gateway: GatewayProcess, headers: dict[str, str] | None = None) -> HTTPXAsyncTransport:
    return HTTPXAsyncTransport(url=f"{gateway.base_url}/graphql", headers=headers)


def _result_of(output: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


async def _owner_of(gateway: GatewayProcess, key: str) -> str:
    async with httpx.AsyncClient(base_url=gateway.base_url) as http:
        email: str = (await GraphQLClient(http, key).run("{ viewer { email } }")).root["email"]
    return email
