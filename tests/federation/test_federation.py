"""The gateway as a subgraph. Composition is Apollo's own library's, run by Node."""

from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema

from kit.settings import Settings
from schema import schema
from schema.federation import MOST_REPRESENTATIONS
from tests.features.test_api_keys import CREATE
from tests.support.fleets import CREATE_FLEET
from tests.support.graphql_client import GraphQLClient
from tests.support.node import run_node
from tests.support.people import Person

FOLDER = Path(__file__).parent
SDL = "{ _service { sdl } }"
ENTITIES = """
query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on Account { id email apiKeys { totalCount } }
    ... on Fleet { name }
  }
}
"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"federation": True})


async def test_subgraph_composes_with_another(client: GraphQLClient, tmp_path: Path) -> None:
    file = tmp_path / "gatehouse.graphql"
    file.write_text((await client.run(SDL)).root["sdl"], encoding="utf-8")

    composed = run_node(FOLDER, "compose.mjs", f"gatehouse={file}", "billing=billing.graphql")

    api: Any = build_schema(composed)
    assert {"email", "apiKeys", "invoices"} <= api.type_map["Account"].fields.keys()
    assert {"devices", "monthlyCents"} <= api.type_map["Fleet"].fields.keys()
    assert api.subscription_type.fields.keys() == {"securityEvents", "sessionEnded"}
    assert "_entities" not in api.query_type.fields


async def test_account_is_found_by_its_own_caller(ann: Person) -> None:
    await ann.client.run(CREATE, name="deploy")

    (account,) = (await ann.client.run(ENTITIES, representations=[_account(ann.account_id)])).root

    assert account["email"] == ann.email
    assert account["apiKeys"]["totalCount"] == 1


async def test_fleet_is_found_by_its_members_only(ann: Person, bob: Person) -> None:
    fleet = (await ann.client.run(CREATE_FLEET, name="Lorries")).expect("FleetChanged")["fleet"]
    asked = [{"__typename": "Fleet", "id": fleet["id"]}, {"__typename": "Account", "id": fleet["id"]}]

    seen = (await ann.client.run(ENTITIES, representations=asked)).root
    foreign = (await bob.client.run(ENTITIES, representations=asked)).root

    assert seen == [{"__typename": "Fleet", "name": "Lorries"}, None]
    assert foreign == [None, None]


async def test_foreign_and_unknown_entities_are_null_in_their_places(ann: Person, bob: Person) -> None:
    asked = [_account(bob.account_id), _account(ann.account_id), _account("account_" + "0" * 32), _account("nonsense")]

    entities = (await ann.client.run(ENTITIES, representations=asked)).root

    assert [entity and entity["id"] for entity in entities] == [None, ann.account_id, None, None]


async def test_guest_sees_no_entity(client: GraphQLClient, ann: Person) -> None:
    assert (await client.run(ENTITIES, representations=[_account(ann.account_id)])).root == [None]


@pytest.mark.parametrize(
    "representation",
    [7, "Account", [], {}, {"id": "account_1"}, {"__typename": "Account"}, {"__typename": "ApiKey", "id": "apikey_1"}],
    ids=str,
)
async def test_malformed_representation_is_a_bad_request(ann: Person, representation: object) -> None:
    answer = await ann.client.run(ENTITIES, representations=[representation])

    assert answer.error_codes == ["BAD_REQUEST"]
    assert answer.body["data"] is None


async def test_representations_are_bounded_and_count_into_the_cost(ann: Person) -> None:
    one = _account(ann.account_id)
    dear = (
        "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Account { apiKeys { nodes { id name } } } } }"
    )

    too_many = await ann.client.run(ENTITIES, representations=[one] * (MOST_REPRESENTATIONS + 1))
    too_dear = await ann.client.run(dear, r=[one] * MOST_REPRESENTATIONS)
    affordable = await ann.client.run(dear, r=[one] * 50)

    assert too_many.error_codes == ["BAD_REQUEST"]
    assert too_dear.error_codes == ["DOCUMENT_TOO_COSTLY"]
    assert len(affordable.root) == 50


def test_without_federation_the_schema_has_nothing_of_it() -> None:
    text = schema.as_str()

    assert "_service" not in text
    assert "_Any" not in text
    assert "@key" not in text


def _account(global_id: str) -> dict[str, str]:
    return {"__typename": "Account", "id": global_id}
