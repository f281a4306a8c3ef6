"""The examples of the README, as they stand there, against the running service."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from segment import analytics

from tests.service import PUBLISHABLE_KEY, Service

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def example(fence: str) -> str:
    """The fenced block that begins with these words."""
    found = re.search(rf"^```{fence}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert found is not None, f"the README has no example '{fence}'"
    return found[1]


def identify(graphid: Service) -> dict[str, Any]:
    variables = json.loads(example("json"))
    return graphid.client(PUBLISHABLE_KEY).graphql(example("graphql frontend"), **variables)


def test_a_frontend_identifies(graphid: Service) -> None:
    told = identify(graphid)["identify"]
    assert told["__typename"] == "Identified"
    assert told["warnings"] == []
    assert identify(graphid)["identify"]["duplicate"]


def test_an_agent_reads_the_journey(graphid: Service) -> None:
    identify(graphid)
    person = graphid.client().graphql(example("graphql agent"))["personByIdentifier"]
    assert person["displayName"] == "Jane"
    assert [edge["node"]["type"] for edge in person["journey"]["edges"]][-1:] == ["IDENTIFY"]


def test_a_fraud_team_reads_who_used_a_device(graphid: Service) -> None:
    identify(graphid)
    device = graphid.client().graphql(example("graphql fraud"))["device"]
    assert device["personCount"] == 1
    assert device["uses"][0]["person"]["displayName"] == "Jane"


def test_they_see_what_taking_a_join_back_would_change(graphid: Service) -> None:
    identify(graphid)
    client = graphid.client()
    linked = client.graphql('{ event(messageId: "login-1") { attribution { link { id } } } }')
    link = linked["event"]["attribution"]["link"]["id"]
    change = client.graphql(example("graphql operator"), link=link)["severLink"]
    assert [person["displayName"] for person in change["before"]] == ["Jane"]
    assert "ANONYMOUS" in [person["kind"] for person in change["after"]]
    assert [changed["state"] for changed in change["links"]] == ["SEVERED"]


def test_segments_python_sdk_sends_as_shown(graphid: Service) -> None:
    shown = example("python")
    assert '"pk_change_this_now", "http://127.0.0.1:8080"' in shown
    there = shown.replace("pk_change_this_now", PUBLISHABLE_KEY)
    there = there.replace("http://127.0.0.1:8080", graphid.url)
    exec(compile(there, "README.md", "exec"), {})
    analytics.shutdown()
    person = graphid.client().graphql(
        '{ personByIdentifier(type: "user_id", value: "jane") '
        "{ identifiers { type value } journey { edges { node { type } } } } }"
    )["personByIdentifier"]
    assert {"type": "email", "value": "jane@example.com"} in person["identifiers"]
    assert "PAGE" in [edge["node"]["type"] for edge in person["journey"]["edges"]]
