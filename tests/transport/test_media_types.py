"""What a body may be called (trap T3), and which form an answer takes (trap T4)."""

import json

import pytest

from tests.transport.service import Service, codes, make_service

MUTATION = json.dumps({"query": 'mutation { rename(name: "a") }'}).encode()
GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain, application/json",
        "application/json, text/plain",
        "x-application/json",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-8; charset=utf-16",
        "application/json; charset",
        "application/json; a=b, text/plain",
        "application/jsonp",
        "application/json/x",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "application/graphql",
        "",
    ],
)
async def test_body_of_another_type_is_not_run(service: Service, content_type: str) -> None:
    response = await service.post(MUTATION, {"content-type": content_type})

    assert response.status_code == 415
    assert codes(response) == ["BAD_REQUEST"]
    assert service.witness.ran == []


async def test_body_without_a_type_is_not_run(service: Service) -> None:
    async with service.client() as client:
        response = await client.post("/graphql", content=MUTATION)

    assert response.status_code == 415
    assert service.witness.ran == []


async def test_type_given_twice_is_not_run(service: Service) -> None:
    async with service.client() as client:
        headers = [("content-type", "application/json"), ("content-type", "text/plain")]
        response = await client.post("/graphql", content=MUTATION, headers=headers)

    assert response.status_code == 415
    assert service.witness.ran == []


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json;charset=utf-8",
        'application/json ; charset="UTF-8"',
        "application/json; charset=utf-8; profile=x",
    ],
)
async def test_json_by_any_spelling_is_run(service: Service, content_type: str) -> None:
    response = await service.post(MUTATION, {"content-type": content_type})

    assert response.status_code == 200
    assert service.witness.ran == ["rename"]


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", JSON),
        ("", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8, {JSON}; charset=utf-8", GRAPHQL),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", JSON),
        (f"{JSON};q=0.5, {GRAPHQL};q=0.6", GRAPHQL),
        (f"{JSON};q=0.8, {GRAPHQL};q=0.6", JSON),
        (f"{JSON};q=0, */*", GRAPHQL),
        (f"*/*, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL.upper()}", GRAPHQL),
        (f"application/xml, {JSON};q=0.1", JSON),
        (BROWSER, JSON),
    ],
)
async def test_answer_takes_the_form_that_is_liked_best(service: Service, accept: str, answered: str) -> None:
    response = await service.ask("{ __typename }", accept=accept)

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{answered}; charset=utf-8"


@pytest.mark.parametrize(
    "accept", ["application/xml", "text/html", "text/*", f"{JSON};q=0", "*/*;q=0", "application/json;q=2", "nonsense"]
)
async def test_nothing_acceptable_is_said_before_anything_runs(service: Service, accept: str) -> None:
    response = await service.post(MUTATION, {"accept": accept})

    assert response.status_code == 406
    assert codes(response) == ["BAD_REQUEST"]
    assert service.witness.ran == []


async def test_browser_gets_the_playground() -> None:
    service = make_service(playground=True)

    response = await service.request("GET", {"accept": BROWSER}, query="{ viewer { id } }")

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "Playground" in response.text
    assert service.witness.ran == []


async def test_client_that_names_no_page_gets_none() -> None:
    service = make_service(playground=True)

    response = await service.request("GET", {"accept": "*/*"}, query="{ __typename }")

    assert response.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("accept", ["text/html", BROWSER])
async def test_browser_learns_nothing_where_there_is_no_playground(service: Service, accept: str) -> None:
    response = await service.request("GET", {"accept": accept})

    assert response.status_code == 406
    assert "layground" not in response.text


async def test_page_is_never_an_answer_to_post() -> None:
    service = make_service(playground=True)

    response = await service.post(MUTATION, {"accept": "text/html"})

    assert response.status_code == 406
    assert service.witness.ran == []


@pytest.mark.parametrize("accept", ["text/event-stream", f"{GRAPHQL}, {JSON}, text/event-stream"])
async def test_subscription_is_streamed(accept: str) -> None:
    service = make_service(streaming=True)

    response = await service.ask("subscription { ticks }", accept=accept)

    assert response.headers["content-type"].startswith("text/event-stream")
    assert [asked.operation.kind.value for asked in service.witness.streamed] == ["subscription"]
    assert service.witness.streamed[0].context == {"caller": "nobody"}


async def test_query_is_streamed_to_whom_takes_nothing_else() -> None:
    service = make_service(streaming=True)

    response = await service.ask("{ viewer { id } }", accept="text/event-stream")

    assert [asked.operation.kind.value for asked in service.witness.streamed] == ["query"]
    assert response.text.startswith("event: next\n")


@pytest.mark.parametrize("streaming", [True, False])
async def test_subscription_without_a_stream_is_refused(streaming: bool) -> None:
    service = make_service(streaming=streaming)

    response = await service.ask("subscription { ticks }")

    assert response.status_code == 406
    assert codes(response) == ["BAD_REQUEST"]
    assert service.witness.streamed == []


async def test_faulty_subscription_is_answered_before_the_stream_begins() -> None:
    service = make_service(streaming=True)

    response = await service.ask("subscription { nothing }", accept="text/event-stream")

    assert response.status_code == 400
    assert codes(response) == ["GRAPHQL_VALIDATION_FAILED"]
    assert service.witness.streamed == []
