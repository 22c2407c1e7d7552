"""Methods, credentials, and what went wrong: the table of the service's contract, line by line."""

import re
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.transport.service import GOOD_TOKEN, Service, codes, make_service

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
FORMS = pytest.mark.parametrize(("accept", "plain"), [(GRAPHQL, False), (JSON, True)])
LEAKS = re.compile(r"SELECT|Traceback|RuntimeError|\.py|/srv|InvalidToken|TypeError|NoneType|Hopeless", re.IGNORECASE)


async def test_query_by_get_is_answered(service: Service) -> None:
    variables = '{"text": "a+b & c"}'

    response = await service.request("GET", query="query($text: String) { echo(text: $text) }", variables=variables)

    assert response.json() == {"data": {"echo": "a+b & c"}}


@pytest.mark.parametrize("accept", [GRAPHQL, JSON])
async def test_mutation_by_get_is_not_run(service: Service, accept: str) -> None:
    response = await service.request("GET", {"accept": accept}, query='mutation { rename(name: "a") }')

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert codes(response) == ["BAD_REQUEST"]
    assert service.witness.ran == []


async def test_chosen_operation_decides_what_get_may_do(service: Service) -> None:
    document = "query Read { viewer { id } } mutation Write { rename }"

    read = await service.request("GET", query=document, operationName="Read")
    write = await service.request("GET", query=document, operationName="Write")

    assert (read.status_code, write.status_code) == (200, 405)
    assert service.witness.ran == ["viewer"]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "QUERY"])
async def test_other_methods_are_refused(service: Service, method: str) -> None:
    response = await service.request(method, query="{ viewer { id } }")

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"
    assert service.witness.ran == []


@pytest.mark.parametrize(
    "query_string",
    ["", "query=", "query={a}&query={b}", "query=%ff", "variables=1", "query={a}&variables={", "&" * 50 + "a=1&" * 50],
)
async def test_unusable_query_string_is_refused(service: Service, query_string: str) -> None:
    async with service.client() as client:
        response = await client.get(f"/graphql?{query_string}", headers={"accept": GRAPHQL})

    assert response.status_code == 400
    assert service.witness.ran == []


@FORMS
async def test_bad_token_is_answered_before_anything_runs(service: Service, accept: str, plain: bool) -> None:
    response = await service.post({"query": "{ viewer { id } }"}, {"authorization": "Bearer bad", "accept": accept})

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert codes(response) == ["UNAUTHENTICATED"]
    assert service.witness.ran == []


async def test_token_given_twice_is_a_bad_one(service: Service) -> None:
    async with service.client() as client:
        headers = [("authorization", GOOD_TOKEN), ("authorization", GOOD_TOKEN), ("content-type", JSON)]
        response = await client.post("/graphql", content=b'{"query": "{ viewer { id } }"}', headers=headers)

    assert response.status_code == 401


async def test_token_in_the_address_is_nothing(service: Service) -> None:
    await service.request("GET", query="{ viewer { id } }", authorization=GOOD_TOKEN, access_token="good")

    assert service.witness.ran == ["viewer"]
    assert len(service.witness.origins) == 1


async def test_caller_is_found_with_address_and_request_id(service: Service) -> None:
    response = await service.post(
        {"query": "{ viewer { id } }"},
        {"user-agent": "curl/8\t" + "x" * 600, "x-forwarded-for": "203.0.113.9"},
    )

    origin = service.witness.origins[0]
    assert origin.ip_address == "127.0.0.1"
    assert origin.user_agent.startswith("curl/8x")
    assert len(origin.user_agent) == 511
    assert origin.request_id == response.headers["x-request-id"]


async def test_trusted_proxy_is_believed() -> None:
    service = make_service(trusted_proxies=("127.0.0.0/8",))

    await service.post({"query": "{ viewer { id } }"}, {"x-forwarded-for": "198.51.100.1, 203.0.113.9"})

    assert service.witness.origins[0].ip_address == "203.0.113.9"


@FORMS
async def test_field_that_needs_a_caller_says_so_in_its_place(service: Service, accept: str, plain: bool) -> None:
    response = await service.ask("{ private viewer { id } }", accept=accept)

    assert response.status_code == 200
    assert response.json()["data"] == {"private": None, "viewer": {"id": "account_1"}}
    assert codes(response) == ["UNAUTHENTICATED"]
    assert response.json()["errors"][0]["path"] == ["private"]


@FORMS
async def test_required_field_that_needs_a_caller_is_still_a_200(service: Service, accept: str, plain: bool) -> None:
    response = await service.ask("{ privateButRequired }", accept=accept)

    assert response.status_code == 200
    assert response.json()["data"] is None
    assert codes(response) == ["UNAUTHENTICATED"]


async def test_bad_argument_of_a_field_is_told(service: Service) -> None:
    response = await service.ask("{ badArgument }")

    assert response.status_code == 200
    assert codes(response) == ["BAD_REQUEST"]
    assert response.json()["errors"][0]["message"] == "`first` must be from 1 to 100."


@FORMS
@pytest.mark.parametrize(
    "query",
    [
        "{",
        "{ nothing }",
        "{ echo(text: 1) }",
        "query A { viewer { id } } query B { echo }",
        "fragment a on Query { echo }",
    ],
)
async def test_faulty_document_is_not_run(service: Service, accept: str, plain: bool, query: str) -> None:
    response = await service.ask(query, accept=accept)

    assert response.status_code == (200 if plain else 400)
    assert set(codes(response)) == {"GRAPHQL_VALIDATION_FAILED"}
    assert "data" not in response.json()
    assert service.witness.ran == []


