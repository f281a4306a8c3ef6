"""How a story is printed, whatever it is printed on."""

from __future__ import annotations

import io
import json
import shlex
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from graphid.demo.reading import READ_STORY, as_command, start_of
from graphid.demo.telling import show_story


def line(type: str, at: str, device: str | None = "demo-family-tablet", **detail: Any) -> Any:
    return {
        "node": {
            "messageId": "m",
            "type": type,
            "occurredAt": f"2026-03-01T{at}:00+00:00",
            "deviceId": device,
            "detail": detail,
            "attribution": {
                "basis": "IDENTIFIED",
                "assurance": "CLAIMED",
                "explanation": "They logged in on this device.",
            },
        }
    }


STORY = {
    "husband": {
        "id": "person_1",
        "kind": "KNOWN",
        "displayName": "John Doe",
        "identifiers": [{"type": "crm_account_id", "value": "999888"}],
        "contacts": [{"source": "crm", "sourceId": "31", "state": "CURATED"}],
        "journey": {
            "edges": [
                line("CHAT_END", "10:06", None),
                line("CHAT_MESSAGE", "10:05", None, author="CUSTOMER", text="[bold]Hi"),
                line("CHAT_START", "10:04", channel="web"),
                line("LOGOUT", "10:03"),
                line("TRACK", "10:02", name="Paid", properties={"sum": 3}),
                line("IDENTIFY", "10:01", identifiers=[{"type": "user_id", "value": "u1"}]),
                line("PAGE", "10:00", url="https://shop.example/", title="Shop"),
                line("PAGE", "09:59", url="https://shop.example/x"),
                line("CHAT_AUTHENTICATED", "09:58"),
            ]
        },
    },
    "wife": None,
}


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_journey_reads_from_its_first_line_on(width: int) -> None:
    out = io.StringIO()
    show_story(Console(file=out, width=width), STORY)
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= width
    who = ["John Doe", "999888", "crm 31", "Sunday 01 March", "family tablet"]
    what = ["chat", "Shop", "u1", "Paid (sum: 3)", "log out", "opened", "[bold]Hi", "closed"]
    words = [*who, *what, "identified"]
    positions = [text.index(word) for word in words]
    assert positions == sorted(positions)
    assert text.count("why (") == 1


def test_the_command_is_one_line_that_a_shell_takes_apart_again() -> None:
    words = shlex.split(as_command("http://127.0.0.1:8080", "sk_x"))
    assert words[:3] == ["curl", "-s", "http://127.0.0.1:8080/graphql"]
    assert "Authorization: Bearer sk_x" in words
    body = json.loads(words[-1])
    assert body["query"].split() == READ_STORY.split()


def test_the_graph_remembers_when_the_story_began() -> None:
    now = datetime(2026, 3, 10, 0, 5, tzinfo=UTC)
    told = {"event": {"occurredAt": "2026-02-01T19:58:00.000000+00:00"}}
    assert start_of(lambda _: {"event": None}, now) == datetime(2026, 3, 8, tzinfo=UTC)
    assert start_of(lambda _: told, now) == datetime(2026, 2, 1, tzinfo=UTC)
