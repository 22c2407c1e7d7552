"""A client that speaks GraphQL to the real application over HTTP."""

import json
from dataclasses import dataclass, replace
from typing import Any

import httpx


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    response: httpx.Response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = self.response.json()
        return body

    @property
    def error_codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.body.get("errors", [])]

    @property
    def root(self) -> Any:
        """The value of the one root field of an answer without errors."""
        assert self.status == 200, self.response.text
        assert "errors" not in self.body, self.body
        (value,) = self.body["data"].values()
        return value

    def expect(self, typename: str) -> dict[str, Any]:
        """The root field's value, which must be of this type (ask for `__typename`)."""
        value: dict[str, Any] = self.root
        assert value["__typename"] == typename, value
        return value


@dataclass(frozen=True)
class GraphQLClient:
    """Sends documents, with or without a bearer."""

    http: httpx.AsyncClient
    token: str | None = None

    def bearing(self, token: str | None) -> "GraphQLClient":
        """The same client as somebody else."""
        return replace(self, token=token)

    async def run(self, document: str, *, headers: dict[str, str] | None = None, **variables: Any) -> Answer:
        """Send one document by POST."""
        bearer = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return Answer(
            await self.http.post(
                "/graphql",
                # ASCII on the wire, so that a test can send half a character.
                content=json.dumps({"query": document, "variables": variables}),
                headers={"accept": "application/json", "content-type": "application/json", **bearer, **(headers or {})},
            )
        )
