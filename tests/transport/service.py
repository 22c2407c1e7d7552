"""A small schema behind the real endpoint, and a client that speaks HTTP to it without a socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from graphql import GraphQLResolveInfo, GraphQLSchema, build_schema
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from kit.addresses import parse_networks
from kit.errors import BadRequest, InvalidToken, StreamBroken, Unauthenticated, Unavailable
from kit.origin import Origin
from transport.documents import Documents
from transport.endpoint import GraphQLEndpoint
from transport.event_stream import EventStream
from transport.front import Front
from transport.headers import HeadersMiddleware
from transport.plans import AttributeOf
from transport.running import StreamRequest
from transport.socket_limits import Limits
from transport.trusted_documents import TrustedDocuments
from transport.websocket import GraphQLSocket

SDL = """
type Query {
  viewer: Account
  echo(text: String, number: Int, fraction: Float): String
  required(id: ID!): String
  invitation(token: String!): String
  private: String
  privateButRequired: String!
  badArgument: String
  databaseAway: String
  bug: String
  strayRefusal: String
  notANumber: Int
  missingButRequired: String!
  unstorable: String
  anything: JSON
  half(number: Even): String
  slow: String
}
scalar JSON
scalar Even
type Account { id: ID! email: String! friend: Account keys(first: Int = 50, after: String): KeyConnection! }
type KeyConnection { nodes: [Key!]! totalCount: Int! }
type Key { id: ID! name: String! owner: Account! }
type Mutation {
  rename(name: String): String
  logIn(password: String): Account
  completeTwoFactor(code: String): Account
}
type Subscription {
  ticks(count: Int = 3): Int
  endless(size: Int = 1): String
  broken: Int
  faulty: Int
  refused: Int
}
"""
CREDENTIAL_FIELDS = frozenset({"logIn", "completeTwoFactor", "invitation"})
GOOD_TOKEN = "Bearer good"


class Hopeless:
    """No encoder knows what to do with it."""


@dataclass
class Witness:
    """What ran, and for whom."""

    ran: list[str] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    streamed: list[StreamRequest] = field(default_factory=list)
    cancelled: bool = False
    closed: list[str] = field(default_factory=list)


def make_schema(witness: Witness) -> GraphQLSchema:
    schema = build_schema(SDL)
    even: Any = schema.type_map["Even"]
    even.coerce_input_value = _even
    for type_name, fields in _resolvers(witness).items():
        for name, resolve in fields.items():
            object_type: Any = schema.type_map[type_name]
            object_type.fields[name].resolve = _witnessed(witness, name, resolve)
    for name, subscribe in _subscriptions(witness).items():
        subscription_type: Any = schema.subscription_type
        subscription_type.fields[name].subscribe = subscribe
        subscription_type.fields[name].resolve = lambda event, *_, **__: event
    return schema


def _even(value: object) -> object:
    if value == "odd":
        raise BadRequest("Half of it is none.")
    if value == "broken":
        raise KeyError("/srv/gatehouse/models.py")
    return value


def _witnessed(witness: Witness, name: str, resolve: Callable[..., Any]) -> Callable[..., Any]:
    def witnessed(_source: object, _info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        witness.ran.append(name)
        return resolve(**arguments)

    return witnessed


def _resolvers(witness: Witness) -> dict[str, dict[str, Callable[..., Any]]]:
    async def slow() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            witness.cancelled = True
            raise
        return "never"

    return {
        "Query": {
            "viewer": _account,
            "echo": lambda text=None, number=None, fraction=None: text or f"{number or fraction}",
            "private": _raising(Unauthenticated()),
            "privateButRequired": _raising(Unauthenticated()),
            "badArgument": _raising(BadRequest("`first` must be from 1 to 100.")),
            "databaseAway": _raising(Unavailable("The database", 7)),
            "bug": _raising(RuntimeError("SELECT secret FROM accounts at /srv/gatehouse/models.py")),
            "strayRefusal": _raising(InvalidToken()),
            "notANumber": lambda: "seven",
            "missingButRequired": lambda: None,
            "unstorable": lambda: "\ud800".encode().decode(),
            "anything": Hopeless,
            "half": lambda **_arguments: "half",
            "slow": slow,
        },
        "Mutation": {
            "rename": lambda name=None: name,
            "logIn": lambda **_credential: _account(),
            "completeTwoFactor": lambda **_credential: _account(),
        },
    }


def _subscriptions(witness: Witness) -> dict[str, Callable[..., Any]]:
    async def ticks(_source: object, _info: object, count: int) -> AsyncIterator[int]:
        for tick in range(count):
            yield tick

    async def endless(_source: object, _info: object, size: int) -> AsyncIterator[str]:
        try:
            yield "x" * size
            if size == 1:
                await asyncio.Event().wait()
            while True:
                yield "x" * size
        finally:
            witness.closed.append("endless")

    async def broken(_source: object, _info: object) -> AsyncIterator[int]:
        yield 1
        raise StreamBroken("The gateway is stopping.")

    async def faulty(_source: object, _info: object) -> AsyncIterator[int]:
        yield 1
        raise RuntimeError("SELECT secret FROM accounts at /srv/gatehouse/models.py")

    return {
        "ticks": ticks,
        "endless": endless,
        "broken": broken,
        "faulty": faulty,
        "refused": lambda _source, _info: _raising(Unauthenticated())(),
    }


def _account() -> dict[str, Any]:
    return {"id": "account_1", "email": "ada@example.test", "keys": {"nodes": [], "totalCount": 0}}


def _raising(problem: Exception) -> Callable[..., Any]:
    async def raises() -> str:
        raise problem

    return raises


@dataclass
class Service:
    """The endpoint at /graphql under the header middleware, as the gateway mounts it."""

    witness: Witness
    documents: Documents
    socket: GraphQLSocket
    app: HeadersMiddleware

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=True)
        return httpx.AsyncClient(transport=transport, base_url="http://gate.test")

    async def post(self, body: object, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Posts bytes as they are, and anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.client() as client:
            return await client.post("/graphql", content=content, headers={**_JSON, **(headers or {})})

    async def ask(
        self, query: str, variables: dict[str, Any] | None = None, *, accept: str = "application/json", **more: Any
    ) -> httpx.Response:
        return await self.post({"query": query, "variables": variables, **more}, {"accept": accept})

    async def request(self, method: str, headers: Mapping[str, str] | None = None, **parameters: str) -> httpx.Response:
        async with self.client() as client:
            return await client.request(method, "/graphql", headers=headers, params=parameters or None)


_JSON = {"content-type": "application/json"}


def make_service(
    *,
    introspection: bool = True,
    playground: bool = False,
    streaming: bool = False,
    trusted_documents: TrustedDocuments | None = None,
    public_url: str = "http://gate.test",
    trusted_proxies: tuple[str, ...] = (),
    cors_origins: tuple[str, ...] = (),
    deadline: float = 10.0,
    heartbeat: float = 15.0,
    limits: Limits | None = None,
    most_documents: int = 500,
    most_bytes: int = 8 * 1024 * 1024,
    attribute_of: AttributeOf | None = None,
) -> Service:
    witness = Witness()
    documents = Documents(
        make_schema(witness),
        introspection=introspection,
        credential_fields=CREDENTIAL_FIELDS,
        most_documents=most_documents,
        most_bytes=most_bytes,
        attribute_of=attribute_of,
    )

    async def identify(authorization: str | None, origin: Origin) -> dict[str, str]:
        witness.origins.append(origin)
        if authorization == "Bearer database-is-away":
            raise Unavailable("The database")
        if authorization == "Bearer breaks":
            raise TimeoutError
        if authorization not in {None, GOOD_TOKEN}:
            raise Unauthenticated
        return {"caller": authorization or "nobody"}

    event_stream = EventStream(documents, heartbeat=heartbeat, patience=0.5)

    async def stream(asked: StreamRequest, scope: Scope, receive: Receive, send: Send) -> None:
        witness.streamed.append(asked)
        await event_stream(asked, scope, receive, send)

    endpoint = GraphQLEndpoint(
        documents,
        identify,
        trusted_documents=trusted_documents,
        playground=_page if playground else None,
        stream=stream if streaming else None,
        trusted_proxies=parse_networks(trusted_proxies),
        deadline=deadline,
    )
    socket = GraphQLSocket(
        documents,
        identify,
        trusted_documents=trusted_documents,
        origins=[public_url, *cors_origins],
        trusted_proxies=parse_networks(trusted_proxies),
        limits=limits or Limits(patience_seconds=0.5),
    )
    app = Front(endpoint, socket, Starlette(routes=[Route("/broken", _broken)]))
    return Service(witness, documents, socket, HeadersMiddleware(app, public_url=public_url, cors_origins=cors_origins))


def _page() -> Response:
    policy = {"content-security-policy": "script-src 'nonce-1'"}
    return HTMLResponse("<!doctype html><title>Playground</title>", headers=policy)


def _broken(_request: object) -> Response:
    return PlainTextResponse("gone", status_code=410)


def codes(response: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]
