"""Which media type an answer comes in."""

from __future__ import annotations

import pytest

from graphid.http.negotiation import EVENTS, MODERN, PLAIN, media_of


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", PLAIN),
        ("*/*", PLAIN),
        ("application/*", PLAIN),
        (PLAIN, PLAIN),
        (MODERN, MODERN),
        (f"{MODERN}; charset=utf-8", MODERN),
        ("Application/GraphQL-Response+JSON", MODERN),
        # As Apollo Client sends it, urql, and a browser.
        (f"{MODERN},{PLAIN};q=0.9", MODERN),
        (
            f"{MODERN}, application/graphql+json, {PLAIN}, {EVENTS}, multipart/mixed",
            MODERN,
        ),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", PLAIN),
        (f"{PLAIN}, {MODERN}", PLAIN),
        (f"{PLAIN};q=0.5, {MODERN};q=0.7", MODERN),
        (f"{PLAIN};q=0.5, {MODERN};q=0.7, */*;q=0.9", MODERN),
        (f"{MODERN}, */*;q=0.1", MODERN),
        (f"*/*, {MODERN}", MODERN),
        (f"*/*;q=0.1, {PLAIN};q=0", MODERN),
        (f"{MODERN};q=0, application/*", PLAIN),
        (EVENTS, EVENTS),
        (f"{EVENTS}, multipart/mixed, {PLAIN}", EVENTS),
        (f"{PLAIN}, {EVENTS};q=0.9", PLAIN),
        ("text/html", None),
        ("*/*;q=0", None),
        (f"{PLAIN};q=0.000, text/plain", None),
        ("text/*", None),
        (f"{PLAIN};q=much, {MODERN};q=0.1", MODERN),
        ("nonsense", None),
        ("nonsense, application/json", PLAIN),
    ],
)
def test_what_is_wanted_most_is_chosen(accept: str, chosen: str | None) -> None:
    assert media_of(accept) == chosen
