"""What clients read of graphql-core's errors: bounded sentences, without the text of anybody's exception."""

from typing import Any

from graphql import GraphQLError

from kit.errors import BadRequest
from transport.rejections import ErrorEntry, error_entry

# Messages quote what was sent: a document of 64 KiB must not come back twenty times over.
_LONGEST_MESSAGE = 500


def cause_of(error: GraphQLError) -> BaseException | None:
    """The exception under graphql-core's wrappings; None where graphql-core itself found the fault."""
    cause: BaseException | None = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def validation_entry(error: GraphQLError) -> ErrorEntry:
    return located_entry("GRAPHQL_VALIDATION_FAILED", safe_message(error), error)


def safe_message(error: GraphQLError) -> str:
    """The message, unless it quotes an exception that was raised while a value was read."""
    cause = cause_of(error)
    if isinstance(cause, BadRequest):
        return _shortened(str(cause))
    if cause is not None:
        return "A value does not have the form that its type asks for."
    return _shortened(error.message)


def located_entry(code: str, message: str, error: GraphQLError, **extensions: object) -> ErrorEntry:
    """An entry with the error's place in the document and in the answer, where it has them."""
    entry: dict[str, Any] = error_entry(code, message, **extensions)
    if error.locations:
        entry["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        entry["path"] = error.path
    return entry


def _shortened(message: str) -> str:
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}…"
