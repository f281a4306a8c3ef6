"""How large a message may be: at the limit it is taken, past it it is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from graphid.api import limits
from graphid.api.cursors import MOST
from graphid.api.problems import first_fault
from graphid.http.body import MAX_MEMBERS
from graphid.http.segment import MAX_BATCH
from graphid.identity.identifiers import MAX_VALUE
from graphid.service import messages
from graphid.service.messages import ChatMessage, Identify, Page, Terms, Track
from graphid.settings import Settings

CONTEXT = {"cookieId": "c"}
WHOLE = "x" * (messages.MAX_PROPERTIES - 8)
"""As the only value of ``{"kk": …}`` as large as properties may be."""


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"k": value}
    return value


CASES = [
    (Track, {"context": CONTEXT, "name": "n", "properties": {"kk": WHOLE}}, ("properties", "kk")),
    (
        Identify,
        {"context": CONTEXT, "traits": {"custom": {"kk": WHOLE}}},
        ("traits", "custom", "kk"),
    ),
    (Track, {"context": CONTEXT, "name": "x" * messages.MAX_NAME}, ("name",)),
    (Page, {"context": CONTEXT, "url": "x" * messages.MAX_URL}, ("url",)),
    (Page, {"context": {"cookieId": "x" * messages.MAX_ID}, "url": "u"}, ("context", "cookieId")),
    (ChatMessage, {"chatId": "c", "author": "AGENT", "text": "x" * messages.MAX_TEXT}, ("text",)),
    (Identify, {"context": CONTEXT, "traits": {"email": "x" * MAX_VALUE}}, ("traits", "email")),
    (Terms, {"reason": "x" * messages.MAX_REASON}, ("reason",)),
]


def longer(sent: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """The same, one character longer at a place."""
    name, *rest = path
    return {**sent, name: longer(sent[name], tuple(rest)) if rest else sent[name] + "x"}


@pytest.mark.parametrize(("kind", "sent", "path"), CASES, ids=lambda case: str(case)[:30])
def test_a_character_more_is_too_much(
    kind: Any, sent: dict[str, Any], path: tuple[str, ...]
) -> None:
    kind.model_validate(sent)
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(longer(sent, path))
    fault = first_fault(caught.value)
    assert fault.path is not None
    assert set(fault.path) & set(path)
    assert "xxxx" not in fault.message


def test_properties_are_not_nested_too_deep() -> None:
    sent = {"context": CONTEXT, "name": "n"}
    Track.model_validate({**sent, "properties": nested(messages.MAX_DEPTH)})
    with pytest.raises(ValidationError, match=f"deeper than {messages.MAX_DEPTH}"):
        Track.model_validate({**sent, "properties": nested(messages.MAX_DEPTH + 1)})


def test_identifiers_are_counted() -> None:
    one = {"type": "user_id", "value": "v"}
    most = messages.MAX_IDENTIFIERS
    Identify.model_validate({"context": CONTEXT, "identifiers": [one] * most})
    with pytest.raises(ValidationError, match=f"at most {most}"):
        Identify.model_validate({"context": CONTEXT, "identifiers": [one] * (most + 1)})


def test_the_limits_that_are_documented_are_those_that_hold() -> None:
    text = (Path(__file__).parents[2] / "docs" / "graphql.md").read_text(encoding="utf-8")
    said = " ".join(text.partition("**Limits.**")[2].partition("**Ids.**")[0].split())
    for stated in (
        f"{limits.MAX_CHARACTERS:,} characters",
        f"{limits.MAX_TOKENS:,} tokens",
        f"{limits.MAX_DEPTH} fields deep",
        f"{limits.MAX_ALIASES} aliases",
        f"{MOST} items in a list",
        f"a cost of {limits.MAX_COST:,}",
        f"{messages.MAX_PROPERTIES:,} characters of JSON and {messages.MAX_DEPTH} levels",
        f"{messages.MAX_TEXT:,} for what is said in a chat",
        f"{messages.MAX_URL:,} for an address",
        f"{messages.MAX_NAME} for a name",
        f"{messages.MAX_ID} for an id",
        f"{messages.MAX_IDENTIFIERS} identifiers",
        f"of up to {MAX_VALUE} characters",
        f"{MAX_BATCH:,} calls",
        f"{MAX_MEMBERS} parts",
        f"{Settings.model_fields['max_body_bytes'].default // 2**20} MiB",
    ):
        assert stated in said, stated
