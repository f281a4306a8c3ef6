"""Origins of pages, in the one form in which browsers send them."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address

_PORTS = {"https": 443, "http": 80}
_ORIGIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?/?")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_HERE = ("localhost", "127.0.0.1", "[::1]")
"""Hosts whose pages nobody on the way could change, so that they need no TLS."""


def origin_of(text: str) -> str:
    """The origin as a browser sends it: ``https://host``, with a port where it is not the usual.

    Raises ValueError, whose sentence says what an origin is, for anything else: another scheme
    (``http`` is for the machine itself only), a path, a pattern.
    """
    if text.strip() == "*":
        raise ValueError("must not be *: leave the list out to allow pages of any origin")
    found = _ORIGIN.fullmatch(text.lower())
    host = None if found is None else _host(found[2])
    if found is None or host is None or (found[1] == "http" and host not in _HERE):
        raise ValueError(
            "must be an origin as https://shop.example or https://shop.example:8443, without a "
            "path and in ASCII; http:// only for localhost"
        )
    scheme, port = found[1], int(found[3] or _PORTS[found[1]])
    if not 1 <= port <= 65_535:
        raise ValueError("must have a port from 1 to 65535")
    return f"{scheme}://{host}" if port == _PORTS[scheme] else f"{scheme}://{host}:{port}"


def is_of_this_machine(host: str) -> bool:
    """Whether a host is the machine itself, which pages reach without TLS."""
    return host in _HERE or f"[{host}]" in _HERE


def _host(text: str) -> str | None:
    """The host in its one form; None where it is none."""
    if text.startswith("["):
        try:
            return f"[{IPv6Address(text[1:-1]).compressed}]"
        except AddressValueError:
            return None
    labels = text.split(".")
    is_sound = len(text) <= 253 and all(map(_LABEL.fullmatch, labels))
    return text if is_sound else None
