"""Signing in and looking at oneself: what tests of ways back in do all the time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from process.gateway import Gateway
from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.people import Person

NEW_PASSWORD = "another long passphrase"

LOG_IN = """
mutation ($email: EmailAddress!, $password: Secret!) {
  logIn(input: {email: $email, password: $password}) {
    __typename
    ... on SessionStarted { token }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}
"""
EVENTS = "{ viewer { securityEvents { nodes { kind ipAddress userAgent details } } } }"
VIEWER = "{ viewer { email hasPassword } }"


@asynccontextmanager
async def client_from(gateway: Gateway, address: str) -> AsyncIterator[GraphQLClient]:
    """A guest who calls from that address."""
    transport = httpx.ASGITransport(gateway.app, client=(address, 40_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as http:
        yield GraphQLClient(http)


async def log_in(client: GraphQLClient, email: str, password: str, **headers: str) -> Answer:
    """Try to sign in as a guest."""
    return await client.bearing(None).run(LOG_IN, email=email, password=password, headers=headers)


async def signed_in(client: GraphQLClient, email: str, password: str, **headers: str) -> GraphQLClient:
    """Sign in."""
    answer = await log_in(client, email, password, **headers)
    return client.bearing(answer.expect("SessionStarted")["token"])


async def is_signed_in(client: GraphQLClient) -> bool:
    """Whether the client's bearer still opens its account."""
    answer = await client.run(VIEWER)
    return answer.status == 200 and answer.root is not None


async def event_kinds(client: GraphQLClient) -> list[str]:
    """What happened to the client's account, newest first."""
    events: dict[str, Any] = (await client.run(EVENTS)).root
    return [event["kind"] for event in events["securityEvents"]["nodes"]]


async def api_key_of(person: Person, name: str = "deploy") -> GraphQLClient:
    """A client with a new API key of that person."""
    document = """mutation ($name: String!) { createApiKey(input: {name: $name}) {
      __typename ... on ApiKeyCreated { key } } }"""
    made = (await person.client.run(document, name=name)).expect("ApiKeyCreated")
    return person.client.bearing(made["key"])
