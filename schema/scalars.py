"""The contract's scalars."""

from datetime import UTC, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

EmailAddress = NewType("EmailAddress", str)
SVG = NewType("SVG", str)
Secret = NewType("Secret", str)
JSON = NewType("JSON", object)
DateTimeText = NewType("DateTimeText", str)
"""A `DateTime` as it was given: kit.text.clean_instant reads it, so that a bad one is answered with its path."""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise GraphQLError("A string is wanted here.")
    return value


def _instant(value: Any) -> str:  # noqa: ANN401 - graphql-core hands over what the resolver gave
    if not isinstance(value, datetime):
        raise TypeError("not an instant")
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _same(value: Any) -> Any:  # noqa: ANN401 - JSON is anything
    return value


_date_time = strawberry.scalar(
    name="DateTime",
    description="UTC instant, RFC 3339, always with `Z`.",
    serialize=_instant,
    parse_value=_text,
)

SCALARS: dict[object, ScalarDefinition] = {
    datetime: _date_time,
    DateTimeText: _date_time,
    EmailAddress: strawberry.scalar(
        name="EmailAddress",
        description="An e-mail address. Kept as typed; compared in a canonical form.",
        serialize=str,
        parse_value=_text,
    ),
    SVG: strawberry.scalar(
        name="SVG",
        description="A complete SVG document as text: shapes only, no script, no link, no foreign content.",
        serialize=str,
        parse_value=_text,
    ),
    Secret: strawberry.scalar(
        name="Secret",
        description="A secret in the clear. Returned once; never logged, never stored.",
        serialize=str,
        parse_value=_text,
    ),
    JSON: strawberry.scalar(name="JSON", description="Any JSON value.", serialize=_same, parse_value=_same),
}
