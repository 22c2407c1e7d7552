"""Asking for everything that is stored about an account."""

from typing import Any

from tests.support.graphql_client import GraphQLClient
from tests.support.people import Person

EXPORT = """
mutation {
  exportAccountData {
    __typename
    ... on AccountDataExport { generatedAt data }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}
"""


async def exported(person: Person | GraphQLClient) -> dict[str, Any]:
    """The document, which must be given."""
    client = person.client if isinstance(person, Person) else person
    data: dict[str, Any] = (await client.run(EXPORT)).expect("AccountDataExport")["data"]
    return data
