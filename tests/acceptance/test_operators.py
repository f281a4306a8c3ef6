"""The operators' examples of docs/graphql.md, as they stand there, against the running service."""

from __future__ import annotations

import http.client
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.service import PUBLISHABLE_KEY, SECRET_KEY, Client, Service

DOCUMENT = (Path(__file__).parents[2] / "docs" / "graphql.md").read_text(encoding="utf-8")

IDENTIFY = """mutation ($input: IdentifyInput!) { identify(input: $input) {
  ... on Identified { person { id } event { occurredAt } reviews { id }
    links { id kind from { id } } } } }"""
PAGE = """mutation ($input: PageInput!) { page(input: $input) {
  ... on EventAccepted { event { occurredAt person { id kind }
    attribution { link { id } } } } } }"""
LINE = """query ($id: ID!) { event(messageId: $id) { person { id kind displayName }
  attribution { explanation link { id } } } }"""


def example(name: str) -> str:
    """The fenced block of that name."""
    found = re.search(rf"^```graphql {name}\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert found is not None, f"the document has no example '{name}'"
    return found[1]


class Desk:
    """A contact centre with customers of its own."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.own = uuid4().hex[:10]

    def ask(self, document: str, **variables: Any) -> Any:
        (found,) = self._client.graphql(document, **variables).values()
        return found

    def example(self, name: str, **variables: Any) -> Any:
        """What an example answers."""
        return self.ask(example(name), **{"reason": "The customer told us", **variables})

    def identify(self, cookie: str, message: str, **traits: str) -> Any:
        context = {"cookieId": f"{self.own}-{cookie}", "messageId": f"{self.own}-{message}"}
        return self.ask(IDENTIFY, input={"context": context, "traits": traits})

    def page(self, cookie: str, message: str) -> Any:
        context = {"cookieId": f"{self.own}-{cookie}", "messageId": f"{self.own}-{message}"}
        page = {"context": context, "url": "https://shop.example/"}
        return self.ask(PAGE, input=page)["event"]

    def line(self, message: str) -> Any:
        return self.ask(LINE, id=f"{self.own}-{message}")

    def address(self, name: str) -> str:
        return f"{name}.{self.own}@example.com"


@pytest.fixture
def desk(graphid: Service) -> Desk:
    return Desk(graphid.client())


def test_two_records_are_merged_after_a_look_and_parted_again(desk: Desk) -> None:
    jane = desk.identify("a", "1", email=desk.address("jane"), firstName="Jane")["person"]["id"]
    doe = desk.identify("b", "2", email=desk.address("doe"), firstName="J.")["person"]["id"]
    preview = desk.example("preview", ids=[jane, doe])
    assert preview["eventsReattributed"] == 1
    assert [person["id"] for person in preview["before"]] == [jane, doe]
    (after,) = preview["after"]
    assert len(after["identifiers"]) == 2
    lines = [edge["node"]["type"] for edge in after["journey"]["edges"]]
    assert lines == ["MERGE", "IDENTIFY", "IDENTIFY"]
    assert desk.line("2")["person"]["id"] == doe

    version, operation = preview["graphVersion"], f"{desk.own}-merge"
    merged = desk.example("merge", ids=[jane, doe], graphVersion=version, operationId=operation)
    again = desk.example("merge", ids=[jane, doe], graphVersion=version, operationId=operation)
    assert (
        merged == again == {"operationId": operation, "after": [{"id": jane, "mergedFrom": [doe]}]}
    )
    assert desk.line("2")["person"]["id"] == jane
    stale = desk.example("merge", ids=[jane, doe], graphVersion=version)
    assert "changed since the preview" in stale["message"]

    parted = desk.example("unmerge", id=operation)
    assert {person["id"] for person in parted["after"]} == {jane, doe}
    assert ("NOT_SAME_AS", "ACTIVE") in {(link["kind"], link["state"]) for link in parted["links"]}
    # Whoever parted them may merge them after all.
    assert desk.example("merge", ids=[jane, doe])["after"][0]["id"] == jane


def test_a_part_of_a_visit_is_taken_from_its_owner(desk: Desk) -> None:
    husband = desk.identify("tablet", "login", email=desk.address("him"), firstName="Tom")
    his = desk.page("tablet", "his")
    hers = desk.page("tablet", "hers")
    link = his["attribution"]["link"]["id"]
    severed = desk.example("sever", id=link, **{"from": hers["occurredAt"]})
    assert severed["eventsReattributed"] == 1
    assert {person["kind"] for person in severed["after"]} == {"KNOWN", "ANONYMOUS"}
    assert desk.line("his")["person"]["displayName"] == "Tom"
    line = desk.line("hers")
    assert line["person"]["kind"] == "ANONYMOUS"
    assert "(The customer told us)" in line["attribution"]["explanation"]
    # By the link, as an agent finds it, and by the operation.
    restored = desk.example("restore", id=link)
    assert husband["person"]["id"] in {person["id"] for person in restored["after"]}
    assert desk.line("hers")["person"]["displayName"] == "Tom"
    again = desk.example("restore", id=severed["operationId"])
    assert "already" in again["reasons"][0]


def test_a_review_is_decided(desk: Desk) -> None:
    first = desk.identify("a", "1", email=desk.address("jane"))["person"]["id"]
    context = {"cookieId": f"{desk.own}-b"}
    phone = [{"type": "member_id", "value": f"{desk.own}-7"}]
    second = desk.ask(IDENTIFY, input={"context": context, "identifiers": phone})["person"]["id"]
    context = {"cookieId": f"{desk.own}-c"}
    both = [*phone, {"type": "email", "value": desk.address("jane")}]
    said = {"context": context, "identifiers": both, "assurance": "CLAIMED"}
    (review,) = desk.ask(IDENTIFY, input=said)["reviews"]
    (person,) = desk.example("decide", id=review["id"], accept=True)["after"]
    assert person["id"] in (first, second)
    assert "accepted" in desk.example("decide", id=review["id"], accept=False)["reasons"][0]


def test_a_value_is_blocked(desk: Desk) -> None:
    till = desk.identify("a", "1", email=desk.address("till"))["person"]["id"]
    value = desk.address("TILL")
    blocked = desk.example("block", type="email", value=value)
    assert blocked["pending"] is False
    assert [person["id"] for person in blocked["before"]] == [till]
    assert desk.line("1")["person"]["kind"] == "ANONYMOUS"
    assert "already" in desk.example("block", type="email", value=value)["reasons"][0]


def exchange(service: Service, key: str, document: str) -> dict[str, Any]:
    """Any answer, an error too."""
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request("POST", "/graphql", json.dumps({"query": document}), headers)
    found: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return found


MUTATIONS = {
    "promoteContact": 'id: "x"',
    "mergePeople": 'ids: ["x", "y"]',
    "unmerge": 'id: "x"',
    "severLink": 'id: "x"',
    "restoreLink": 'id: "x"',
    "blockIdentifier": 'type: "email", value: "x@example.com"',
    "decideReview": 'id: "x", accept: true',
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_publishable_key_does_nothing_of_this(graphid: Service, name: str) -> None:
    document = f'mutation {{ {name}({MUTATIONS[name]}, reason: "r") {{ __typename }} }}'
    (error,) = exchange(graphid, PUBLISHABLE_KEY, document)["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert "identity:edit" in error["message"]


def test_a_time_without_an_offset_is_no_time(graphid: Service) -> None:
    document = """mutation { severLink(id: "x", from: "2026-03-01T09:30:00", reason: "r") {
      __typename } }"""
    (error,) = exchange(graphid, SECRET_KEY, document)["errors"]
    assert "offset" in error["message"]
