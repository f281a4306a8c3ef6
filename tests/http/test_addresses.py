"""Where a request comes from."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from starlette.types import Scope

from graphid.http.addresses import NOWHERE, Addresses, network_of

PROXIES = Addresses([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])


def scope(peer: str | None, *forwarded: str) -> Scope:
    return {
        "type": "http",
        "client": None if peer is None else (peer, 1234),
        "headers": [(b"x-forwarded-for", line.encode()) for line in forwarded],
    }


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        # Whoever is no proxy of ours says what they like.
        ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        # What a client sent stands further left than what our proxy has seen.
        ("10.0.0.1", ["198.51.100.7, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.7", "203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        ("10.0.0.1", ["10.9.9.9, 10.1.2.3"], "10.9.9.9"),
        # What cannot be read vouches for nothing that is further left.
        ("10.0.0.1", ["203.0.113.9, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, unknown, 10.1.2.3"], "10.1.2.3"),
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("fd00::1", ["[2001:db8::5]:4711"], "2001:db8::5"),
        ("::ffff:10.0.0.1", ["2001:db8::5"], "2001:db8::5"),
        ("fe80::1%eth0", [], "fe80::1"),
        (None, ["203.0.113.9"], NOWHERE),
        ("a socket", [], NOWHERE),
    ],
)
def test_the_address_is_the_last_that_no_proxy_of_ours_has(
    peer: str | None, forwarded: list[str], address: str
) -> None:
    assert PROXIES.of(scope(peer, *forwarded)) == address


def test_a_header_of_any_length_is_looked_at_from_the_right() -> None:
    assert PROXIES.of(scope("10.0.0.1", ",".join(["10.1.1.1"] * 10_000))) == "10.1.1.1"


def test_without_proxies_nobody_is_believed() -> None:
    assert Addresses().of(scope("127.0.0.1", "203.0.113.9")) == "127.0.0.1"


def test_an_ipv6_address_counts_as_its_network() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::") == "2001:db8:1:2::/64"
    assert network_of("2001:db8:1:3::") != network_of("2001:db8:1:2::")
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of(NOWHERE) == NOWHERE
