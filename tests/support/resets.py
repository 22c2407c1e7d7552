"""Asking for a reset link, reading it out of the mail, and using it."""

import re

from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.mailbox import Mailbox, link_in
from tests.support.ways_in import NEW_PASSWORD

REQUEST = """
mutation ($email: EmailAddress!) {
  requestPasswordReset(email: $email) {
    __typename
    ... on MailSentIfKnown { email }
    ... on InvalidInput { fields { path } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}
"""
RESET = """
mutation ($token: Secret!, $newPassword: Secret!) {
  resetPassword(input: {token: $token, newPassword: $newPassword}) {
    __typename
    ... on PasswordReset { email }
    ... on InvalidInput { fields { path } }
    ... on UserError { code message }
  }
}
"""


async def request(client: GraphQLClient, email: str = "ann@example.com", **headers: str) -> Answer:
    """Ask for a link as a guest."""
    return await client.bearing(None).run(REQUEST, email=email, headers=headers)


async def mailed_token(client: GraphQLClient, mailbox: Mailbox, email: str = "ann@example.com") -> str:
    """Ask for a link, and take the token out of the mail."""
    (await request(client, email)).expect("MailSentIfKnown")
    return token_in(await mailbox.newest(email))


def token_in(mail: dict[str, str]) -> str:
    """The token in the mailed link."""
    found = re.search(r"#resetToken=(reset_[0-9A-Za-z]{32})$", link_in(mail["text"]))
    assert found is not None
    return found[1]


async def reset(client: GraphQLClient, token: object, password: str = NEW_PASSWORD) -> Answer:
    """Try to set a password as a guest who has that token."""
    return await client.bearing(None).run(RESET, token=token, newPassword=password)
