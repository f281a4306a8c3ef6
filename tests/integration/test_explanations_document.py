"""The queries of docs/explanations.md, as they stand there, and that they answer what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from graphid.api.execution import Request, answer
from graphid.service.grounds import MOST_REASONS, MOST_VISITS
from graphid.service.search import LONGEST_TEXT, MOST_HITS
from tests.integration.operating import Operating

DOCUMENT = (Path(__file__).parents[2] / "docs" / "explanations.md").read_text(encoding="utf-8")
QUERIES = {
    name: text
    for text in re.findall(r"^```graphql\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    for name in re.findall(r"query (\w+)", text)
}


async def test_every_query_is_answered(operator: Operating) -> None:
    jo, kim = await operator.two()
    event = f"event_{operator.run}-pa"
    variables: dict[str, dict[str, Any]] = {
        "WhyLinked": {"a": event, "b": jo},
        "WhyNotLinked": {"a": jo, "b": kim},
        "Line": {"messageId": f"{operator.run}-pa"},
        "Search": {"text": f"{operator.run}-jo"},
    }
    assert QUERIES.keys() == variables.keys()
    told = {}
    for name, text in QUERIES.items():
        context = operator.request_context()
        found = await answer(Request(text, variables[name]), context, may_change=False)
        assert "errors" not in found.body, (name, found.body)
        told[name] = found.body["data"]
    (link,) = told["WhyLinked"]["whyLinked"]
    assert link["kind"] == "IDENTIFIED_AS"
    assert "Nothing that was sent names both." in told["WhyNotLinked"]["whyNotLinked"]
    assert told["Line"]["event"]["attribution"]["explanation"].startswith("Counted as theirs")
    (edge,) = told["Search"]["search"]["edges"]
    assert edge["node"]["id"] == jo.replace("contact_", "person_")


def test_the_bounds_that_are_told_are_those_of_the_code() -> None:
    text = " ".join(DOCUMENT.split())
    assert f"At most {LONGEST_TEXT} characters" in text
    assert f"The best {MOST_HITS} names and {MOST_HITS} identifiers" in text
    assert f"the latest {MOST_VISITS:,} visits" in text
    assert MOST_REASONS == 10
    assert "the latest ten are told" in text
