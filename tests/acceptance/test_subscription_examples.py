"""The examples of docs/subscriptions.md, as they stand there, against the running service."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from graphid.graph.changes import ChangeKind
from tests.acceptance.test_subscriptions import (
    CREATE_KEY,
    IDENTIFY,
    PATIENCE,
    identify,
    last_sequence,
    new_name,
    raw,
)
from tests.service import SECRET_KEY, Service

CHANGE = "{ ... on Change { operationId } }"
MERGE = f'mutation ($ids: [ID!]!) {{ mergePeople(ids: $ids, reason: "of the test") {CHANGE} }}'
SEVER = f'mutation ($id: ID!) {{ severLink(id: $id, reason: "of the test") {CHANGE} }}'
PAGE = """mutation ($input: PageInput!) { page(input: $input) {
  ... on EventAccepted { event { messageId } } } }"""
LINKS = """query ($id: ID!) { person(id: $id) { links {
  id to { ... on IdentifierNode { value } } } } }"""

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
        said = {"context": {"cookieId": f"c-{name}"}, "url": "https://shop.example/new"}
        sent: list[str] = []
        hearing = asyncio.create_task(socket.hear())
        while not hearing.done():
            # Nothing says when "now" begins, so pages are sent until one is told of.
            found = await asyncio.to_thread(sender.graphql, PAGE, input=said)
            sent.append(found["page"]["event"]["messageId"])
        told = await hearing
        line = told["payload"]["data"]["journey"]
    assert line["messageId"] in sent
    assert (line["type"], line["person"]["id"]) == ("PAGE", person)
    assert line["detail"] == {"url": "https://shop.example/new"}


async def test_merges_and_splits_are_lines_masked_as_others_are(graphid: Service) -> None:
    sender, names = graphid.client(), (new_name(), new_name())
    wanted = {"name": names[0], "kind": "SECRET", "scopes": ["journey:view"]}
    key = sender.graphql(CREATE_KEY, input=wanted)["createKey"]["text"]
    said = [
        {"context": {"cookieId": f"c-{name}"}, "traits": {"email": f"{name}@example.com"}}
        for name in names
    ]
    people = [sender.graphql(IDENTIFY, input=one)["identify"]["person"]["id"] for one in said]
    async with raw(graphid.url) as socket, asyncio.timeout(PATIENCE):
        await socket.begin(key)
        await socket.subscribe("1", example("graphql lines"), personId=people[0])

        async def line(type: str) -> dict[str, Any]:
            while True:
                told: dict[str, Any] = (await socket.hear())["payload"]["data"]["journey"]
                if told["type"] == type:
                    return told

        page = {"context": said[0]["context"], "url": "https://shop.example/new"}
        hearing = asyncio.create_task(line("PAGE"))
        while not hearing.done():
            # Nothing says when "now" begins, so pages are sent until one is told of.
            await asyncio.to_thread(sender.graphql, PAGE, input=page)
        await hearing
        merged = (await asyncio.to_thread(sender.graphql, MERGE, ids=people))["mergePeople"]
        merge = await line("MERGE")
        links = sender.graphql(LINKS, id=people[0])["person"]["links"]
        held = next(link["id"] for link in links if "value" in link["to"])
        severed = (await asyncio.to_thread(sender.graphql, SEVER, id=held))["severLink"]
        sever = await line("SEVER")
    assert merge["messageId"] == merged["operationId"]
    assert merge["person"]["id"] in people
    assert len(merge["detail"]["contacts"]) == 2
    assert sever["messageId"] == severed["operationId"]
    assert sever["detail"]["identifier"]["type"] == "email"
    assert not any(name in sever["detail"]["identifier"]["value"] for name in names)
