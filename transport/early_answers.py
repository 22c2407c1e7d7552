"""Answers to what never becomes a request: the protocol gives them by itself, before there is an application to ask."""

import re
import secrets
from collections.abc import Iterable

import structlog
from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from transport.answers import encode
from transport.body import CLOSE
from transport.negotiation import Media
from transport.rejections import Header, Rejection, bad_request

MOST_HEAD_BYTES = 64 * 1024
MOST_HEADERS = 100

_log = structlog.get_logger("gatehouse.transport")

# A token in the sense of HTTP's grammar, or what has come of it.
_METHOD = re.compile(rb"(\r\n)*[!#$%&'*+.^_`|~0-9A-Za-z-]+( |\Z)")


def early_answer(rejection: Rejection, always: Iterable[Header]) -> bytes:
    """The bytes of the last answer on a connection, with a request id of its own and the headers of every answer."""
    request_id = secrets.token_hex(16)
    _log.info("request_refused", status=rejection.status, reason=str(rejection), request_id=request_id)
    body = encode({"errors": rejection.errors})
    headers = [
        (b"content-type", Media.JSON.content_type),
        (b"content-length", str(len(body)).encode()),
        CLOSE,
        *rejection.headers,
        (b"x-request-id", request_id.encode()),
        *always,
    ]
    return b"".join([STATUS_LINE[rejection.status], *(b"%s: %s\r\n" % header for header in headers), b"\r\n", body])


def unreadable(problem: HttpParserError, piece: bytes) -> Rejection:
    """Why the parser stopped in the midst of this piece."""
    if isinstance(problem.__context__, Rejection):
        return problem.__context__
    if "method" in str(problem) and _METHOD.match(piece):
        return method_not_allowed()
    return bad_request("This is not a request of HTTP/1.1.")


def method_not_allowed() -> Rejection:
    return bad_request("The gateway takes GET and POST.", status=405, headers=[(b"allow", b"GET, POST")])


def is_large_head(url: bytes, headers: Iterable[Header]) -> bool:
    """Whether a head that came in several pieces is too large. It is measured as if written without needless blanks."""
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers) > MOST_HEAD_BYTES


def head_too_large(url: bytes) -> Rejection:
    message = f"The head of a request may have at most {MOST_HEAD_BYTES} bytes (64 KiB) and {MOST_HEADERS} headers."
    return bad_request(message, status=414 if 2 * len(url) > MOST_HEAD_BYTES else 431)


def too_many_waiting(most: int) -> Rejection:
    return bad_request(f"At most {most} requests may wait behind another on a connection.", status=429)


def upgrade_too_early() -> Rejection:
    return bad_request("A connection can be upgraded only once what came before it has been answered.")


def head_too_late(seconds: float) -> Rejection:
    return bad_request(f"The head of the request did not arrive within {seconds:g} seconds.", status=408)
