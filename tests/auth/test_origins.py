"""Origins: one form of each, and nothing that is a pattern."""

from __future__ import annotations

import pytest

from graphid.auth.origins import origin_of


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("HTTPS://Shop.Example", "https://shop.example"),
        ("https://shop.example/", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("https://shop.example:08443", "https://shop.example:8443"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://10.0.0.1:8443", "https://10.0.0.1:8443"),
        ("https://[2001:DB8:0:0::1]", "https://[2001:db8::1]"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://localhost:80", "http://localhost"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_one_form(given: str, origin: str) -> None:
    assert origin_of(given) == origin
    assert origin_of(origin) == origin


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("*", "leave the list out"),
        *(
            (wrong, "must be an origin as https://")
            for wrong in (
                *("", "null", "shop.example", "https://", "https://*", "https://*.shop.example"),
                *("https://shop.example/path", "https://shop.example?q", "https://shop.example#f"),
                *("https://user@shop.example", "https://shop.example:", "https://shop.example:x"),
                *("http://shop.example", "ftp://shop.example", "file:///x", "https:shop.example"),
                *("https://shop..example", "https://-shop.example", "https://.example"),
                *("https://bücher.example", "https://shop.example\n", " https://shop.example"),
                *("https://[::1", "https://[1:2]", "https://[::1]x", "https://" + "a" * 64),
                "https://" + ".".join(["a" * 60] * 5),
            )
        ),
        ("https://shop.example:0", "port from 1 to 65535"),
        ("https://shop.example:65536", "port from 1 to 65535"),
    ],
)
def test_anything_else_is_refused(given: str, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("*", r"\*")):
        origin_of(given)
