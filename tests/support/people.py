"""People with accounts, made through the front door."""

from dataclasses import dataclass

from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox

PASSWORD = "a long enough passphrase"

SIGN_UP = """
mutation ($email: EmailAddress!, $password: Secret!) {
  signUp(input: {email: $email, password: $password}) {
    __typename
    ... on SignUpStarted { email signUpToken expiresAt }
    ... on InvalidInput { fields { path reason } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}
"""

COMPLETE_SIGN_UP = """
mutation ($token: Secret!, $code: Secret!) {
  completeSignUp(input: {signUpToken: $token, code: $code}) {
    __typename
    ... on SessionStarted { token expiresAt account { id email createdAt hasPassword } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}
"""


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and a client that is signed in as them."""

    email: str
    password: str
    account_id: str
    token: str
    client: GraphQLClient


async def sign_up(
    client: GraphQLClient, mailbox: Mailbox, *, email: str = "ann@example.com", password: str = PASSWORD
) -> Person:
    """Sign up, and in, with the mailed code."""
    started = (await client.run(SIGN_UP, email=email, password=password)).expect("SignUpStarted")
    code = await mailbox.code(email)
    session = (await client.run(COMPLETE_SIGN_UP, token=started["signUpToken"], code=code)).expect("SessionStarted")
    return Person(email, password, session["account"]["id"], session["token"], client.bearing(session["token"]))
