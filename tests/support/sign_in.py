"""Signing in and out, as documents and as verbs."""

from dataclasses import replace

from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.people import Person

LOG_IN = """
mutation ($email: EmailAddress!, $password: Secret!) {
  logIn(input: {email: $email, password: $password}) {
    __typename
    ... on SessionStarted { token expiresAt account { id email } }
    ... on InvalidInput { fields { path reason } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}
"""
STEP_UP = """
mutation ($password: Secret) {
  stepUp(input: {password: $password}) {
    __typename
    ... on SessionStarted { token expiresAt }
    ... on InvalidInput { fields { path reason } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}
"""
REFRESH = """
mutation { refreshSession { __typename ... on SessionStarted { token expiresAt } ... on UserError { code message } } }
"""
SIGN_OUT_EVERYWHERE = """
mutation {
  signOutEverywhere { __typename ... on SessionStarted { token expiresAt } ... on UserError { code message } }
}
"""
AUTHENTICATION = """
{
  viewer {
    id
    email
    authentication {
      __typename
      ... on SessionAuthentication { signedInAt expiresAt methods }
      ... on ApiKeyAuthentication { apiKey { id name } }
    }
  }
}
"""


async def try_password(
    client: GraphQLClient, email: str, password: str, *, headers: dict[str, str] | None = None
) -> Answer:
    """One try to sign in."""
    return await client.run(LOG_IN, email=email, password=password, headers=headers)


async def sign_in_again(person: Person) -> Person:
    """The same person with a session that starts now."""
    guest = person.client.bearing(None)
    token = (await try_password(guest, person.email, person.password)).expect("SessionStarted")["token"]
    return replace(person, token=token, client=guest.bearing(token))
