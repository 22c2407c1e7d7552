"""What may come as a body (traps T2 and T5), and that whatever may not is answered with 4xx and run by nobody."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transport.service import Service, codes, make_service
from transport.strict_json import decode_json

MUTATION = "mutation($name: String) { rename(name: $name) }"
LIMIT = 64 * 1024


def body_with(variables: str) -> bytes:
    return f'{{"query": "{MUTATION}", "variables": {variables}}}'.encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"1", id="a number"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"query": "\xff\xfe{ viewer { id } }"}', id="no UTF-8"),
        pytest.param(b"[" * 60_000, id="60,000 open brackets"),
        pytest.param(body_with('{"name": ' + "[" * 5_000 + "]" * 5_000 + "}"), id="5,000 nested lists"),
        pytest.param(body_with('{"name": ' + "9" * 5_000 + "}"), id="5,000 digits"),
        pytest.param(b"", id="nothing"),
        pytest.param(b'"text"', id="a string"),
        pytest.param(b'[{"query": "{ viewer { id } }"}]', id="a batch"),
        pytest.param(body_with('{"name": "a", "name": "b"}'), id="a key twice"),
        pytest.param(body_with('{"name": NaN}'), id="NaN"),
        pytest.param(body_with('{"name": -Infinity}'), id="Infinity"),
        pytest.param(body_with('{"name": 1e999}'), id="a number past all numbers"),
        pytest.param(body_with('{"name": 0.' + "1" * 5_000 + "}"), id="5,000 digits behind the point"),
        pytest.param(body_with("{}") + b"{}", id="two objects"),
        pytest.param(b"\xef\xbb\xbf" + body_with("{}"), id="a byte order mark"),
        pytest.param(body_with("{}").decode().encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"query": "{ viewer { id } }\x01"}', id="a control character"),
    ],
)
async def test_unusable_body_is_a_bad_request(service: Service, body: bytes) -> None:
    response = await service.post(body)

    assert response.status_code == 400
    assert codes(response) == ["BAD_REQUEST"]
    assert "data" not in response.json()
    assert service.witness.ran == []


@pytest.mark.parametrize(
    "wrong",
    [{"query": 1}, {"query": ["a"]}, {"operationName": {}}, {"variables": "a"}, {"variables": []}, {"extensions": 0}],
)
async def test_parameter_of_the_wrong_type_is_a_bad_request(service: Service, wrong: dict[str, Any]) -> None:
    response = await service.post({"query": MUTATION, **wrong})

    assert response.status_code == 400
    assert codes(response) == ["BAD_REQUEST"]
    assert service.witness.ran == []


async def test_nulls_and_unknown_parameters_are_no_problem(service: Service) -> None:
    response = await service.post({"query": MUTATION, "variables": None, "operationName": None, "x": [1]})

    assert response.json() == {"data": {"rename": None}}


async def test_body_of_64_kib_is_read(service: Service) -> None:
    body = body_with("{}").ljust(LIMIT)

    response = await service.post(body)

    assert response.status_code == 200


async def test_body_of_one_byte_more_is_too_large(service: Service) -> None:
    body = body_with("{}").ljust(LIMIT + 1)

    response = await service.post(body)

    assert response.status_code == 413
    assert codes(response) == ["BAD_REQUEST"]
    assert response.headers["connection"] == "close"
    assert service.witness.ran == []


async def test_chunked_body_is_counted_while_it_streams(service: Service) -> None:
    taken = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(100_000):
            taken += 1
            yield b" " * 1_000

    async with service.client() as client:
        response = await client.post("/graphql", content=chunks(), headers={"content-type": "application/json"})

    assert response.status_code == 413
    assert taken < 70


async def test_compressed_body_is_refused_without_reading_it(service: Service) -> None:
    response = await service.post(gzip.compress(body_with("{}")), {"content-encoding": "gzip"})

    assert response.status_code == 415
    assert codes(response) == ["BAD_REQUEST"]
    assert service.witness.ran == []


async def test_body_with_two_framings_is_refused(service: Service) -> None:
    response = await service.post(body_with("{}"), {"transfer-encoding": "chunked", "content-length": "10"})

    assert response.status_code == 400
    assert response.headers["connection"] == "close"
    assert service.witness.ran == []


@pytest.mark.parametrize(
    ("method", "content_type", "status"), [("POST", "text/plain", 415), ("PUT", "application/json", 405)]
)
async def test_large_body_is_not_read_to_its_end_only_to_refuse_it(method: str, content_type: str, status: int) -> None:
    async with make_service().client() as client:
        answers = [
            await client.request(method, "/graphql", content=b" " * size, headers={"content-type": content_type})
            for size in (LIMIT, LIMIT + 1)
        ]

    assert [answer.status_code for answer in answers] == [status, status]
    assert ["connection" in answer.headers for answer in answers] == [False, True]


async def test_body_that_stalls_is_given_up() -> None:
    service = make_service(deadline=0.05)

    async def stalls() -> AsyncIterator[bytes]:
        yield b'{"query": '
        await asyncio.Event().wait()

    async with service.client() as client:
        response = await client.post("/graphql", content=stalls(), headers={"content-type": "application/json"})

    assert response.status_code == 408
    assert codes(response) == ["BAD_REQUEST"]
    assert service.witness.ran == []


async def test_client_that_hangs_up_gets_no_answer(service: Service) -> None:
    sent: list[Any] = []
    scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": [(b"content-type", b"application/json")]}

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await service.app(scope, receive, send)

    assert sent == []
    assert service.witness.ran == []


@pytest.mark.parametrize(("depth", "status"), [(62, 200), (63, 400)])
async def test_nesting_is_bounded_before_parsing(service: Service, depth: int, status: int) -> None:
    # Two levels are the body and its variables.
    response = await service.post(body_with('{"unused": ' + "[" * depth + "]" * depth + "}"))

    assert response.status_code == status


async def test_brackets_inside_strings_do_not_count(service: Service) -> None:
    text = '[{"\\' * 500

    response = await service.post({"query": MUTATION, "variables": {"name": text}})

    assert response.json() == {"data": {"rename": text}}


@pytest.mark.parametrize(("digits", "status"), [(40, 200), (41, 400)])
async def test_digits_are_bounded(service: Service, digits: int, status: int) -> None:
    response = await service.post(body_with('{"unused": ' + "1" * digits + "}"))

    assert response.status_code == status


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\x00", "a\x00b", "𝄞 € ü"])
async def test_odd_text_comes_back_as_it_went(service: Service, text: str) -> None:
    response = await service.post({"query": MUTATION, "variables": {"name": text}})

    assert response.status_code == 200
    assert json.loads(response.text) == {"data": {"rename": text}}


async def test_lone_surrogate_in_a_document_is_a_syntax_error(service: Service) -> None:
    response = await service.post({"query": 'mutation { rename(name: "\ud800") }'})

    assert codes(response) == ["GRAPHQL_VALIDATION_FAILED"]
    assert service.witness.ran == []


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(_VALUES)
def test_whatever_is_plain_json_is_read_as_the_standard_library_reads_it(value: object) -> None:
    assert decode_json(json.dumps(value)) == value
