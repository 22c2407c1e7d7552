"""Network addresses: who is calling, past trusted proxies, and which addresses count as one client."""

import ipaddress
from collections.abc import Iterable, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MOST_HOPS = 32
_IPV6_CLIENT_PREFIX = 64


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses or networks (`10.0.0.1`, `10.0.0.0/8`, `fd00::/8`). Raises ValueError naming the one that is none."""
    return tuple(_parse_network(text) for text in texts)


def _parse_network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither an address nor a network (host bits must be zero)") from None


def client_network(client: str) -> str:
    """The bucket in which tries of this client are counted: an IPv4 address, or the /64 of an IPv6 address.

    One household or server has a whole /64 to itself, so an address inside it costs nothing. A bucket is its own
    bucket; what is no address at all (a Unix socket's peer) stays as it is.
    """
    address = _parse(client.removesuffix(f"/{_IPV6_CLIENT_PREFIX}"))
    if address is None:
        return client
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.IPv6Network((int(address), _IPV6_CLIENT_PREFIX), strict=False))


def client_address(peer: str, forwarded_for: Sequence[str], trusted_proxies: Sequence[Network]) -> str:
    """The caller's address: the peer's own, or the right-most hop that no trusted proxy stands for.

    `forwarded_for` are the values of all X-Forwarded-For headers, in the order they came.
    """
    address = _parse(peer)
    if address is None:
        return peer
    for text in _hops_from_the_right(forwarded_for):
        # SECURITY: only a trusted proxy's word is taken, and only for the hop it saw itself. What stands further left
        # was written by somebody unknown, the attacker perhaps.
        if not _is_trusted(address, trusted_proxies):
            break
        hop = _parse_hop(text)
        if hop is None:
            break
        address = hop
    return str(address)


def _hops_from_the_right(forwarded_for: Sequence[str]) -> list[str]:
    hops = ",".join(forwarded_for).rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]
    return [hop.strip() for hop in reversed(hops) if hop.strip()]


def _is_trusted(address: _Address, trusted_proxies: Sequence[Network]) -> bool:
    return any(address in network for network in trusted_proxies)


def _parse_hop(text: str) -> _Address | None:
    """An address as proxies write it: plain, `[2001:db8::1]:443`, or `192.0.2.1:443`."""
    if text.startswith("["):
        return _parse(text[1:].partition("]")[0])
    if text.count(":") == 1:
        return _parse(text.partition(":")[0])
    return _parse(text)


def _parse(text: str) -> _Address | None:
    """None for what is no address. IPv4 inside IPv6 (`::ffff:192.0.2.1`) is the IPv4 address; a zone is left off."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
