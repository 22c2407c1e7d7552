"""Documents by hash: manifests in three forms, and Apollo's automatic persisted queries."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.transport.service import Service, codes, make_service
from transport.trusted_documents import ManifestError, TrustedDocuments, load_manifest

TEXT = "query Viewer { viewer { id } }"
HASH = hashlib.sha256(TEXT.encode()).hexdigest()
OTHER = "{ __typename }"
ANSWER = {"data": {"viewer": {"id": "account_1"}}}


def persisted(digest: object) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest}}


def production() -> Service:
    return make_service(trusted_documents=TrustedDocuments({HASH: TEXT}, only_listed=True))


def development() -> Service:
    return make_service(trusted_documents=TrustedDocuments({f"sha256:{HASH}": TEXT}))


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param({HASH: TEXT}, id="Relay and graphql-codegen"),
        pytest.param({f"sha256:{HASH}": TEXT}, id="with a prefix"),
        pytest.param(
            {
                "format": "apollo-persisted-query-manifest",
                "version": 1,
                "operations": [{"id": HASH, "name": "Viewer", "type": "query", "body": TEXT}],
            },
            id="Apollo",
        ),
    ],
)
def test_manifest_is_read_in_every_form(tmp_path: Path, manifest: dict[str, Any]) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest))

    assert load_manifest(path) == {HASH: TEXT}


@pytest.mark.parametrize(
    "content", ["", "[]", '{"a": 1}', '{"operations": {}}', '{"operations": [{"id": "a"}]}', "\udcff"]
)
def test_manifest_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(content, errors="surrogateescape")

    with pytest.raises(ManifestError, match="manifest"):
        load_manifest(path)


def test_manifest_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        load_manifest(tmp_path / "none.json")


@pytest.mark.parametrize(
    "asked",
    [
        {"documentId": HASH},
        {"documentId": f"sha256:{HASH}"},
        {"extensions": persisted(HASH)},
        {"documentId": HASH, "operationName": "Viewer", "query": None},
        {"extensions": persisted(HASH), "query": TEXT},
        {"documentId": HASH, "query": TEXT},
    ],
)
@pytest.mark.parametrize("make", [production, development])
async def test_listed_document_runs_by_its_hash(make: Any, asked: dict[str, Any]) -> None:
    response = await make().post(asked)

    assert response.json() == ANSWER


async def test_listed_document_runs_by_get() -> None:
    by_id = await production().request("GET", documentId=f"sha256:{HASH}")
    by_extension = await production().request("GET", extensions=json.dumps(persisted(HASH)))

    assert by_id.json() == by_extension.json() == ANSWER


@pytest.mark.parametrize("query", [OTHER, TEXT, "{"])
@pytest.mark.parametrize(("accept", "status"), [("application/json", 200), ("application/graphql-response+json", 400)])
async def test_free_text_does_not_run_in_production(query: str, accept: str, status: int) -> None:
    service = production()

    response = await service.ask(query, accept=accept)

    assert response.status_code == status
    assert codes(response) == ["PERSISTED_QUERY_REQUIRED"]
    assert service.witness.ran == []


async def test_nobody_registers_a_document_in_production() -> None:
    service = production()
    digest = hashlib.sha256(OTHER.encode()).hexdigest()

    answers = [
        await service.post({"query": OTHER, "extensions": persisted(digest)}),
        await service.post({"extensions": persisted(digest)}),
    ]

    assert [codes(answer) for answer in answers] == [["PERSISTED_QUERY_REQUIRED"], ["PERSISTED_QUERY_NOT_FOUND"]]
    assert "PersistedQueryNotFound" not in answers[1].text
    assert service.witness.ran == []


@pytest.mark.parametrize("asked", [{"documentId": "nobody"}, {"documentId": ""}, {"extensions": persisted("0" * 64)}])
@pytest.mark.parametrize("make", [production, development, make_service])
async def test_unknown_hash_is_not_found(make: Any, asked: dict[str, Any]) -> None:
    response = await make().post(asked)

    assert response.status_code == 200
    assert codes(response) == ["PERSISTED_QUERY_NOT_FOUND"]


async def test_free_text_runs_in_development() -> None:
    response = await development().ask(OTHER)

    assert response.json() == {"data": {"__typename": "Query"}}


async def test_automatic_persisted_query_is_sent_once(service: Service) -> None:
    asked = await service.post({"extensions": persisted(HASH)})
    sent = await service.post({"query": TEXT, "extensions": persisted(HASH)})
    again = await service.post({"extensions": persisted(HASH)})

    assert asked.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert sent.json() == again.json() == ANSWER


@pytest.mark.parametrize("query", [OTHER, f"{TEXT} "])
async def test_hash_of_another_text_is_refused(service: Service, query: str) -> None:
    response = await service.post({"query": query, "extensions": persisted(HASH)})
    after = await service.post({"extensions": persisted(HASH)})

    assert response.status_code == 400
    assert codes(response) == ["BAD_REQUEST"]
    assert codes(after) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert service.witness.ran == []


@pytest.mark.parametrize("query", ["{", "{ nothing }", "{ " + "__typename " * 21 + "}"])
async def test_faulty_document_is_not_registered(service: Service, query: str) -> None:
    digest = hashlib.sha256(query.encode()).hexdigest()

    await service.post({"query": query, "extensions": persisted(digest)})
    after = await service.post({"extensions": persisted(digest)})

    assert codes(after) == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"documentId": 1},
        {"extensions": {"persistedQuery": 1}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": HASH}}},
        {"extensions": persisted(1)},
        {"extensions": persisted("")},
        {"extensions": persisted("a" * 129)},
    ],
)
async def test_malformed_hash_is_a_bad_request(service: Service, wrong: dict[str, Any]) -> None:
    response = await service.post({"query": TEXT, **wrong})

    assert response.status_code == 400
    assert codes(response) == ["BAD_REQUEST"]
    assert service.witness.ran == []


async def test_registered_documents_are_bounded() -> None:
    service = make_service()
    texts = [f'{{ echo(text: "{number:050000}") }}' for number in range(45)]
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in texts]

    for text, digest in zip(texts, digests, strict=True):
        await service.post({"query": text, "extensions": persisted(digest)})
    oldest = await service.post({"extensions": persisted(digests[0])})
    newest = await service.post({"extensions": persisted(digests[-1])})

    assert codes(oldest) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert "errors" not in newest.json()