@FORMS
@pytest.mark.parametrize("variables", [{}, {"id": None}, {"id": ["a", "b"]}, {"id": {"a": 1}}])
async def test_variables_of_the_wrong_type_are_told(
    service: Service, accept: str, plain: bool, variables: dict[str, Any]
) -> None:
    response = await service.ask("query($id: ID!) { required(id: $id) }", variables, accept=accept)

    assert response.status_code == (200 if plain else 400)
    assert codes(response) == ["BAD_REQUEST"]
    assert "data" not in response.json()
    assert service.witness.ran == []


@pytest.mark.parametrize(
    ("value", "message"), [("odd", "Half of it is none."), ("broken", "A value does not have the form")]
)
async def test_scalar_says_only_what_is_meant_for_clients(service: Service, value: str, message: str) -> None:
    response = await service.ask("query($number: Even) { half(number: $number) }", {"number": value})

    assert codes(response) == ["BAD_REQUEST"]
    assert message in response.text
    assert LEAKS.search(response.text) is None
    assert service.witness.ran == []


async def test_variable_missing_where_a_field_needs_it_is_told(service: Service) -> None:
    response = await service.ask('query($id: ID = "a") { required(id: $id) }', {"id": None})

    assert codes(response) == ["BAD_REQUEST"]
    assert service.witness.ran == []


@FORMS
async def test_dependency_that_is_away_makes_the_whole_answer_503(service: Service, accept: str, plain: bool) -> None:
    response = await service.ask("{ viewer { id } databaseAway }", accept=accept)

    assert response.status_code == 503
    assert response.headers["retry-after"] == "7"
    assert codes(response) == ["UNAVAILABLE"]
    assert "data" not in response.json()


async def test_dependency_away_while_the_caller_is_looked_for(service: Service) -> None:
    response = await service.post({"query": "{ viewer { id } }"}, {"authorization": "Bearer database-is-away"})

    assert response.status_code == 503
    assert codes(response) == ["UNAVAILABLE"]
    assert service.witness.ran == []


@FORMS
@pytest.mark.parametrize("field", ["bug", "strayRefusal", "notANumber", "missingButRequired", "anything"])
async def test_bug_is_masked_and_logged(service: Service, accept: str, plain: bool, field: str) -> None:
    with capture_logs() as logs:
        response = await service.ask(f"{{ viewer {{ id }} {field} }}", accept=accept)

    request_id = response.headers["x-request-id"]
    assert response.status_code == 500
    assert response.json() == {
        "errors": [
            {
                "message": "Something went wrong on our side.",
                "extensions": {"code": "INTERNAL", "requestId": request_id},
            }
        ]
    }
    assert [(entry["event"], entry["log_level"], entry["request_id"]) for entry in logs] == [
        ("request_failed", "error", request_id)
    ]
    assert logs[0]["exc_info"].__traceback__ is not None


async def test_bug_while_the_caller_is_looked_for_is_masked_too(service: Service) -> None:
    with capture_logs() as logs:
        response = await service.post({"query": "{ viewer { id } }"}, {"authorization": "Bearer breaks"})

    assert response.status_code == 500
    assert codes(response) == ["INTERNAL"]
    assert [entry["event"] for entry in logs] == ["request_failed"]
    assert service.witness.ran == []


async def test_text_that_cannot_be_stored_is_the_clients_fault(service: Service) -> None:
    response = await service.ask("{ unstorable }")

    assert response.status_code == 200
    assert codes(response) == ["BAD_REQUEST"]


@pytest.mark.parametrize(
    "query",
    [
        "{ echo(number: 99999999999) }",
        "{ echo(number: " + "9" * 5_000 + ") }",
        "{ echo(fraction: " + "9" * 39 + ") bug }",
        '{ required(id: {a: "b"}) }',
        "{ strayRefusal bug anything notANumber missingButRequired }",
    ],
)
async def test_errors_name_nothing_of_the_inside(service: Service, query: str) -> None:
    with capture_logs():
        response = await service.ask(query)

    assert response.json()["errors"]
    assert LEAKS.search(response.text) is None


async def test_errors_do_not_send_a_long_document_back(service: Service) -> None:
    response = await service.ask("{ " + f'echo(number: "{"x" * 3_000}") ' * 15 + "}")

    assert len(response.content) < 20_000


@FORMS
async def test_deadline_cancels_the_work(accept: str, plain: bool) -> None:
    service = make_service(deadline=0.05)

    response = await service.ask("{ slow viewer { id } }", accept=accept)

    assert response.status_code == 503
    assert codes(response) == ["UNAVAILABLE"]
    assert "0.05 seconds" in response.json()["errors"][0]["message"]
    assert int(response.headers["retry-after"]) > 0
    assert service.witness.cancelled


async def test_cost_is_told_on_request(service: Service) -> None:
    query = "query($first: Int) { viewer { id keys(first: $first) { nodes { id } } } }"

    asked = await service.ask(query, {"first": 10}, extensions={"cost": True})
    silent = await service.ask(query, {"first": 10})

    assert asked.json()["extensions"] == {"cost": 3 + 10 * 2}
    assert "extensions" not in silent.json()
