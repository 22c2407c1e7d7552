"""Documents made to keep the gateway busy (traps T1 and T14): refused, and in few steps."""

import sys
from types import FrameType

import pytest

from tests.transport.expectations import assert_admitted, assert_refused
from tests.transport.service import Service, codes


@pytest.mark.parametrize("levels", range(18, 27))
@pytest.mark.parametrize("fan", [2, 5])
@pytest.mark.parametrize(
    ("on", "root", "leaf", "bound"),
    [
        ("Query", "...a0", "__typename", "rootFields"),
        ("Account", "viewer { ...a0 }", "id", "cost"),
        ("Account", "viewer { ...a0 }", "mine: id", "aliases"),
        ("Account", "viewer { ...a0 }", "", "selections"),
    ],
)
async def test_fragment_bomb_is_refused(
    service: Service, levels: int, fan: int, on: str, root: str, leaf: str, bound: str
) -> None:
    limits = {"rootFields": 20, "cost": 10_000, "aliases": 15, "selections": 50_000}

    await assert_refused(service, bomb(levels, fan, on=on, root=root, leaf=leaf), bound, limits[bound])


def bomb(levels: int, fan: int, *, on: str = "Query", root: str = "...a0", leaf: str = "__typename") -> str:
    """Each fragment spreads the next one `fan` times."""
    spreads = [f"fragment a{level} on {on} {{ {f'...a{level + 1} ' * fan} }}" for level in range(levels)]
    return " ".join([f"{{ {root} }}", *spreads, f"fragment a{levels} on {on} {{ {leaf} }}"])


async def test_bomb_takes_steps_in_line_with_its_length(service: Service) -> None:
    small, large = bomb(20, 2), bomb(40, 2)

    steps = [await _calls_made(service, query) for query in (small, large)]

    assert steps[1] < 2.5 * steps[0]


async def _calls_made(service: Service, query: str) -> int:
    count = 0

    def counting(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counting)
    try:
        response = await service.ask(query)
    finally:
        sys.setprofile(None)
    assert codes(response) == ["DOCUMENT_TOO_COSTLY"]
    return count


async def test_equal_fields_are_refused_before_they_are_compared(service: Service) -> None:
    await assert_refused(service, "{ viewer { " + "id " * 990 + "} }", "fieldsOfOneName", 50)
    await assert_refused(service, "{ viewer { " + "id " * 51 + "} }", "fieldsOfOneName", 50)
    await assert_admitted(service, "{ viewer { " + "id " * 50 + "} }")


async def test_equal_fields_are_counted_where_they_meet(service: Service) -> None:
    await assert_refused(service, "{ " + "viewer { id id id } " * 17 + "}", "fieldsOfOneName", 50)
    await assert_refused(service, "{ viewer { " + "... on Account { id } " * 51 + "} }", "fieldsOfOneName", 50)
    fragments = " ".join(f"fragment a{number} on Account {{ id }}" for number in range(51))
    spread = " ".join(f"...a{number}" for number in range(51))
    await assert_refused(service, f"{{ viewer {{ {spread} }} }} {fragments}", "fieldsOfOneName", 50)


@pytest.mark.parametrize(
    "query",
    [
        "{ ...a } fragment a on Query { ...a }",
        "{ ...a } fragment a on Query { ...b } fragment b on Query { viewer { id } ...a }",
    ],
)
async def test_fragments_in_a_circle_are_refused(service: Service, query: str) -> None:
    response = await service.ask(query)

    assert codes(response) == ["GRAPHQL_VALIDATION_FAILED"]
    assert "circle" in response.json()["errors"][0]["message"]
    assert service.witness.ran == []
