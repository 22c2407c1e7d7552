"""Answers: which status a result has, what its errors say, and their bytes."""

import json
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from graphql import ExecutionResult, GraphQLError
from starlette.types import Send

from kit.errors import BadRequest, Unauthenticated, Unavailable
from transport.faults import cause_of, located_entry, safe_message
from transport.negotiation import Media
from transport.rejections import ErrorEntry, Header, Rejection, internal, unavailable

_log = structlog.get_logger("gatehouse.transport")


@dataclass(slots=True)
class Answer:
    """A whole HTTP answer but for what the header middleware adds."""

    status: int
    payload: dict[str, Any]
    headers: list[Header] = field(default_factory=list)


def answer_of_rejection(rejection: Rejection, media: Media) -> Answer:
    status = rejection.plain_status if media is Media.JSON else rejection.status
    return Answer(status, {"errors": rejection.errors}, rejection.headers)


def answer_of_result(result: ExecutionResult, media: Media, request_id: str) -> Answer:
    """The answer to what ran: 200 with field errors in it, or the whole of it refused.

    Raises Rejection (400 or 200 for variables that fit no type, 500 for a bug, 503 for a dependency that is away).
    """
    if not result.errors:
        return Answer(200, {"data": result.data})
    entries = [_entry(error, request_id) for error in result.errors]
    if any(error.path is None for error in result.errors):
        return answer_of_rejection(Rejection(400, entries, plain_status=200), media)
    return Answer(200, {"data": result.data, "errors": entries})


def _entry(error: GraphQLError, request_id: str) -> ErrorEntry:
    """The entry of an error that leaves the rest of the answer standing; any other raises a Rejection."""
    cause = cause_of(error)
    if error.path is None:
        return located_entry("BAD_REQUEST", safe_message(error), error)
    if isinstance(cause, Unauthenticated):
        return located_entry("UNAUTHENTICATED", "This needs a valid bearer token.", error)
    if isinstance(cause, BadRequest) or (cause is None and _is_about_arguments(error)):
        return located_entry("BAD_REQUEST", safe_message(error), error)
    if isinstance(cause, UnicodeEncodeError) and cause.reason == "surrogates not allowed":
        # A lone surrogate is a legal JSON string and no text: the first thing to store or to hash it raises this.
        return located_entry("BAD_REQUEST", "A text holds half of a surrogate pair.", error)
    if isinstance(cause, Unavailable):
        raise rejection_of(cause)
    raise bug(cause or error, request_id, path=error.path)


def _is_about_arguments(error: GraphQLError) -> bool:
    """Whether graphql-core found fault with an argument: with a value that a resolver gave, it names no node."""
    innermost = error
    while isinstance(innermost.original_error, GraphQLError):
        innermost = innermost.original_error
    return innermost.nodes is not None and innermost is not error


def rejection_of(cause: Unavailable) -> Rejection:
    _log.warning("dependency_unavailable", what=cause.what)
    return unavailable("Something that this needs is away: try again later.", cause.retry_after_seconds)


def bug(cause: BaseException, request_id: str, **facts: object) -> Rejection:
    """Logs the whole trace, and gives the client its request id only."""
    _log.error("request_failed", exc_info=cause, request_id=request_id, **facts)
    return internal(request_id)


def encode(payload: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(payload)
    except TypeError:
        # Lone surrogates and integers past 64 bits, which the standard library writes and orjson does not.
        return json.dumps(payload, ensure_ascii=True, allow_nan=False).encode()


async def send_answer(send: Send, answer: Answer, media: Media, request_id: str) -> None:
    try:
        body = encode(answer.payload)
    except (TypeError, ValueError) as cause:
        answer = answer_of_rejection(bug(cause, request_id), media)
        body = encode(answer.payload)
    headers = [
        (b"content-type", _CONTENT_TYPES[media]),
        (b"content-length", str(len(body)).encode()),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


# Who wanted a page or a stream, and gets an error instead, gets it as plain JSON.
_CONTENT_TYPES = {media: (media if media is Media.GRAPHQL else Media.JSON).content_type for media in Media}
