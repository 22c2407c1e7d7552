"""Reads a request's body: one JSON object of bounded size."""

from typing import Any

from starlette.types import Receive

from transport.rejections import ClientGone, Header, Rejection, bad_request
from transport.strict_json import BadJson, decode_json, decode_utf8

MOST_BYTES = 64 * 1024

# Without it, servers go on swallowing what is left of a refused body before they take the next request.
CLOSE: Header = (b"connection", b"close")


async def read_body(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """Raises Rejection (400, 413, 415), and ClientGone when the client hung up."""
    _check_framing(headers)
    return await _read(receive)


def decode_object(raw: bytes) -> dict[str, Any]:
    """Raises Rejection (400) for anything but one strict JSON object in UTF-8."""
    if not raw:
        raise bad_request("The body is empty: send a JSON object with a `query`.")
    try:
        value = decode_json(decode_utf8(raw))
    except BadJson as problem:
        raise bad_request(f"The body cannot be read: {problem}") from None
    if isinstance(value, list):
        raise bad_request("The body is a JSON array: batches are not taken, send one request at a time.")
    if not isinstance(value, dict):
        raise bad_request("The body must be a JSON object.")
    return value


def is_large(headers: dict[bytes, bytes]) -> bool:
    """Whether a body is announced that is too large, or that does not say how large it is."""
    length = headers.get(b"content-length", b"0")
    return b"transfer-encoding" in headers or not length.isdigit() or int(length[:20]) > MOST_BYTES


def _check_framing(headers: dict[bytes, bytes]) -> None:
    # SECURITY: a compressed body could unfold to any size, so none is taken.
    if headers.get(b"content-encoding", b"identity").strip().lower() not in {b"identity", b""}:
        raise bad_request("The body must not be compressed.", status=415)
    # SECURITY: with both framings, two servers in a row can disagree where the body ends (request smuggling).
    if b"content-length" in headers and b"transfer-encoding" in headers:
        raise bad_request("Content-Length and Transfer-Encoding exclude each other.")
    if b"content-length" in headers and is_large(headers):
        raise _too_large()


async def _read(receive: Receive) -> bytes:
    # SECURITY: counted while it streams, because a chunked body does not say how long it will be.
    raw = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        raw += message.get("body", b"")
        if len(raw) > MOST_BYTES:
            raise _too_large()
        more = message.get("more_body", False)
    return bytes(raw)


def too_late(seconds: float) -> Rejection:
    return bad_request(f"The body did not arrive within {seconds:g} seconds.", status=408, headers=[CLOSE])


def _too_large() -> Rejection:
    return bad_request(f"The body may have at most {MOST_BYTES} bytes (64 KiB).", status=413)
