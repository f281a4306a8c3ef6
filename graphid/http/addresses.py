"""Where a request comes from, past the proxies that are ours."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

FORWARDED = "x-forwarded-for"
MOST_HOPS = 32
"""How many entries of ``X-Forwarded-For`` are looked at, from the right."""

NOWHERE = "-"
"""What stands for the address of a peer that has none, as at a Unix socket."""


class Addresses:
    """Tells clients' addresses. ``trusted``: the networks whose word on them is taken."""

    def __init__(self, trusted: Iterable[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    def of(self, scope: Scope) -> str:
        """The peer, or, where that is a trusted proxy, the right-most entry of
        ``X-Forwarded-For`` that is not: all further left is only what others say."""
        peer = scope.get("client")
        address = None if peer is None else _read(peer[0])
        if address is None:
            return NOWHERE
        if self._is_trusted(address):
            address = self._forwarded(scope, address)
        return str(address)

    def _forwarded(self, scope: Scope, peer: Address) -> Address:
        said = ",".join(Headers(scope=scope).getlist(FORWARDED))
        nearest = peer
        for entry in reversed(said.split(",")[-MOST_HOPS:]):
            address = _read(entry)
            if address is None:
                break  # what a proxy of ours could not have written; who wrote it is not known
            nearest = address
            if not self._is_trusted(address):
                break
        return nearest

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def network_of(address: str) -> str:
    """What is counted as one: an IPv4 address, and the /64 of an IPv6 address, which one customer
    has all of."""
    found = _read(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found) >> 64 << 64, 64)))
    return address


def _read(text: str) -> Address | None:
    """An address as proxies write it, also with a port or in brackets; None where it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        return found.ipv4_mapped or IPv6Address(int(found))  # without the zone of an interface
    return found
