"""What is remembered of bodies, and what must not be."""

import json

import pytest

from transport.known_bodies import KnownBodies
from transport.rejections import Rejection


def body(**members: object) -> bytes:
    return json.dumps(members).encode()


def test_a_document_alone_is_remembered() -> None:
    bodies = KnownBodies()

    first = bodies.parameters(body(query="{ viewer { id } }"))

    assert bodies.parameters(body(query="{ viewer { id } }")) is first
    assert first.query == "{ viewer { id } }"


@pytest.mark.parametrize(
    "more",
    [
        {"variables": {"password": "secret"}},
        {"extensions": {"cost": True}},
        {"operationName": "Name"},
        {"documentId": "sha256:0"},
        {"query": "#" * 2_048},
    ],
)
def test_anything_else_is_not(more: dict[str, object]) -> None:
    bodies = KnownBodies()

    bodies.parameters(body(**{"query": "{ viewer { id } }", **more}))

    assert len(bodies) == 0


def test_what_is_refused_is_refused_again() -> None:
    bodies = KnownBodies()

    for _ in range(2):
        with pytest.raises(Rejection):
            bodies.parameters(b'{"query": "{ a }", "query": "{ b }"}')

    assert len(bodies) == 0


def test_it_does_not_grow_without_bound() -> None:
    bodies = KnownBodies()

    for number in range(1_000):
        bodies.parameters(body(query=f"{{ a{number} }}"))

    assert len(bodies) == 500
