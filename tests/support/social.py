"""The way through a social login, as a front-end and a browser walk it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from models import Account, SocialLogin
from tests.support.graphql_client import Answer, GraphQLClient

REDIRECT_URI = "http://localhost:8000/graphql"

BEGIN = """
mutation ($provider: SocialProvider!, $redirectUri: String!, $link: Boolean) {
  beginSocialLogin(input: {provider: $provider, redirectUri: $redirectUri, link: $link}) {
    __typename
    ... on SocialLoginStarted { authorizationUrl handle state expiresAt }
    ... on InvalidInput { fields { path reason } }
    ... on StepUpRequired { methods maxAgeSeconds }
    ... on UserError { code message }
  }
}
"""

COMPLETE = """
mutation ($handle: Secret!, $state: String!, $code: Secret!) {
  completeSocialLogin(input: {handle: $handle, state: $state, code: $code}) {
    __typename
    ... on SessionStarted {
      token account { id email hasPassword socialIdentities { id provider displayName linkedAt } }
    }
    ... on TwoFactorRequired { ticket methods }
    ... on SocialIdentityLinked {
      identity { id provider displayName } account { id socialIdentities { id provider } }
    }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}
"""

UNLINK = """
mutation ($id: ID!) {
  unlinkSocialIdentity(id: $id) {
    __typename
    ... on AccountUpdated { account { id socialIdentities { id provider } } }
    ... on StepUpRequired { methods }
    ... on UserError { code message }
  }
}
"""

ME = """
{
  viewer {
    id email hasPassword
    socialIdentities { id provider displayName }
    authentication { ... on SessionAuthentication { methods } }
    securityEvents(first: 100) { nodes { kind details } }
  }
}
"""

Approve = Callable[[str], Awaitable[str]]
"""What the person does at the provider: from the authorization URL to the address that the browser is sent back to."""


@dataclass(frozen=True)
class Return:
    """What came back to the front-end, and the handle that it had kept."""

    handle: str
    state: str
    code: str

    async def complete(self, client: GraphQLClient) -> Answer:
        """Hand it in."""
        return await client.run(COMPLETE, handle=self.handle, state=self.state, code=self.code)


async def begin(client: GraphQLClient, provider: str, *, link: bool = False) -> dict[str, Any]:
    """Begin, which must work."""
    answer = await client.run(BEGIN, provider=provider, redirectUri=REDIRECT_URI, link=link)
    return answer.expect("SocialLoginStarted")


async def go_there_and_back(
    client: GraphQLClient, approve: Approve, provider: str = "GOOGLE", *, link: bool = False
) -> Return:
    """Begin, approve at the provider, and come back."""
    started = await begin(client, provider, link=link)
    back = query_of(await approve(started["authorizationUrl"]))
    assert back["state"] == started["state"]
    return Return(started["handle"], back["state"], back["code"])


async def sign_in(client: GraphQLClient, approve: Approve, provider: str = "GOOGLE", *, link: bool = False) -> Answer:
    """The whole way; a session or a linking, or whatever else the answer is."""
    return await (await go_there_and_back(client, approve, provider, link=link)).complete(client)


async def refusal(client: GraphQLClient, approve: Approve, provider: str = "GOOGLE") -> str:
    """The code of how a whole sign-in is refused, with nothing left behind."""
    answer = (await sign_in(client, approve, provider)).expect("Refused")
    assert await SocialLogin.all().count() == 0
    assert await Account.all().count() == 0
    return str(answer["code"])


def query_of(address: str) -> dict[str, str]:
    """The parameters of an address's query, each once."""
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


async def me(client: GraphQLClient) -> dict[str, Any]:
    """The caller's account."""
    seen: dict[str, Any] = (await client.run(ME)).root
    return seen


def kinds(account: dict[str, Any]) -> list[str]:
    """What happened to the account, newest first."""
    return [event["kind"] for event in account["securityEvents"]["nodes"]]


def demo_person(http: httpx.AsyncClient, email: str, *, name: str = "Grace", verified: bool = True) -> Approve:
    """Somebody who fills in the form of a demonstration provider."""

    async def approve(url: str) -> str:
        form = {"email": email, "name": name} | ({"verified": "yes"} if verified else {})
        answer = await http.post(url, data=form)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    return approve
