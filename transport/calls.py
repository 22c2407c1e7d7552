"""What a request says before its body is read: its headers, looked through once, and who it comes from."""

from collections.abc import Sequence
from typing import NamedTuple

from starlette.types import Scope

from kit.addresses import Network, client_address
from kit.origin import Origin

_LONGEST_USER_AGENT = 512


class Call(NamedTuple):
    """An HTTP request without its body. A header that came several times is joined by commas, as HTTP has it."""

    method: str
    query_string: bytes
    headers: dict[bytes, bytes]
    origin: Origin

    @property
    def authorization(self) -> str | None:
        value = self.headers.get(b"authorization")
        return None if value is None else value.decode("latin-1")

    @property
    def accept(self) -> bytes:
        return self.headers.get(b"accept", b"")


def read_call(scope: Scope, trusted_proxies: Sequence[Network]) -> Call:
    headers = joined_headers(scope)
    origin = _origin(scope, headers, trusted_proxies)
    return Call(scope.get("method", "GET"), scope.get("query_string", b""), headers, origin)


def joined_headers(scope: Scope) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


def request_id_of(scope: Scope) -> str:
    """The id that the header middleware gave the request; empty without it."""
    return str(scope.get("state", {}).get("request_id", ""))


def _origin(scope: Scope, headers: dict[bytes, bytes], trusted_proxies: Sequence[Network]) -> Origin:
    peer = scope.get("client")
    address = str(peer[0]) if peer else ""
    forwarded = headers.get(b"x-forwarded-for")
    # SECURITY: a header is only looked at where a proxy is configured; anybody can write one.
    if trusted_proxies and forwarded is not None:
        address = client_address(address, [forwarded.decode("latin-1")], trusted_proxies)
    agent = headers.get(b"user-agent", b"")[:_LONGEST_USER_AGENT].decode("latin-1")
    if not agent.isprintable():
        agent = "".join(character for character in agent if character.isprintable())
    return Origin(ip_address=address, user_agent=agent, request_id=request_id_of(scope))
