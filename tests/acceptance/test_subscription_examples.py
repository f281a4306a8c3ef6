"""The examples of docs/subscriptions.md, as they stand there, against the running service."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from graphid.graph.changes import ChangeKind
from tests.acceptance.test_subscriptions import (
    PATIENCE,
    identify,
    last_sequence,
    new_name,
    raw,
)
from tests.service import SECRET_KEY, Service

DOCUMENT = (Path(__file__).parents[2] / "docs" / "subscriptions.md").read_text(encoding="utf-8")


def example(fence: str) -> str:
    """The fenced block that begins with these words."""
    found = re.search(rf"^```{fence}\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert found is not None, f"docs/subscriptions.md has no example '{fence}'"
    return found[1]


def test_every_kind_is_explained() -> None:
    explained = re.findall(r"^\| `([A-Z]+)`", DOCUMENT, re.MULTILINE)
    assert sorted(explained) == sorted(kind.value for kind in ChangeKind)


async def test_whoever_follows_as_the_example_does(graphid: Service) -> None:
    names: dict[str, Any] = {}
    exec(example("python resume"), names)
    sender, start = graphid.client(), last_sequence(graphid.url)
    dealt_with: list[dict[str, Any]] = []
    enough = asyncio.Event()

    async def deal_with(change: dict[str, Any]) -> None:
        dealt_with.append(change)
        enough.set()

    url = graphid.url.replace("http", "ws") + "/graphql"
    following = asyncio.create_task(
        names["follow"](url, SECRET_KEY, example("graphql changes"), start, deal_with)
    )
    person = await asyncio.to_thread(identify, sender, new_name())
    await asyncio.wait_for(enough.wait(), PATIENCE)
    following.cancel()
    await asyncio.wait({following})
    assert dealt_with[0]["sequence"] == start + 1
    assert person in {change["personId"] for change in dealt_with}


async def test_lines_over_a_socket(graphid: Service) -> None:
    sender, name = graphid.client(), new_name()
    person = identify(sender, name)
    async with raw(graphid.url) as socket:
        await socket.begin()
        await socket.subscribe("1", example("graphql lines"), personId=person)
        page = """mutation ($input: PageInput!) { page(input: $input) {
          ... on EventAccepted { event { messageId } } } }"""
        said = {"context": {"cookieId": f"c-{name}"}, "url": "https://shop.example/new"}
        sent: list[str] = []
        hearing = asyncio.create_task(socket.hear())
        while not hearing.done():
            # Nothing says when "now" begins, so pages are sent until one is told of.
            found = await asyncio.to_thread(sender.graphql, page, input=said)
            sent.append(found["page"]["event"]["messageId"])
        told = await hearing
        line = told["payload"]["data"]["journey"]
    assert line["messageId"] in sent
    assert (line["type"], line["person"]["id"]) == ("PAGE", person)
    assert line["detail"] == {"url": "https://shop.example/new"}
