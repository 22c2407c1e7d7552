import pytest

from tests.support.people import Person

CREATE = """
mutation ($name: String!, $description: String, $expiresAt: DateTime) {
  createApiKey(input: {name: $name, description: $description, expiresAt: $expiresAt}) {
    __typename
    ... on ApiKeyCreated { key apiKey { id name description createdAt lastUsedAt expiresAt hint } }
    ... on InvalidInput { fields { path reason } }
    ... on UserError { code message }
  }
}
"""
VIEWER = "{ viewer { id email apiKeys { totalCount nodes { id name hint lastUsedAt } } } }"
REVOKE = """
mutation ($ids: [ID!]!) {
  revokeApiKeys(ids: $ids) {
    __typename
    ... on ApiKeysRevoked { ids account { apiKeys { totalCount } } }
    ... on UserError { code message }
  }
}
"""


async def test_key_opens_the_account_until_it_is_revoked(ann: Person) -> None:
    made = (await ann.client.run(CREATE, name="deploy")).expect("ApiKeyCreated")
    with_key = ann.client.bearing(made["key"])

    seen = (await with_key.run(VIEWER)).root
    revoked = (await ann.client.run(REVOKE, ids=[made["apiKey"]["id"]])).expect("ApiKeysRevoked")
    refused = await with_key.run(VIEWER)

    assert seen["email"] == ann.email
    assert revoked["account"]["apiKeys"]["totalCount"] == 0
    assert refused.status == 401
    assert refused.error_codes == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\u0000b", "a\nb", "\ud800"])
async def test_unusable_name_makes_no_key(ann: Person, name: str) -> None:
    answer = (await ann.client.run(CREATE, name=name)).expect("InvalidInput")

    after = (await ann.client.run(VIEWER)).root
    assert [problem["path"] for problem in answer["fields"]] == ["input.name"]
    assert after["apiKeys"]["totalCount"] == 0
