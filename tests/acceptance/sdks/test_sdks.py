"""The SDKs that sites have, as their packages are, against the running service, set up as
docs/sdks.md says.

Each does the same: somebody looks around, logs in, buys, logs out, and looks around again. Then all
that was sent is sent again, as an SDK does that got no answer.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.sdks.chromium import Chromium, Page, Sent, running_chromium
from tests.acceptance.sdks.packages import HERE, installed_by_npm, installed_by_pip, run_program
from tests.acceptance.sdks.pages import running_shop
from tests.service import PUBLISHABLE_KEY, SECRET_KEY, Service

DOCUMENT = (Path(__file__).parents[3] / "docs" / "sdks.md").read_text(encoding="utf-8")
OLD_PYTHON = "requirements-2.3.lock"

PERSON = """query ($type: String!, $value: String!) {
  personByIdentifier(type: $type, value: $value) {
    displayName
    identifiers { type value }
    journey(first: 100) { edges { node { messageId type cookieId detail } } }
  }
}"""
EVENT = """query ($id: ID!) { event(messageId: $id) { person { kind } } }"""


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


def documented(service: Service, language: str, name: str, *, key: str | None = None) -> str:
    """What the document says to write, for this service; ``key``: another than the tests'."""
    found = re.search(rf"^```{language} {name}\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert found is not None, f"the document has no example '{name}'"
    text = found[1].replace("https://graphid.example", service.url)
    for kind, known in (("pk", PUBLISHABLE_KEY), ("sk", SECRET_KEY)):
        text = text.replace(f"{kind}_change_this_now", key or known)
    return text


def begin(page: Page, service: Service, name: str, module: str, *, more: str = "") -> None:
    """Load an SDK into a page as the document says, with its module where npm has put it.
    ``more``: options beside those of the document, as the end of its object."""
    text = documented(service, "js", f"{name}-browser")
    brought = re.match(r"import \{ (\w+) \} from '[^']+';\n", text)
    assert brought is not None
    body = text[brought.end() :]
    if more:
        assert body.count("\n});") == 1
        body = body.replace("\n});", f"\n{more}\n}});")
    page.run(
        f"import('/node_modules/{module}').then((all) => {{ "
        f"const {{ {brought[1]} }} = {{ ...window.AnalyticsNext, ...all }}; "
        f"{body} window.analytics = analytics; return 0; }})"
    )


class Told:
    """What the graph tells of somebody."""

    def __init__(self, service: Service, value: str) -> None:
        kind = "email" if "@" in value else "user_id"
        found = service.client().graphql(PERSON, type=kind, value=value)["personByIdentifier"]
        assert found is not None, value
        self.name = found["displayName"]
        self.identifiers = {(i["type"], i["value"]) for i in found["identifiers"]}
        self.lines = [edge["node"] for edge in found["journey"]["edges"]][::-1]

    @property
    def did(self) -> list[str]:
        """The lines of the journey in short, the oldest first."""
        return [line["detail"].get("name", line["type"]) for line in self.lines]


def kind_of(service: Service, message: str) -> str:
    """Of which kind is the person whose event this is."""
    kind: str = service.client().graphql(EVENT, id=message)["event"]["person"]["kind"]
    return kind


def calls_in(body: str) -> list[dict[str, Any]]:
    """The calls of a request."""
    said = json.loads(body)
    calls: list[dict[str, Any]] = said.get("batch", [said])
    return calls


def repeat(url: str, headers: dict[str, str], body: str) -> None:
    """Send again what was sent: all of it is there already."""
    kept = {k: v for k, v in headers.items() if k.lower() in ("authorization", "x-write-key")}
    answer = httpx.post(url, headers=kept, content=body, timeout=60)
    assert answer.status_code == 200, answer.text
    found, many = answer.json(), len(calls_in(body))
    assert (found["errors"], found["accepted"], found["duplicates"]) == ([], many, many)
    assert "MESSAGE_ID_REUSED" not in answer.text


def repeat_all(sent: list[Sent]) -> None:
    for each in sent:
        repeat(each.url, each.headers, each.body)


# ------------------------------------------------------------------ of servers


def expect_visit(service: Service, own: str, requests: list[dict[str, Any]]) -> None:
    """The visit that the programs of servers make, each line once; also when it comes again."""
    calls = [call for request in requests for call in calls_in(request["body"])]
    assert len(calls) == 6
    (after,) = [call["messageId"] for call in calls if call.get("event") == "After"]

    def look() -> None:
        told = Told(service, f"{own}@example.com")
        assert told.did == ["PAGE", "Looked", "IDENTIFY", "Bought", "Signed Out"]
        assert told.identifiers == {("email", f"{own}@example.com"), ("user_id", f"user-{own}")}
        assert {line["cookieId"] for line in told.lines} == {f"cookie-{own}"}
        assert kind_of(service, after) == "ANONYMOUS"

    look()
    for request in requests:
        repeat(**request)
    look()


def test_segment_s_for_node(graphid: Service, npm: Path, own: str) -> None:
    node = shutil.which("node")
    assert node is not None
    text = documented(graphid, "js", "segment-node")
    (npm / "sdk.mjs").write_text(f"{text}\nexport {{ analytics }};\n", encoding="utf-8")
    said = run_program([node, "server.mjs"], npm, OWN=own)
    assert set(said["statuses"]) == {200}
    expect_visit(graphid, own, said["requests"])


@pytest.mark.parametrize("lock", [OLD_PYTHON, None], ids=["2.3", "newest"])
def test_segment_s_for_python(graphid: Service, own: str, lock: str | None, tmp_path: Path) -> None:
    where = {"PYTHONPATH": str(installed_by_pip(tmp_path, lock))} if lock else {}

    def run(key: str | None = None) -> Any:
        text = documented(graphid, "python", "segment-python", key=key)
        program = [sys.executable, str(HERE / "server.py")]
        return run_program(program, tmp_path, SNIPPET=text, OWN=own, **where)

    said = run()
    assert said["version"].startswith("2.3." if lock else "2.4.")
    assert said["errors"] == []
    # The older one says its key in the body and nowhere else.
    assert {"Authorization" in each["headers"] for each in said["requests"]} == {lock is None}
    expect_visit(graphid, own, said["requests"])

    # What is refused for good is not sent again and again.
    refused = run("wrong")
    assert len(refused["requests"]) == 1
    assert "key is not known" in refused["errors"][0]


def test_jitsu_s_for_servers(graphid: Service, npm: Path, own: str) -> None:
    node = shutil.which("node")
    assert node is not None
    environment = {"URL": graphid.url, "KEY": f"{SECRET_KEY}:jitsu", "OWN": own}
    requests = run_program([node, "jitsu.mjs"], npm, **environment)["requests"]
    assert {urlsplit(each["url"]).path.rpartition("/")[0] for each in requests} == {"/api/s/s2s"}
    for request in requests:
        repeat(**request)
    told = Told(graphid, f"{own}@example.com")
    assert told.did == ["Looked", "IDENTIFY", "Bought", "Signed Out"]
    assert ("user_id", f"user-{own}") in told.identifiers


# ------------------------------------------------------------------ of browsers

SEGMENT = "@segment/analytics-next/dist/umd"
RUDDERSTACK = "@rudderstack/analytics-js/dist/npm/modern/bundled/esm/index.mjs"
JITSU = "@jitsu/js/dist/jitsu.es.js"


def test_segment_s_for_browsers(graphid: Service, shop: str, page: Page, own: str) -> None:
    begin(page, graphid, "segment", f"{SEGMENT}/index.js")
    for call in (
        "page()",
        "track('Looked', { colour: 'red' })",
        f"identify('u-{own}', {{ email: '{own}@example.com' }})",
        "track('Bought')",
        "reset()",
        "page()",
    ):
        page.run(f"analytics.{call}.then(() => 0)")
    sent = page.posted(graphid.url, 5)
    assert [urlsplit(each.url).path for each in sent] == [f"/v1/{short}" for short in "ptitp"]
    assert len({json.loads(each.body)["anonymousId"] for each in sent}) == 2

    def look() -> None:
        told = Told(graphid, f"u-{own}")
        assert told.did == ["PAGE", "Looked", "IDENTIFY", "Bought"]
        seen = told.lines[0]["detail"]
        assert (seen["url"], seen["title"]) == (f"{shop}/shoes", "The shop")
        assert ("email", f"{own}@example.com") in told.identifiers
        assert kind_of(graphid, json.loads(sent[-1].body)["messageId"]) == "ANONYMOUS"

    look()
    repeat_all(sent)
    look()
    assert page.complaints == []
    # It asked nobody else, neither for settings nor for anything to load.
    asked = {urlsplit(each.url).netloc for each in page.requests.values()}
    assert asked == {urlsplit(graphid.url).netloc, urlsplit(shop).netloc}


def test_segment_s_in_a_page_without_a_bundler(graphid: Service, page: Page, own: str) -> None:
    snippet = documented(graphid, "js", "segment-standalone")
    page.run(
        f"new Promise((done) => {{ const analytics = (window.analytics = []); {snippet} "
        f"analytics.push(['page'], ['identify', 'u-{own}']); "
        "const script = document.createElement('script'); script.onload = () => done(0); "
        f"script.src = '/node_modules/{SEGMENT}/standalone.js'; "
        "document.head.append(script); })"
    )
    page.posted(f"{graphid.url}/v1/", 2)
    assert Told(graphid, f"u-{own}").did == ["PAGE", "IDENTIFY"]
    assert page.complaints == []


READY = "new Promise((done) => { analytics.ready(() => done(0)); })"


def test_rudderstack_s_for_browsers(graphid: Service, page: Page, own: str) -> None:
    begin(page, graphid, "rudderstack", RUDDERSTACK)
    page.run(READY)
    page.run("analytics.page()")
    page.run("analytics.track('Looked', { colour: 'red' })")
    page.posted(graphid.url, 2)
    page.run(f"analytics.identify('u-{own}', {{ email: '{own}@example.com', firstName: 'Jane' }})")
    page.run("analytics.track('Bought')")
    page.posted(graphid.url, 4)
    page.run("analytics.reset()")
    page.run("analytics.page()")
    page.run("analytics.track('After')")
    page.posted(graphid.url, 6)
    page.run(f"analytics.identify('other-{own}', {{ email: 'other-{own}@example.com' }})")
    sent = page.posted(graphid.url, 7)
    calls = [json.loads(each.body) for each in sent]
    # How it says a logout: the same cookie, and nobody.
    assert len({call["anonymousId"] for call in calls}) == 1
    assert [call["userId"] for call in calls[4:6]] == ["", ""]

    def look() -> None:
        jane = Told(graphid, f"{own}@example.com")
        assert sorted(jane.did) == ["Bought", "IDENTIFY", "Looked", "PAGE"]
        assert jane.name == "Jane"
        assert jane.identifiers == {("email", f"{own}@example.com"), ("user_id", f"u-{own}")}
        other = Told(graphid, f"other-{own}@example.com")
        assert sorted(other.did) == ["After", "IDENTIFY", "PAGE"]

    look()
    repeat_all(sent)
    look()
    assert page.complaints == []


def test_rudderstack_s_by_the_browser_s_beacon(graphid: Service, page: Page, own: str) -> None:
    more = "useBeacon: true, beaconQueueOptions: { maxItems: 2 }"
    begin(page, graphid, "rudderstack", RUDDERSTACK, more=more)
    page.run(READY)
    page.run("analytics.page()")
    page.run(f"analytics.identify('u-{own}')")
    (sent,) = page.posted(f"{graphid.url}/beacon/v1/batch", 1)
    assert urlsplit(sent.url).query == f"writeKey={PUBLISHABLE_KEY}"
    assert Told(graphid, f"u-{own}").did == ["PAGE", "IDENTIFY"]


def test_jitsu_s_for_browsers(graphid: Service, page: Page, own: str) -> None:
    begin(page, graphid, "jitsu", JITSU)
    for call in (
        "page()",
        "track('Looked', { colour: 'red' })",
        f"identify('u-{own}', {{ email: '{own}@example.com' }})",
        "track('Bought')",
        "reset()",
        "page()",
    ):
        page.run(f"analytics.{call}.then(() => 0)")
    sent = page.posted(graphid.url, 5)
    assert {urlsplit(each.url).path.rpartition("/")[0] for each in sent} == {"/api/s"}

    def look() -> None:
        told = Told(graphid, f"u-{own}")
        assert told.did == ["PAGE", "Looked", "IDENTIFY", "Bought"]
        assert ("email", f"{own}@example.com") in told.identifiers
        assert kind_of(graphid, json.loads(sent[-1].body)["messageId"]) == "ANONYMOUS"

    look()
    repeat_all(sent)
    look()
    assert page.complaints == []
