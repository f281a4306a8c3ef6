"""Segment's own SDK against the running service, and what it would make of our answers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from segment.analytics.client import Client

from tests.service import PUBLISHABLE_KEY, SECRET_KEY, Service

PERSON = """query ($type: String!, $value: String!) {
  personByIdentifier(type: $type, value: $value) {
    id
    identifiers { type value }
    journey(first: 100) { edges { node { messageId type cookieId deviceId occurredAt detail } } }
  }
}"""
COOKIE = """query ($id: ID!) { personByCookie(cookieId: $id) { id kind } }"""
EVENT = """query ($id: ID!) { event(messageId: $id) { occurredAt detail } }"""

Sdk = Callable[..., None]


@pytest.fixture
def run() -> str:
    """Sets this test's ids apart from every other's."""
    return uuid4().hex[:8]


@pytest.fixture
def sdk(graphid: Service) -> Iterator[Sdk]:
    """Calls the SDK, and returns when it has sent what it was given."""
    errors: list[Exception] = []
    client = Client(
        PUBLISHABLE_KEY,
        host=graphid.url,
        gzip=True,
        upload_interval=0.05,
        max_retries=2,
        on_error=lambda error, _calls: errors.append(error),
    )

    def call(name: str, **fields: Any) -> None:
        getattr(client, name)(**fields)
        client.flush()
        assert errors == []

    yield call
    client.shutdown()


@pytest.fixture
def http(graphid: Service) -> Iterator[httpx.Client]:
    with closing(httpx.Client(base_url=graphid.url, auth=(PUBLISHABLE_KEY, ""))) as client:
        yield client


def person(graphid: Service, type: str, value: str) -> Any:
    with closing(graphid.client()) as client:
        return client.graphql(PERSON, type=type, value=value)["personByIdentifier"]


def person_of_cookie(graphid: Service, cookie: str) -> Any:
    with closing(graphid.client()) as client:
        return client.graphql(COOKIE, id=cookie)["personByCookie"]


def test_a_visit_by_the_sdk(graphid: Service, sdk: Sdk, run: str) -> None:
    at = datetime.now(UTC) - timedelta(hours=1)
    cookie, device = f"c-{run}", {"device": {"id": f"d-{run}"}}
    page = {"url": "https://shop.example/a", "title": "A"}
    where: dict[str, Any] = {"anonymous_id": cookie, "context": device}
    for _ in range(2):
        sdk("page", properties=page, timestamp=at, message_id=f"1-{run}", **where)
        sdk(
            "identify",
            user_id=f"u-{run}",
            traits={"email": f"{run}@example.com", "plan": "gold", "nickname": f"n-{run}"},
            timestamp=at + timedelta(minutes=1),
            message_id=f"2-{run}",
            **where,
        )
        sdk(
            "track",
            user_id=f"u-{run}",
            event="Paid",
            timestamp=at + timedelta(minutes=2),
            message_id=f"3-{run}",
            **where,
        )
    found = person(graphid, "user_id", f"u-{run}")
    lines = [edge["node"] for edge in found["journey"]["edges"]]
    assert [line["messageId"] for line in lines] == [f"3-{run}", f"2-{run}", f"1-{run}"]
    assert {line["deviceId"] for line in lines} == {f"d-{run}"}
    assert lines[-1]["detail"]["url"] == page["url"]
    assert datetime.fromisoformat(lines[-1]["occurredAt"]) - at < timedelta(milliseconds=1)
    assert sorted(i["value"] for i in found["identifiers"]) == [f"{run}@example.com", f"u-{run}"]


def test_a_user_id_on_any_call_says_who_it_is(graphid: Service, sdk: Sdk, run: str) -> None:
    for number, call in enumerate(("page", "screen", "track")):
        more = {"event": "x"} if call == "track" else {}
        user, cookie = f"u{number}-{run}", f"c{number}-{run}"
        sdk(call, user_id=user, anonymous_id=cookie, **more)
        assert person(graphid, "user_id", user)["id"] == person_of_cookie(graphid, cookie)["id"]


def test_a_server_s_calls_have_a_cookie_of_the_user_s_own(
    graphid: Service, sdk: Sdk, run: str
) -> None:
    user = f"{run}@example.com"
    for event in ("Renewed", "Paid"):
        sdk("track", user_id=user, event=event)
    sdk("identify", user_id=user, traits={"phone": "+442079460958"})
    lines = [edge["node"] for edge in person(graphid, "user_id", user)["journey"]["edges"]]
    said = {line["cookieId"] for line in lines if line["type"] == "IDENTIFY"}
    done = {line["cookieId"] for line in lines if line["type"] == "TRACK"}
    # A browser's identify has one for itself: nobody says on the user's who else that is.
    assert (len(said), len(done), len(said & done)) == (1, 1, 0)
    assert not any(run in cookie for cookie in said | done)


def test_alias_and_group_are_kept_and_join_nobody(graphid: Service, sdk: Sdk, run: str) -> None:
    one, two = f"one-{run}", f"two-{run}"
    for user in (one, two):
        sdk("identify", user_id=user, anonymous_id=f"c-{user}")
        sdk("group", user_id=user, group_id=f"g-{run}", traits={"email": f"{run}@example.com"})
    sdk("alias", previous_id=one, user_id=two)
    found = [person(graphid, "user_id", user) for user in (one, two)]
    assert found[0]["id"] != found[1]["id"]
    assert person(graphid, "email", f"{run}@example.com") is None
    calls = [e["node"]["detail"].get("call") for e in found[1]["journey"]["edges"]]
    assert {"alias", "group"} <= set(calls)


def test_an_empty_user_id_is_no_user(graphid: Service, http: httpx.Client, run: str) -> None:
    answer = http.post("/v1/identify", json={"anonymousId": f"c-{run}", "userId": ""})
    assert answer.status_code == 200
    assert person_of_cookie(graphid, f"c-{run}")["kind"] == "ANONYMOUS"


def test_bad_calls_are_told_by_index_and_the_good_ones_stored_once(
    graphid: Service, http: httpx.Client, run: str
) -> None:
    good = {"type": "track", "event": "x", "anonymousId": f"c-{run}", "messageId": run}
    long = {**good, "messageId": "x" * 300}
    for duplicates in (1, 2):
        answer = http.post("/v1/batch", json={"batch": [long, good, good]})
        body = answer.json()
        assert (answer.status_code, body["success"], body["accepted"]) == (200, True, 2)
        assert body["duplicates"] == duplicates
        assert [(e["index"], e["path"]) for e in body["errors"]] == [(0, ["messageId"])]
        assert "256" in body["errors"][0]["message"]


def test_what_a_wrong_clock_said_is_kept(graphid: Service, http: httpx.Client, run: str) -> None:
    now = datetime.now(UTC)
    call = {"event": "x", "anonymousId": f"c-{run}", "messageId": run}
    # Slow by a month; and, when it is sent again, set to two days ahead.
    clocks = (now - timedelta(days=30), now + timedelta(days=2))
    for duplicates, sent in enumerate(clocks):
        at = sent - timedelta(minutes=5)
        body = {**call, "timestamp": at.isoformat(), "sentAt": sent.isoformat()}
        answer = http.post("/v1/track", json=body).json()
        assert (answer["duplicates"], answer["warnings"]) == (duplicates, [])
    with closing(graphid.client()) as client:
        event = client.graphql(EVENT, id=run)["event"]
    happened = datetime.fromisoformat(event["occurredAt"])
    assert timedelta(0) <= happened - (now - timedelta(minutes=5)) < timedelta(minutes=1)
    said = event["detail"]["clientClock"]
    told = [datetime.fromisoformat(said[name]) for name in ("timestamp", "sentAt")]
    assert told == [clocks[0] - timedelta(minutes=5), clocks[0]]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"batch": [}', {}, 400),
        (b'{"batch": [], "batch": []}', {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"batch": ["\xc3"]}', {}, 400),
        (b"not gzip", {"content-encoding": "gzip"}, 400),
        (gzip.compress(b" " * 50_000_000), {"content-encoding": "gzip"}, 413),
        (b" " * 5_000_000, {}, 413),
    ],
    ids=["malformed", "duplicate keys", "too deep", "not UTF-8", "not gzip", "bomb", "too large"],
)
def test_a_batch_that_cannot_be_read_is_refused(
    http: httpx.Client, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = http.post("/v1/batch", content=body, headers=headers)
    assert answer.status_code == status
    told = answer.json()
    assert told["message"] == told["error"]["message"] != ""


def test_a_key_only_in_the_body_as_older_sdks_send_it(graphid: Service, run: str) -> None:
    batch = [{"type": "track", "event": "x", "anonymousId": f"c-{run}"}]
    for key, status in ((SECRET_KEY, 200), (PUBLISHABLE_KEY, 200), ("wrong", 401), (None, 401)):
        body = json.dumps({"batch": batch, "writeKey": key})
        answer = httpx.post(f"{graphid.url}/v1/batch", content=body)
        assert answer.status_code == status
