"""Who is calling: what is believed of forwarded headers, and which addresses count as one."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.addresses import client_address, client_network, parse_networks

PROXIES = parse_networks(["10.0.0.0/8", "fd00::/8"])
IPV4 = st.ip_addresses(v=4).map(str)
IPV6 = st.ip_addresses(v=6).map(str)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        # Nobody's word is taken unless a trusted proxy brings it.
        ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        # What the attacker wrote stands on the left of what the proxy saw.
        ("10.0.0.1", ["198.51.100.7, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.7", "203.0.113.9"], "203.0.113.9"),
        # A chain of proxies is walked through; where all are trusted, the left-most is the caller.
        ("10.0.0.1", ["198.51.100.7, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        # Nonsense ends the walk at the last hop that somebody trusted vouched for.
        ("10.0.0.1", ["203.0.113.9, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, nonsense, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["203.0.113.9,,  ,10.0.0.2,"], "203.0.113.9"),
        # Proxies write ports, brackets, and IPv4 inside IPv6.
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("fd00::1", ["[2001:db8::9]:4711"], "2001:db8::9"),
        ("fd00::1", ["2001:DB8:0::9"], "2001:db8::9"),
        ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("::ffff:192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
        ("fe80::1%eth0", [], "fe80::1"),
        ("", ["203.0.113.9"], ""),
    ],
)
def test_client_is_the_right_most_hop_that_no_trusted_proxy_stands_for(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == client


@given(IPV4 | IPV6, st.lists(st.text(max_size=40), max_size=5))
def test_without_proxies_no_header_changes_anything(peer: str, forwarded: list[str]) -> None:
    assert client_network(client_address(peer, forwarded, ())) == client_network(peer)


@given(st.lists(st.text(max_size=40), max_size=5), IPV4.filter(lambda text: not text.startswith("10.")))
def test_what_stands_left_of_the_callers_address_changes_nothing(forged: list[str], caller: str) -> None:
    assert client_address("10.0.0.1", [*forged, caller], PROXIES) == caller


def test_an_endless_header_is_read_to_a_bound_only() -> None:
    forwarded = ["203.0.113.9"] + ["10.0.0.2"] * 100_000

    assert client_address("10.0.0.1", forwarded, PROXIES) == "10.0.0.2"


@pytest.mark.parametrize(
    ("client", "bucket"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_bucket_of_a_client(client: str, bucket: str) -> None:
    assert client_network(client) == bucket


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_neighbours_in_a_64_share_a_bucket(address: ipaddress.IPv6Address, host: int) -> None:
    if address.ipv4_mapped is not None:
        return
    neighbour = ipaddress.IPv6Address(int(address) >> 64 << 64 | host)

    if neighbour.ipv4_mapped is None:
        assert client_network(str(neighbour)) == client_network(str(address))


@given(IPV4 | IPV6 | st.text(max_size=60))
def test_a_bucket_is_its_own_bucket(client: str) -> None:
    assert client_network(client_network(client)) == client_network(client)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "proxy", "", "10.0.0.0/33", "*"])
def test_a_network_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="neither an address nor a network") as refused:
        parse_networks(["10.0.0.0/8", text])

    assert repr(text) in str(refused.value)
