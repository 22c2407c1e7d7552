"""What a test says of a document: it is admitted and costs so much, or is refused for one bound."""

from typing import Any

from tests.transport.service import Service


async def assert_admitted(service: Service, query: str, variables: dict[str, Any] | None = None) -> int:
    response = await service.ask(query, variables, extensions={"cost": True})

    assert "errors" not in response.json(), response.text
    cost: int = response.json()["extensions"]["cost"]
    return cost


async def assert_refused(
    service: Service, query: str, bound: str, limit: int, variables: dict[str, Any] | None = None
) -> None:
    response = await service.ask(query, variables, accept="application/graphql-response+json")

    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert error["extensions"] == {"code": "DOCUMENT_TOO_COSTLY", "bound": bound, "limit": limit}
    assert f"{limit:,}" in error["message"]
    assert "data" not in response.json()
    assert service.witness.ran == []
    assert len(service.documents) == 0
