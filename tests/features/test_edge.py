"""The application's edge as it is wired: what every answer carries (HD-1), and which addresses there are."""

import httpx
import pytest

from kit.settings import Settings
from process.gateway import Gateway
from tests.support.people import Person
from tests.support.places import gateway_with, visitor
from tests.support.served import served
from tests.support.services import HOST
from tests.transport.test_handshakes import HANDSHAKE

POLICY = "default-src 'none'; frame-ancestors 'none'"
NOWHERE = [
    "/nowhere",
    "/graphql/",
    "/graphql/x",
    "/GRAPHQL",
    "/playground/nothing.js",
    "/playground/../server.py",
    "/playground/%2e%2e/%2e%2e/server.py",
    "/playground/%00",
    "/.env",
    "/outbox/",
    "/healthz/",
    "/data/gatehouse.sqlite3",
]


async def every_answer(http: httpx.AsyncClient, token: str) -> list[httpx.Response]:
    """One answer of each kind that can be had without breaking anything."""
    query = {"query": "{ viewer { id } }"}
    json = {"accept": "application/json"}
    strict = {"accept": "application/graphql-response+json"}
    return [
        await http.post("/graphql", json=query, headers={"authorization": f"Bearer {token}"}),
        await http.get("/graphql", params=query, headers=json),
        await http.get("/healthz"),
        await http.get("/readyz"),
        await http.get("/outbox"),
        await http.get("/"),
        await http.post("/graphql", json={"query": "{"}, headers=strict),
        await http.post("/graphql", content=b"[]", headers={"content-type": "application/json"}),
        await http.post("/graphql", json=query, headers={"authorization": "Bearer bad"}),
        await http.get("/nowhere"),
        await http.put("/graphql"),
        await http.post("/healthz"),
        await http.options("/graphql"),
        await http.request("TRACE", "/graphql"),
        await http.get("/graphql", params={"query": "mutation { refreshSession { __typename } }"}, headers=json),
        await http.post("/graphql", json=query, headers={"accept": "image/png"}),
        await http.post("/graphql", content=b" " * 70_000, headers={"content-type": "application/json"}),
        await http.post("/graphql", content=b"query=x", headers={"content-type": "text/plain"}),
    ]


STATUSES = [200, 200, 200, 200, 200, 302, 400, 400, 401, 404, 405, 405, 405, 405, 405, 406, 413, 415]


async def test_every_answer_carries_the_same_protection(settings: Settings) -> None:
    async with gateway_with(settings, public_url="https://accounts.example.org") as gateway:
        answers = await every_answer(visitor(gateway).http, "")
        answers[0] = await visitor(gateway).http.post("/graphql", json={"query": "{ viewer { id } }"})

    assert [answer.status_code for answer in answers] == STATUSES
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"] == POLICY
        assert "max-age=63072000" in answer.headers["strict-transport-security"]
        assert not {"server", "x-powered-by", "set-cookie"} & set(answer.headers)
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


@pytest.mark.parametrize(
    ("path", "changes", "status"),
    [
        ("/graphql", {"origin": "https://evil.test"}, 403),
        ("/healthz", {}, 404),
        ("/graphql/", {}, 404),
        ("/graphql", {"sec-websocket-version": "8"}, 400),
    ],
)
async def test_refused_handshakes_are_no_less_protected(
    gateway: Gateway, path: str, changes: dict[str, str], status: int
) -> None:
    async with served(gateway.app) as port, httpx.AsyncClient(base_url=f"http://{HOST}:{port}") as http:
        answer = await http.get(path, headers=HANDSHAKE | changes)

    assert answer.status_code == status
    assert answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"] == POLICY


async def test_signed_in_answers_are_no_less_protected(ann: Person, http: httpx.AsyncClient) -> None:
    answers = await every_answer(http, ann.token)

    assert [answer.status_code for answer in answers] == STATUSES
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    assert all(answer.headers["x-request-id"] for answer in answers)


@pytest.mark.parametrize("path", NOWHERE)
async def test_address_that_is_none_is_404_without_a_hint(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path, headers={"host": "evil.test"})

    assert answer.status_code == 404
    assert answer.text == "404\n"
    assert "location" not in answer.headers
    assert answer.headers["x-request-id"]


async def test_production_shows_neither_playground_nor_mails(settings: Settings) -> None:
    strict = Settings(
        environment="production",
        database_url=settings.database_url,
        secret_keys=settings.secret_keys,
        public_url="https://accounts.example.org",
    )
    gateway = Gateway(strict)
    async with gateway.started():
        http = visitor(gateway).http
        pages = [await http.get(path) for path in ("/", "/outbox", "/playground/", "/docs", "/openapi.json")]
        page = await http.get("/graphql", headers={"accept": "text/html"})
        introspection = await http.post("/graphql", json={"query": "{ __schema { types { name } } }"})
        typo = await http.post("/graphql", json={"query": "{ viever { id } }"})
        typename = await http.post("/graphql", json={"query": "{ __typename }"})

    assert [answer.status_code for answer in pages] == [404] * 5
    assert page.status_code == 406
    assert "types" not in introspection.text
    assert "Did you mean" not in typo.text
    assert "viewer" not in typo.text
    assert typename.json() == {"data": {"__typename": "Query"}}


async def test_gateway_that_is_told_to_stop_is_not_ready_and_still_answers(gateway: Gateway, ann: Person) -> None:
    http = visitor(gateway).http
    before = await http.get("/readyz")
    gateway.begin_to_stop()

    ready, alive = await http.get("/readyz"), await http.get("/healthz")

    assert before.status_code == 200
    assert before.json() == {"ready": True, "missing": {}}
    assert ready.status_code == 503
    assert ready.json()["missing"].keys() == {"gateway"}
    assert alive.status_code == 200
    assert (await ann.client.run("{ viewer { id } }")).root["id"] == ann.account_id


async def test_gateway_that_has_not_started_says_so(settings: Settings) -> None:
    http = visitor(Gateway(settings)).http

    ready, alive = await http.get("/readyz"), await http.get("/healthz")
    answer = await http.post("/graphql", json={"query": "{ viewer { id } }"})

    assert (ready.status_code, alive.status_code, answer.status_code) == (503, 200, 503)
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
