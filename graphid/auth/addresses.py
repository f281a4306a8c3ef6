"""Addresses of providers: which may be called at all, and on which host they are.

They are read by the library that calls them, so that no two readers see two hosts in one text.
"""

from __future__ import annotations

import ipaddress
import re

import httpx

MAX_ADDRESS = 2048
"""Characters of an address, at most."""


_HOST = re.compile(r"[a-z0-9.:\[\]\-]+")


class InvalidAddress(ValueError):
    """Nothing at this address may be called; the message says why, without the address."""


def host_of(address: str) -> str:
    """The host of an absolute address, with its port where that is not the scheme's own.

    Raises InvalidAddress for anything but ``https``, except ``http`` on this very machine; for a
    name or password in it, and for a fragment.
    """
    url = _parse(address)
    name = url.raw_host.decode("ascii")
    if url.scheme not in ("http", "https") or not name:
        raise InvalidAddress("must begin with https://")
    if url.scheme == "http" and not _is_loopback(name):
        raise InvalidAddress("must begin with https://; http:// is for this machine only")
    if url.userinfo:
        raise InvalidAddress("must not hold a name or a password")
    if "#" in address:
        raise InvalidAddress("must not have a fragment")
    name = f"[{name}]" if ":" in name else name
    return name if url.port is None else f"{name}:{url.port}"


def is_host(text: str) -> bool:
    """True for a host as ``host_of`` writes it: ``login.example.com``, ``localhost:9000``."""
    try:
        return _HOST.fullmatch(text) is not None and host_of(f"https://{text}") == text
    except InvalidAddress:
        return False


def _parse(address: str) -> httpx.URL:
    if len(address) > MAX_ADDRESS:
        raise InvalidAddress(f"is longer than {MAX_ADDRESS} characters")
    try:
        return httpx.URL(address)
    except (httpx.InvalidURL, ValueError):
        raise InvalidAddress("is not an address") from None


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
