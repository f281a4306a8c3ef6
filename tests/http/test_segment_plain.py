"""What is seen of a call at a glance is what a closer look sees."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphid.errors import InvalidInput
from graphid.http.segment_calls import Clock, translate
from graphid.http.segment_plain import plain_of
from graphid.identity.policy import DEFAULT, PolicyVersion
from graphid.identity.values import Assurance
from graphid.service.messages import (
    MAX_DEPTH,
    MAX_ID,
    MAX_NAME,
    MAX_PROPERTIES,
    MAX_URL,
    Message,
    Sender,
)
from graphid.service.recording import Recorder
from graphid.service.recordings import Recording

RECEIVED_AT = 1_900_000_000_000_000


def looked_at(call: dict[str, Any]) -> Message:
    """The message that a call means, by a closer look."""
    return translate(call, clock=Clock(None, datetime.now(UTC)), cookie_of=lambda *_: "none")


def recorded(message: Message) -> list[Recording]:
    """What is recorded of it, of a server and of a browser, twice in one request."""
    senders = [
        Sender(name="server", assurance=Assurance.ASSERTED, is_browser=False),
        Sender(name="browser", assurance=Assurance.CLAIMED, is_browser=True),
    ]
    recorders = [Recorder(sender, PolicyVersion(1, DEFAULT, 0), RECEIVED_AT) for sender in senders]
    return [recorder.record(message, "m") for recorder in recorders for _ in range(2)]


PLAIN = ["page", "screen", "track"]
TEXTS = st.sampled_from(["", "a", "A page", " a", "Ü", "a\tb", "Signed Out", "x" * 257, "x" * 5000])
SCALARS = TEXTS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=3,
)
PROPERTIES = st.dictionaries(
    st.sampled_from(["url", "title", "referrer", "path", "name", "sku"]), VALUES, max_size=3
)
TIMES = st.sampled_from(
    [
        "2026-02-01T10:00:00Z",
        "2026-02-01T10:00:00.5+01:00",
        "2026-02-01",
        "1999-12-31",
        "2999-01-01",
    ]
)


def often(usual: Any, odd: st.SearchStrategy[Any] = VALUES) -> st.SearchStrategy[Any]:
    """Mostly what is usual: a call that is odd in one way tells more than in ten."""
    return st.one_of(*[usual if isinstance(usual, st.SearchStrategy) else st.just(usual)] * 19, odd)


@settings(max_examples=500)
@given(
    st.fixed_dictionaries(
        {
            "type": often(st.sampled_from([*PLAIN, "identify", "group"])),
            "messageId": often("m"),
            "anonymousId": often("c"),
            "timestamp": often(TIMES),
        },
        optional={
            "event": often("Bought"),
            "name": often("Home"),
            "category": often("Shop"),
            "userId": SCALARS,
            "properties": often(PROPERTIES),
            "context": often(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "device": often({"id": "d"}, st.fixed_dictionaries({"id": VALUES})),
                        "sessionId": often("s"),
                        "page": often(PROPERTIES),
                    },
                )
            ),
        },
    )
)
def test_what_is_seen_at_a_glance_is_what_a_closer_look_sees(said: dict[str, Any]) -> None:
    plain = plain_of(said)
    if plain is not None:
        assert recorded(plain) == recorded(looked_at(said))


@pytest.mark.parametrize(
    "said",
    [
        {"type": "track", "event": "Signed Out"},
        {"type": "track", "event": "Signed Out", "userId": "jane"},
        {"type": "page", "name": "Signed Out", "userId": "jane"},
        {"type": "screen", "name": "Signed Out"},
        {"type": "track", "event": "Bought", "properties": {"price": 1.5}, "userId": "jane"},
        {"type": "page", "timestamp": "2999-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_evidence_too_is_seen_at_a_glance(said: dict[str, Any]) -> None:
    said = {"timestamp": "2026-01-01T00:00:00Z", **said, "messageId": "m", "anonymousId": "c"}
    plain = plain_of(said)
    assert plain is not None
    assert recorded(plain) == recorded(looked_at(said))


@pytest.mark.parametrize("kind", PLAIN)
def test_a_usual_line_is_seen_at_a_glance(kind: str) -> None:
    said = {"type": kind, "messageId": "m", "anonymousId": "c", "timestamp": "2026-01-01T00:00:00Z"}
    said |= {"event": "Bought", "name": "Home"}
    context = {"device": {"id": "d"}, "sessionId": "s", "page": {"url": "https://a.example/"}}
    assert plain_of({**said, "context": context, "properties": {"n": [1]}}) is not None


@pytest.mark.parametrize(
    "fault",
    [
        {"properties": {"many": "x" * MAX_PROPERTIES}},
        {"properties": {str(n): 0 for n in range(MAX_PROPERTIES // 12)}},
        {"properties": {"deep": json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)}},
        {"properties": {"many": {"in it": ["x" * MAX_PROPERTIES]}}},
        {"properties": [1]},
        {"timestamp": "1999-12-31T00:00:00Z"},
        {"timestamp": 7},
        {"messageId": "x" * (MAX_ID + 1)},
        {"anonymousId": "a\tb"},
        {"event": "x" * (MAX_NAME + 1)},
        {"event": 7},
        {"event": ""},
        {"context": [1]},
        {"context": {"device": "phone"}},
        {"context": {"sessionId": "x" * (MAX_ID + 1)}},
        {"context": {"device": {"id": "a\x7fb"}}},
        {"type": "screen", "name": "x" * (MAX_NAME + 1)},
        {"type": "screen", "name": 7.5},
        {"type": "page", "properties": {"url": "x" * (MAX_URL + 1)}},
        {"type": "page", "properties": {"url": 7}},
        {"type": "page", "context": {"page": {"referrer": "x" * (MAX_URL + 1)}}},
        {"type": "page", "name": "x" * (MAX_NAME + 1)},
        {"type": "page", "context": {"page": 7}},
    ],
    ids="-".join,
)
def test_what_has_a_fault_is_seen_at_no_glance(fault: dict[str, Any]) -> None:
    said = {"type": "track", "event": "Bought", "messageId": "m", "anonymousId": "c"}
    said |= {"timestamp": "2026-01-01T00:00:00Z"} | fault
    assert plain_of(said) is None
    assert plain_of(said, len(json.dumps(said))) is None
    with pytest.raises(InvalidInput):
        looked_at(said)
