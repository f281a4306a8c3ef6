"""The SDKs that sites have, as their packages are, against the running service.

Each does the same: somebody looks around, logs in, buys, logs out, and looks around again. What is
sent is sent twice, as an SDK does that got no answer.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.sdks.chromium import Chromium, Page, Sent, running_chromium
from tests.acceptance.sdks.packages import HERE, installed_by_npm, installed_by_pip, run_program
from tests.acceptance.sdks.pages import running_shop
from tests.service import PUBLISHABLE_KEY, Service

OLD_PYTHON = "requirements-2.3.lock"

PERSON = """query ($type: String!, $value: String!) {
  personByIdentifier(type: $type, value: $value) {
    displayName
    identifiers { type value }
    journey(first: 100) { edges { node { messageId type cookieId detail } } }
  }
}"""
EVENT = """query ($id: ID!) { event(messageId: $id) { type person { id kind } } }"""

JITSU_KEY = f"{PUBLISHABLE_KEY}:jitsu"
"""Jitsu's SDKs take none without a colon."""


@pytest.fixture
def own() -> str:
    """Sets this test's ids apart from every other's."""
    return uuid4().hex[:8]


@pytest.fixture(scope="session")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed_by_npm(tmp_path_factory.mktemp("sdks"))


@pytest.fixture(scope="session")
def shop(npm: Path) -> Iterator[str]:
    with running_shop(npm) as address:
        yield address


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with running_chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def page(chromium: Chromium, shop: str) -> Page:
    page = chromium.page()
    page.open(f"{shop}/shoes")
    return page


class Told:
    """What the graph tells of somebody."""

    def __init__(self, service: Service, type: str, value: str) -> None:
        self._service = service
        with closing(service.client()) as client:
            found = client.graphql(PERSON, type=type, value=value)["personByIdentifier"]
        assert found is not None, value
        self.name = found["displayName"]
        self.identifiers = {(i["type"], i["value"]) for i in found["identifiers"]}
        self.lines = [edge["node"] for edge in found["journey"]["edges"]][::-1]

    @property
    def did(self) -> list[str]:
        """The lines of the journey in short, the oldest first."""
        return [line["detail"].get("name", line["type"]) for line in self.lines]


def kinds_of(service: Service, messages: list[str]) -> Counter[str]:
    """Whose events these are: of how many people of which kind; each must be there."""
    with closing(service.client()) as client:
        found = [client.graphql(EVENT, id=id)["event"] for id in messages]
    return Counter(event["person"]["kind"] for event in found)


def calls_in(body: str) -> list[dict[str, Any]]:
    """The calls of a request."""
    said = json.loads(body)
    calls: list[dict[str, Any]] = said.get("batch", [said])
    return calls


def repeat(url: str, headers: dict[str, str], body: str) -> int:
    """Send again what was sent; how many of it were there already."""
    kept = {k: v for k, v in headers.items() if k.lower() in ("authorization", "x-write-key")}
    answer = httpx.post(url, headers=kept, content=body, timeout=60)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["errors"], found["accepted"]) == ([], len(calls_in(body)))
    return int(found["duplicates"])


def repeat_all(sent: list[Sent]) -> None:
    """Send again what a page sent, all of which is there already."""
    for each in sent:
        assert repeat(each.url, each.headers, each.body) == len(calls_in(each.body))


# ------------------------------------------------------------------ of servers


def expect_visit(service: Service, own: str, calls: list[dict[str, Any]]) -> None:
    """The visit that the programs for servers make, each line once."""
    told = Told(service, "email", f"{own}@example.com")
    assert told.did == ["PAGE", "Looked", "IDENTIFY", "Bought", "Signed Out"]
    assert told.identifiers == {("email", f"{own}@example.com"), ("user_id", f"user-{own}")}
    assert {line["cookieId"] for line in told.lines} == {f"cookie-{own}"}
    (after,) = [call["messageId"] for call in calls if call.get("event") == "After"]
    assert kinds_of(service, [after]) == {"ANONYMOUS": 1}


