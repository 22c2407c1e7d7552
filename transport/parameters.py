"""The parameters of a GraphQL request, from a JSON body or from a query string."""

from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from transport.rejections import bad_request
from transport.strict_json import BadJson, decode_json

_MOST_PARAMETERS = 20
_JSON_PARAMETERS = ("variables", "extensions")


class Parameters(NamedTuple):
    """A well-formed request: nothing is known of its document yet."""

    query: str | None
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any]
    document_id: str | None


def from_object(body: dict[str, Any]) -> Parameters:
    """Raises Rejection (400) where a parameter has the wrong type. Unknown ones are left alone, as the draft asks."""
    return Parameters(
        query=_text(body, "query"),
        # Some clients send an empty name for none.
        operation_name=_text(body, "operationName") or None,
        variables=_map(body, "variables"),
        extensions=_map(body, "extensions"),
        document_id=_text(body, "documentId"),
    )


def from_query_string(query_string: bytes) -> Parameters:
    """Raises Rejection (400), also where a parameter comes twice."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except ValueError:
        raise bad_request("The query string cannot be read.") from None
    values: dict[str, Any] = dict(pairs)
    if len(values) != len(pairs):
        raise bad_request("A parameter stands in the query string twice.")
    for name in _JSON_PARAMETERS:
        if name in values:
            values[name] = _decoded(name, values[name])
    return from_object(values)


def _decoded(name: str, text: str) -> object:
    try:
        return decode_json(text) if text else None
    except BadJson as problem:
        raise bad_request(f"`{name}` cannot be read: {problem}") from None


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise bad_request(f"`{name}` must be a string.")
    return value


def _map(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_request(f"`{name}` must be a JSON object.")
    return value
