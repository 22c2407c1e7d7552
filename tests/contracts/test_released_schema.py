from pathlib import Path

from graphql import build_schema
from graphql.utilities import find_breaking_changes

FOLDER = Path(__file__).resolve().parents[2] / "schema"
RELEASED = FOLDER / "released.graphql"
"""What the last release promised: `schema.graphql` is copied there when a release is made. None before the first."""


def test_nothing_released_is_taken_back() -> None:
    present = (FOLDER / "schema.graphql").read_text()
    released = RELEASED.read_text() if RELEASED.exists() else present

    changes = find_breaking_changes(build_schema(released), build_schema(present))

    assert [change.description for change in changes] == []