def test_segment_s_for_node(graphid: Service, npm: Path, own: str) -> None:
    node = shutil.which("node")
    assert node is not None
    environment = {"URL": graphid.url, "KEY": PUBLISHABLE_KEY, "OWN": own}
    said = run_program([node, "server.mjs"], npm, **environment)
    assert set(said["statuses"]) == {200}
    calls = [call for request in said["requests"] for call in calls_in(request["body"])]
    expect_visit(graphid, own, calls)
    duplicates = [repeat(**request) for request in said["requests"]]
    assert sum(duplicates) == len(calls) == 6
    expect_visit(graphid, own, calls)


@pytest.mark.parametrize("lock", [OLD_PYTHON, None], ids=["2.3", "newest"])
def test_segment_s_for_python(graphid: Service, own: str, lock: str | None, tmp_path: Path) -> None:
    where = {"PYTHONPATH": str(installed_by_pip(tmp_path, lock))} if lock else {}
    program = [sys.executable, str(HERE / "server.py")]
    environment = {"URL": graphid.url, "OWN": own, **where}
    said = run_program(program, tmp_path, KEY=PUBLISHABLE_KEY, **environment)
    assert said["version"].startswith("2.3." if lock else "2.4.")
    assert said["errors"] == []
    (request,) = said["requests"]
    assert ("Authorization" in request["headers"]) is (lock is None)
    calls = calls_in(request["body"])
    expect_visit(graphid, own, calls)
    assert repeat(**request) == len(calls) == 6
    expect_visit(graphid, own, calls)

    # What is refused for good is not sent again and again.
    refused = run_program(program, tmp_path, KEY="wrong", **environment)
    assert len(refused["requests"]) == 1
    assert "key is not known" in refused["errors"][0]


# ------------------------------------------------------------------ of browsers


def test_segment_s_for_browsers(graphid: Service, shop: str, page: Page, own: str) -> None:
    page.run("import('/node_modules/@segment/analytics-next/dist/umd/index.js').then(() => 0)")
    page.run(
        "(window.sdk = AnalyticsNext.AnalyticsBrowser.load("
        f"{{ writeKey: '{PUBLISHABLE_KEY}', cdnURL: '{graphid.url}' }})).ready().then(() => 0)"
    )
    page.run("sdk.page().then(() => 0)")
    page.run("sdk.track('Looked', { colour: 'red' }).then(() => 0)")
    page.run(f"sdk.identify('u-{own}', {{ email: '{own}@example.com' }}).then(() => 0)")
    page.run("sdk.track('Bought').then(() => 0)")
    page.run("sdk.reset().then(() => 0)")
    page.run("sdk.page().then(() => 0)")
    sent = page.posted(graphid.url, 5)
    assert [urlsplit(each.url).path for each in sent] == [f"/v1/{short}" for short in "ptitp"]

    def look() -> None:
        told = Told(graphid, "user_id", f"u-{own}")
        assert told.did == ["PAGE", "Looked", "IDENTIFY", "Bought"]
        assert told.lines[0]["detail"]["url"] == f"{shop}/shoes"
        assert told.lines[0]["detail"]["title"] == "The shop"
        assert ("email", f"{own}@example.com") in told.identifiers
        assert kinds_of(graphid, [json.loads(sent[-1].body)["messageId"]]) == {"ANONYMOUS": 1}

    look()
    repeat_all(sent)
    look()
    assert page.complaints == []
    # It asked nobody else: neither for settings nor for anything to load.
    assert {urlsplit(each.url).netloc for each in page.requests.values()} == {
        urlsplit(graphid.url).netloc,
        urlsplit(shop).netloc,
    }


RUDDER = "import('/node_modules/@rudderstack/analytics-js/dist/npm/modern/bundled/esm/index.mjs')"


