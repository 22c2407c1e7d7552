"""Documents are parsed and validated once; what failed is never kept, and what is kept is bounded."""

import pytest

from tests.transport.service import Service, codes, make_service
from transport.rejections import Rejection


def query(number: int) -> str:
    return f"query Q{number} {{ viewer {{ id }} }}"


def test_good_document_is_prepared_once(service: Service) -> None:
    first = service.documents.prepare(query(1), None, {})

    assert service.documents.prepare(query(1), None, {}) is first
    assert len(service.documents) == 1


def test_operations_of_one_document_share_it(service: Service) -> None:
    document = f"{query(1)} {query(2)}"

    operations = [service.documents.prepare(document, name, {}) for name in ("Q1", "Q2")]

    assert [operation.name for operation in operations] == ["Q1", "Q2"]
    assert len(service.documents) == 1


@pytest.mark.parametrize("name", [None, "Q3", ""])
def test_kept_document_still_wants_the_right_name(service: Service, name: str | None) -> None:
    document = f"{query(1)} {query(2)}"
    service.documents.prepare(document, "Q1", {})

    with pytest.raises(Rejection, match="operation"):
        service.documents.prepare(document, name, {})


@pytest.mark.parametrize("document", ["{", "{ nothing }", "{ " + "__typename " * 21 + "}", "{ ...a }"])
async def test_failed_document_is_not_kept(service: Service, document: str) -> None:
    answers = [await service.ask(document) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert codes(answers[0])
    assert len(service.documents) == 0


def test_count_is_bounded_and_the_oldest_goes_first() -> None:
    documents = make_service(most_documents=3).documents
    first, *_ = [documents.prepare(query(number), None, {}) for number in range(3)]

    documents.prepare(query(0), None, {})
    documents.prepare(query(3), None, {})

    assert len(documents) == 3
    assert documents.prepare(query(0), None, {}) is first


def test_bytes_are_bounded() -> None:
    documents = make_service(most_bytes=100_000).documents

    for number in range(50):
        documents.prepare(f'{{ echo(text: "{number:010000}") }}', None, {})

    assert 0 < len(documents) < 5


def test_document_larger_than_all_room_is_served_and_not_kept() -> None:
    documents = make_service(most_bytes=1_000).documents

    operation = documents.prepare(query(1), None, {})

    assert operation.name == "Q1"
    assert len(documents) == 0
