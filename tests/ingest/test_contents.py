"""A digest says what a message is, apart from when: the short way says what the long one does."""

from __future__ import annotations

from hashlib import blake2b

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from graphid.service.contents import content_of, digest_of
from graphid.service.messages import Context, Page, Track

TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
IDS = st.none() | st.sampled_from(["a", "b-1"])
JSON = st.dictionaries(
    st.sampled_from("xyz"), st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-1, 1) | TEXT
)
CONTEXTS = st.builds(Context, messageId=IDS, cookieId=st.just("c"), deviceId=IDS, sessionId=IDS)
PAGES = st.builds(
    Page,
    context=CONTEXTS,
    url=st.just("https://shop.example/"),
    title=TEXT,
    referrer=TEXT,
    properties=st.none() | JSON,
    user_id=IDS,
)
TRACKS = st.builds(
    Track,
    context=CONTEXTS,
    name=st.sampled_from(["Order Completed", "Signed Out"]),
    call=st.sampled_from(["track", "screen", "group", "alias"]),
    properties=st.none() | JSON,
    user_id=IDS,
)


@given(PAGES | TRACKS)
def test_of_pages_and_tracked_events_the_digest_is_that_of_their_content(
    message: Page | Track,
) -> None:
    content = msgspec.json.Encoder(order="sorted").encode(content_of(message))
    assert digest_of(message) == blake2b(content, digest_size=12).hexdigest()