def test_rudderstack_s_for_browsers(graphid: Service, page: Page, own: str) -> None:
    page.run(f"{RUDDER}.then((all) => {{ window.sdk = new all.RudderAnalytics(); return 0; }})")
    options = f"{{ configUrl: '{graphid.url}', logLevel: 'ERROR' }}"
    page.run(
        "new Promise((done) => { "
        f"sdk.load('{PUBLISHABLE_KEY}', '{graphid.url}', {options}); sdk.ready(() => done(0)); }})"
    )
    page.run("sdk.page()")
    page.run("sdk.track('Looked', { colour: 'red' })")
    page.posted(graphid.url, 2)
    page.run(f"sdk.identify('u-{own}', {{ email: '{own}@example.com', firstName: 'Jane' }})")
    page.run("sdk.track('Bought')")
    page.posted(graphid.url, 4)
    page.run("sdk.reset()")
    page.run("sdk.page()")
    page.run("sdk.track('After')")
    page.posted(graphid.url, 6)
    page.run(f"sdk.identify('other-{own}', {{ email: 'other-{own}@example.com' }})")
    sent = page.posted(graphid.url, 7)
    calls = [json.loads(each.body) for each in sent]
    # What it says without a call for it: the same cookie, and nobody.
    assert len({call["anonymousId"] for call in calls}) == 1
    assert [call["userId"] for call in calls[4:6]] == ["", ""]

    def look() -> None:
        jane = Told(graphid, "email", f"{own}@example.com")
        assert sorted(jane.did) == ["Bought", "IDENTIFY", "Looked", "PAGE"]
        assert jane.name == "Jane"
        assert jane.identifiers == {("email", f"{own}@example.com"), ("user_id", f"u-{own}")}
        other = Told(graphid, "email", f"other-{own}@example.com")
        assert sorted(other.did) == ["After", "IDENTIFY", "PAGE"]

    look()
    repeat_all(sent)
    look()
    assert page.complaints == []


def test_rudderstack_s_by_the_browser_s_beacon(graphid: Service, page: Page, own: str) -> None:
    page.run(f"{RUDDER}.then((all) => {{ window.sdk = new all.RudderAnalytics(); return 0; }})")
    options = f"{{ configUrl: '{graphid.url}', useBeacon: true, "
    options += "beaconQueueOptions: { maxItems: 2 }, logLevel: 'ERROR' }"
    page.run(
        "new Promise((done) => { "
        f"sdk.load('{PUBLISHABLE_KEY}', '{graphid.url}', {options}); sdk.ready(() => done(0)); }})"
    )
    page.run("sdk.page()")
    page.run(f"sdk.identify('u-{own}')")
    (sent,) = page.posted(f"{graphid.url}/beacon/v1/batch", 1)
    assert urlsplit(sent.url).query == f"writeKey={PUBLISHABLE_KEY}"
    assert Told(graphid, "user_id", f"u-{own}").did == ["PAGE", "IDENTIFY"]


JITSU = "import('/node_modules/@jitsu/js/dist/jitsu.es.js')"


def test_jitsu_s_for_browsers(graphid: Service, page: Page, own: str) -> None:
    options = f"{{ host: '{graphid.url}', writeKey: '{JITSU_KEY}' }}"
    page.run(f"{JITSU}.then((all) => {{ window.sdk = all.jitsuAnalytics({options}); return 0; }})")
    page.run("sdk.page().then(() => 0)")
    page.run("sdk.track('Looked', { colour: 'red' }).then(() => 0)")
    page.run(f"sdk.identify('u-{own}', {{ email: '{own}@example.com' }}).then(() => 0)")
    page.run("sdk.track('Bought').then(() => 0)")
    page.run("sdk.track('Logout').then(() => 0)")
    page.run("sdk.reset().then(() => 0)")
    page.run("sdk.page().then(() => 0)")
    sent = page.posted(graphid.url, 6)
    assert {urlsplit(each.url).path.rpartition("/")[0] for each in sent} == {"/api/s"}

    def look() -> None:
        told = Told(graphid, "user_id", f"u-{own}")
        assert told.did == ["PAGE", "Looked", "IDENTIFY", "Bought", "Logout"]
        assert ("email", f"{own}@example.com") in told.identifiers
        assert kinds_of(graphid, [json.loads(sent[-1].body)["messageId"]]) == {"ANONYMOUS": 1}

    look()
    repeat_all(sent)
    look()
    assert page.complaints == []
