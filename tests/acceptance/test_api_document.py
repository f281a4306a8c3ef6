"""The days of docs/api.md, as they stand there, against the running service."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.service import PUBLISHABLE_KEY, Client, Service

DOCUMENT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def example(name: str) -> str:
    """The fenced block of that name."""
    found = re.search(rf"^```graphql {name}\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert found is not None, f"the document has no example '{name}'"
    return found[1]


def quoted(begin: str) -> str:
    """The quotation that begins so, as one line."""
    found = re.search(rf"^> ({re.escape(begin)}.*?)\n\n", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert found is not None, f"the document quotes nothing that begins '{begin}'"
    return found[1].replace("\n> ", " ")


def where(cookie: str, message: str, at: datetime, device: str | None = None) -> dict[str, Any]:
    return {
        "cookieId": cookie,
        "messageId": message,
        "occurredAt": at.isoformat(),
        "deviceId": device,
    }


def told(browser: Client, context: dict[str, Any], **traits: Any) -> None:
    answer = browser.graphql(example("told"), input={"context": context, "traits": traits})
    assert answer["identify"]["__typename"] == "Identified", answer


def test_an_agents_desktop(graphid: Service) -> None:
    browser, agent = graphid.client(PUBLISHABLE_KEY), graphid.client()
    morning = datetime.now(UTC) - timedelta(hours=1)
    evening = morning - timedelta(hours=12)
    page = {"context": where("api-c1", "api-p1", evening), "url": "https://shop.example"}
    assert browser.graphql(example("seen"), input=page) == {"page": {"duplicate": False}}
    told(
        browser,
        where("api-c1", "api-i1", morning),
        email="jane@api.example",
        custom={"crm_account_id": "api-4711"},
    )
    person = agent.graphql(example("desktop"), account="api-4711")["personByIdentifier"]
    newest, oldest = [edge["node"] for edge in person["journey"]["edges"]]
    assert (newest["type"], oldest["type"]) == ("IDENTIFY", "PAGE")
    assert oldest["attribution"]["explanation"] == quoted("Counted as theirs")


def test_a_fraud_teams_device(graphid: Service) -> None:
    browser, team = graphid.client(PUBLISHABLE_KEY), graphid.client()
    noon = datetime.now(UTC) - timedelta(hours=3)
    for n in range(5):
        at = noon + timedelta(minutes=20 * n)
        context = where(f"api-k{n}", f"api-k{n}", at, "api-terminal")
        told(browser, context, custom={"user_id": f"api-user-{n}"})
    cluster = team.graphql(example("around"), device="api-terminal")["cluster"]
    assert (cluster["people"], cluster["truncated"]) == (5, False)
    said = {signal["kind"]: signal["explanation"] for signal in cluster["signals"]}
    assert set(said) == {"MANY_PEOPLE_ON_DEVICE", "NEW_PEOPLE_WITHIN_A_DAY"}
    assert said["MANY_PEOPLE_ON_DEVICE"] == quoted("5 people")


def test_a_frontends_day(graphid: Service) -> None:
    browser = graphid.client(PUBLISHABLE_KEY)
    now = datetime.now(UTC)
    told(browser, where("api-c2", "api-i2", now), email="jo@api.example")
    left = {"input": {"context": where("api-c2", "api-o2", now)}}
    first = browser.graphql(example("left"), **left)["logout"]
    again = browser.graphql(example("left"), **left)["logout"]
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert first["nextCookieId"] == again["nextCookieId"] != "api-c2"
