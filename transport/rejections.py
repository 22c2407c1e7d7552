"""Why a request ends before anything runs: the status, and the errors its answer carries."""

from collections.abc import Sequence
from typing import Any

_RETRY_AFTER_SECONDS = 5

ErrorEntry = dict[str, Any]
Header = tuple[bytes, bytes]


class Rejection(Exception):
    """Ends a request with errors and no data.

    `status` holds for `application/graphql-response+json`; `plain_status` for `application/json`, under which the
    GraphQL-over-HTTP audit wants a 200 for a well-formed request about a faulty document.
    """

    def __init__(
        self,
        status: int,
        errors: Sequence[ErrorEntry],
        *,
        plain_status: int | None = None,
        headers: Sequence[Header] = (),
    ) -> None:
        super().__init__("; ".join(str(error["message"]) for error in errors))
        self.status = status
        self.plain_status = status if plain_status is None else plain_status
        self.errors = list(errors)
        self.headers = list(headers)


class ClientGone(Exception):
    """The client hung up before its request was whole: nobody is left to answer."""


def error_entry(code: str, message: str, **extensions: object) -> ErrorEntry:
    return {"message": message, "extensions": {"code": code, **extensions}}


def bad_request(message: str, *, status: int = 400, headers: Sequence[Header] = ()) -> Rejection:
    """A broken client: 400, 405, 406, 408, 413 or 415 under every media type."""
    return Rejection(status, [error_entry("BAD_REQUEST", message)], headers=headers)


def faulty_document(*errors: ErrorEntry) -> Rejection:
    """The request was well-formed and its document, or what goes with it, is not."""
    return Rejection(400, errors, plain_status=200)


def invalid_document(message: str) -> Rejection:
    return faulty_document(error_entry("GRAPHQL_VALIDATION_FAILED", message))


def unauthenticated() -> Rejection:
    """One answer for every bearer token that is no good (RFC 6750 section 3.1)."""
    entry = error_entry("UNAUTHENTICATED", "The bearer token is not valid, or not any more.")
    return Rejection(401, [entry], headers=[(b"www-authenticate", b'Bearer error="invalid_token"')])


def unavailable(message: str, retry_after_seconds: int) -> Rejection:
    entry = error_entry("UNAVAILABLE", message)
    return Rejection(503, [entry], headers=[(b"retry-after", str(retry_after_seconds).encode())])


def too_slow(deadline: float) -> Rejection:
    """The request took longer than it may, in seconds."""
    return unavailable(f"The request took longer than {deadline:g} seconds and was stopped.", _RETRY_AFTER_SECONDS)


def internal(request_id: str) -> Rejection:
    """A bug: the id to look for in the log, and nothing more."""
    return Rejection(500, [error_entry("INTERNAL", "Something went wrong on our side.", requestId=request_id)])
