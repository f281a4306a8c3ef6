"""The tracking API: what becomes of each call, and how faults are answered."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx
import pytest
from starlette.applications import Starlette

from graphid.errors import DatabaseUnavailable, GraphidError, NotFound
from graphid.http.answers import on_graphid_error
from graphid.http.callers import Callers
from graphid.http.gate import Gate
from graphid.http.segment import CALLS, MAX_BATCH, Segment
from graphid.http.segment_calls import Clock, sent_at_of, translate
from graphid.identity.outcome import Warned
from graphid.identity.values import Assurance
from graphid.service.contents import digest_of
from graphid.service.keymaking import RevokeKey
from graphid.service.messages import ClientClock, Identify, Message, Page, Sender, Track
from graphid.service.receipts import Receipt
from tests.keys import IDS, OPERATOR, Process

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Recorder:
    """An ingest that keeps what it is given; ``fails`` is raised instead."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.sender: Sender | None = None
        self.seen: set[str] = set()
        self.fails: GraphidError | None = None
        self.problem: GraphidError | None = None

    async def submit(self, messages: Sequence[Message], sender: Sender) -> list[Receipt]:
        if self.fails:
            raise self.fails
        self.messages += messages
        self.sender = sender
        receipts = []
        for message in messages:
            assert isinstance(message, Page | Track | Identify)
            id = message.context.message_id or "minted"
            receipts.append(
                Receipt(
                    message_id=id,
                    occurred_at=0,
                    received_at=0,
                    type=message.kind,
                    duplicate=id in self.seen,
                    warnings=(Warned("CLOCK_SKEW", "late"),) if id == "warned" else (),
                    problem=self.problem if id == "problem" else None,
                )
            )
            self.seen.add(id)
        return receipts


@pytest.fixture
def ingest() -> Recorder:
    return Recorder()


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
async def client(ingest: Recorder, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(
        routes=Segment(ingest, Callers(process.keyring, Gate()), IDS).routes(),
        exception_handlers={GraphidError: on_graphid_error},
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", auth=("pk_of_settings", "")
    ) as client:
        yield client


def one(call: dict[str, Any], clock: Clock | None = None, **given: Any) -> Message:
    clock = clock or Clock(None, NOW)
    return translate(call, clock=clock, cookie_of=lambda user, *_: f"of-{user}", **given)


class TestTranslation:
    def test_identify(self) -> None:
        message = one(
            {
                "type": "identify",
                "anonymousId": "c1",
                "userId": 42,
                "messageId": "m1",
                "timestamp": "2026-03-01T11:00:00.123456789Z",
                "context": {"device": {"id": "tablet"}, "sessionId": 7, "ip": "10.0.0.1"},
                "traits": {
                    "email": "jane@example.com",
                    "phone": 447700900000,
                    "firstName": "Jane",
                    "lastName": None,
                    "plan": "gold",
                    "custom": {"crm_account_id": "999888", "plan": "tin"},
                },
            }
        )
        assert isinstance(message, Identify)
        assert message.model_dump(exclude_none=True) == {
            "kind": "identify",
            "context": {
                "message_id": "m1",
                "cookie_id": "c1",
                "device_id": "tablet",
                "session_id": "7",
                "occurred_at": datetime(2026, 3, 1, 11, 0, 0, 123456, tzinfo=UTC),
            },
            "identifiers": ({"type": "user_id", "value": "42"},),
            "traits": {
                "email": "jane@example.com",
                "phone": "447700900000",
                "first_name": "Jane",
                "custom": {"crm_account_id": "999888", "plan": "gold"},
            },
        }

    @pytest.mark.parametrize("user", ["", "  ", None])
    def test_no_user(self, user: str | None) -> None:
        message = one({"type": "identify", "anonymousId": "c1", "userId": user})
        assert isinstance(message, Identify)
        assert message.identifiers == ()
        assert message.traits is None

    def test_custom_that_is_no_object_is_a_trait(self) -> None:
        message = one({"type": "identify", "anonymousId": "c", "traits": {"custom": "x"}})
        assert isinstance(message, Identify)
        assert message.traits is not None
        assert message.traits.custom == {"custom": "x"}

    def test_page(self) -> None:
        message = one(
            {
                "type": "page",
                "anonymousId": "c1",
                "userId": "u1",
                "name": "Shoes",
                "category": "Shop",
                "properties": {"url": "https://shop.example/a", "colour": "red"},
                "context": {"page": {"url": "no", "title": "All shoes", "referrer": "https://r"}},
            }
        )
        assert isinstance(message, Page)
        assert (message.url, message.title, message.referrer) == (
            "https://shop.example/a",
            "All shoes",
            "https://r",
        )
        assert message.user_id == "u1"
        assert message.properties == {"name": "Shoes", "category": "Shop", "colour": "red"}

    def test_page_of_a_server_that_knows_no_url(self) -> None:
        message = one({"type": "page", "userId": "u1", "name": "Home", "properties": {}})
        assert isinstance(message, Page)
        assert (message.url, message.title) == ("", "Home")
        assert message.context.cookie_id == "of-u1"

    @pytest.mark.parametrize(
        ("call", "name", "kind", "properties"),
        [
            ({"type": "track", "event": "Paid", "properties": {"sum": 3}}, "Paid", "track",
             {"sum": 3}),
            ({"type": "track", "event": "Paid"}, "Paid", "track", None),
            ({"type": "screen", "name": "Cart", "category": "App"}, "Cart", "screen",
             {"category": "App"}),
            ({"type": "screen"}, "Screen", "screen", None),
            ({"type": "group", "groupId": 9, "traits": {"email": "a@b.example"}}, "Group", "group",
             {"groupId": "9", "traits": {"email": "a@b.example"}}),
            ({"type": "alias", "previousId": "old"}, "Alias", "alias",
             {"previousId": "old", "userId": "u1"}),
        ],
    )  # fmt: skip
    def test_events(
        self, call: dict[str, Any], name: str, kind: str, properties: dict[str, Any] | None
    ) -> None:
        message = one({**call, "anonymousId": "c1", "userId": "u1"})
        assert isinstance(message, Track)
        assert (message.name, message.call, message.properties) == (name, kind, properties)
        assert message.user_id == "u1"

    def test_the_batch_s_context_stands_where_the_call_says_nothing(self) -> None:
        around = {"device": {"id": "d1"}, "sessionId": "s1"}
        call = {"type": "track", "event": "x", "anonymousId": "c", "context": {"sessionId": "s2"}}
        message = one(call, context=around)
        assert isinstance(message, Track)
        assert (message.context.device_id, message.context.session_id) == ("d1", "s2")

    @pytest.mark.parametrize(
        ("call", "path", "says"),
        [
            ({}, ["type"], "one of identify, track"),
            ({"type": "delete"}, ["type"], "one of"),
            ({"type": ["track"]}, ["type"], "one of"),
            ({"type": "track", "event": "x"}, ["anonymousId"], "anonymousId or userId"),
            ({"type": "track", "anonymousId": "c"}, ["event"], "at least 1"),
            ({"type": "track", "anonymousId": "c", "event": 3}, ["event"], "valid string"),
            ({"type": "track", "anonymousId": "c" * 257, "event": "x"}, ["anonymousId"], "256"),
            ({"type": "track", "anonymousId": True, "event": "x"}, ["anonymousId"], "text"),
            ({"type": "track", "anonymousId": "a\nb", "event": "x"}, ["anonymousId"], "control"),
            ({"type": "identify", "anonymousId": "c", "userId": {}}, ["userId"], "text"),
            ({"type": "page", "anonymousId": "c", "userId": "a\x00"}, ["userId"], "control"),
            ({"type": "track", "anonymousId": "c", "event": "x", "properties": [1]},
             ["properties"], "object"),
            ({"type": "track", "anonymousId": "c", "event": "x", "context": 3},
             ["context"], "object"),
            ({"type": "track", "anonymousId": "c", "event": "x", "context": {"device": "d"}},
             ["context", "device"], "object"),
            ({"type": "track", "anonymousId": "c", "event": "x",
              "context": {"device": {"id": 1.5}}}, ["context", "device", "id"], "text"),
            ({"type": "track", "anonymousId": "c", "event": "x", "timestamp": "yesterday"},
             ["timestamp"], "ISO 8601"),
            ({"type": "track", "anonymousId": "c", "event": "x", "timestamp": 17},
             ["timestamp"], "ISO 8601"),
            ({"type": "track", "anonymousId": "c", "event": "x", "timestamp": "1999-01-01"},
             ["timestamp"], "2000-01-01"),
            ({"type": "page", "anonymousId": "c", "properties": {"url": "x" * 5000}},
             ["properties", "url"], "4096"),
            ({"type": "identify", "anonymousId": "c", "traits": {"a": "x" * 40_000}},
             ["traits"], "32768"),
        ],
    )  # fmt: skip
    def test_faults_name_field_and_limit(
        self, call: dict[str, Any], path: list[str], says: str
    ) -> None:
        with pytest.raises(GraphidError, match=says) as caught:
            one(call)
        assert caught.value.path == tuple(path)

    def test_a_clock_that_is_plainly_wrong_is_corrected(self) -> None:
        at = NOW - timedelta(hours=2)
        call = {"type": "track", "event": "x", "anonymousId": "c", "timestamp": at.isoformat()}
        late = one(call, Clock(NOW - timedelta(hours=1), NOW))
        right = one(call, Clock(NOW - timedelta(seconds=59), NOW))
        ahead = one(call, Clock(NOW + timedelta(minutes=2), NOW))
        found = [m.context.occurred_at for m in (late, right, ahead) if isinstance(m, Track)]
        assert found == [at + timedelta(hours=1), at, at - timedelta(minutes=2)]

    def test_what_a_wrong_clock_said_is_kept_and_is_no_content(self) -> None:
        at = NOW - timedelta(hours=2)
        call = {"type": "track", "event": "x", "anonymousId": "c", "timestamp": at.isoformat()}
        late, right = one(call, Clock(NOW - timedelta(hours=1), NOW)), one(call, Clock(NOW, NOW))
        assert isinstance(late, Track)
        assert isinstance(right, Track)
        assert late.context.client_clock == ClientClock(
            timestamp=at, sent_at=NOW - timedelta(hours=1)
        )
        assert right.context.client_clock is None
        assert digest_of(late) == digest_of(right)

    def test_a_call_says_when_it_was_sent_where_its_batch_does_not(self) -> None:
        at, sent = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
        call = {
            "type": "track",
            "event": "x",
            "anonymousId": "c",
            "originalTimestamp": at.isoformat(),
            "sentAt": sent.isoformat(),
        }
        own, of_batch = one(call, Clock(None, NOW)), one(call, Clock(NOW, NOW))
        assert isinstance(own, Track)
        assert isinstance(of_batch, Track)
        assert own.context.occurred_at == at + timedelta(hours=1)
        assert of_batch.context.occurred_at == at

    def test_a_time_that_was_never_set_corrects_nothing(self) -> None:
        for said in ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00", "never", 7):
            assert sent_at_of({"sentAt": said}) is None
        at_start = "1970-01-01T00:00:00Z"  # a clock that was never set is a clock
        assert sent_at_of({"sentAt": at_start}) == datetime(1970, 1, 1, tzinfo=UTC)

    def test_what_is_no_text_is_no_name_and_leaves_the_rest(self) -> None:
        said = {"email": ["a@b.example"], "phone": 447700900123, "firstName": 7, "lastName": None}
        message = one({"type": "identify", "anonymousId": "c", "userId": "u", "traits": said})
        assert isinstance(message, Identify)
        assert message.traits is not None
        assert message.traits.phone == "447700900123"
        assert (message.traits.email, message.traits.first_name) == (None, None)
        assert message.traits.custom == {"email": ["a@b.example"], "firstName": 7}
        assert [claim.value for claim in message.identifiers] == ["u"]

    def test_what_a_page_is_called_may_be_a_number(self) -> None:
        call = {"anonymousId": "c", "name": 404, "properties": {"url": "https://a.example/"}}
        page, screen = one({"type": "page", **call}), one({"type": "screen", **call})
        assert isinstance(page, Page)
        assert isinstance(screen, Track)
        assert (page.title, screen.name) == ("404", "404")

    def test_an_empty_list_is_an_empty_object(self) -> None:
        empty: dict[str, Any] = {"properties": [], "traits": [], "context": {"device": []}}
        for kind in ("page", "track", "screen", "group", "alias", "identify"):
            call = {"type": kind, "event": "x", "anonymousId": "c"}
            assert digest_of(one({**call, **empty})) == digest_of(one(call))

    def test_rudderstack_s_traits_are_in_the_context(self) -> None:
        call = {"type": "identify", "anonymousId": "c", "userId": "u"}
        around = {"traits": {"email": "jane@example.com", "plan": "tin"}}
        message = one({**call, "context": around, "traits": {"plan": "gold"}})
        assert isinstance(message, Identify)
        assert message.traits is not None
        assert (message.traits.email, message.traits.custom) == (
            "jane@example.com",
            {"plan": "gold"},
        )
        page = one({"type": "page", "anonymousId": "c", "context": around})
        assert isinstance(page, Page)
        assert page.properties is None

    @pytest.mark.parametrize(
        ("who", "names_nobody"),
        [
            ({"userId": ""}, True),
            ({"userId": None}, False),
            ({}, False),
            ({"userId": "u"}, False),
        ],
    )
    def test_an_empty_user_id_says_that_nobody_is_there(
        self, who: dict[str, Any], names_nobody: bool
    ) -> None:
        for kind in ("page", "track", "screen", "group", "alias", "identify"):
            message = one({"type": kind, "event": "x", "anonymousId": "c", **who})
            assert isinstance(message, Page | Track | Identify)
            assert message.names_nobody is names_nobody
            assert digest_of(message) == digest_of(
                one({"type": kind, "event": "x", "anonymousId": "c"})
            ) or (kind in ("alias", "identify") and bool(who.get("userId")))

    def test_a_time_past_all_times_stays(self) -> None:
        last = datetime.max.replace(tzinfo=UTC)
        assert Clock(NOW - timedelta(days=1), NOW).corrected(last) == last

    def test_a_time_without_offset_is_utc(self) -> None:
        call = {"type": "track", "event": "x", "anonymousId": "c", "timestamp": "2026-01-01T00:00"}
        message = one(call)
        assert isinstance(message, Track)
        assert message.context.occurred_at == datetime(2026, 1, 1, tzinfo=UTC)


class TestEndpoints:
    async def test_a_batch(self, client: httpx.AsyncClient, ingest: Recorder) -> None:
        batch = [
            {"type": "track", "event": "a", "anonymousId": "c", "messageId": "m1"},
            {"type": "track", "event": "", "anonymousId": "c"},
            "no call",
            {"type": "track", "event": "b", "anonymousId": "c", "messageId": "warned"},
            {"type": "track", "event": "a", "anonymousId": "c", "messageId": "m1"},
        ]
        answer = await client.post("/v1/batch", json={"batch": batch, "context": {}})
        assert answer.status_code == 200
        body = answer.json()
        assert body["success"] is True
        assert (body["accepted"], body["duplicates"]) == (3, 1)
        assert [(e["index"], e["path"]) for e in body["errors"]] == [(1, ["event"]), (2, [])]
        assert body["warnings"] == [{"index": 3, "code": "CLOCK_SKEW", "message": "late"}]
        assert len(ingest.messages) == 3

    @pytest.mark.parametrize(
        "bad", [b'"\\ud83d"', b"NaN", b"1e999", b'{"1": 1, "1": 2}', b"[" * 70 + b"]" * 70]
    )
    async def test_a_call_that_is_no_sound_json_leaves_the_others(
        self, client: httpx.AsyncClient, ingest: Recorder, bad: bytes
    ) -> None:
        call = b'{"type": "track", "event": "a", "anonymousId": "c", "properties": {"p": %s}}'
        body = b'{"batch": [%s, %s, %s]}' % (call % b"1", call % bad, call % b"2")
        answer = await client.post("/v1/batch", content=body)
        assert (answer.status_code, answer.json()["accepted"]) == (200, 2)
        assert [error["index"] for error in answer.json()["errors"]] == [1]
        assert len(ingest.messages) == 2
        strict = await client.post("/v1/batch", content=body, headers={"X-Strict-Mode": "1"})
        assert (strict.status_code, strict.json()["errors"][0]["index"]) == (400, 1)
        assert (await client.post("/v1/track", content=call % bad)).status_code == 400
        assert len(ingest.messages) == 2

    async def test_a_call_that_ingest_refuses(
        self, client: httpx.AsyncClient, ingest: Recorder
    ) -> None:
        ingest.problem = NotFound()
        batch = [
            {"type": "track", "event": "a", "anonymousId": "c", "messageId": id}
            for id in ("ok", "problem")
        ]
        body = (await client.post("/v1/b", json={"batch": batch})).json()
        assert (body["accepted"], body["errors"][0]["index"]) == (1, 1)
        assert body["errors"][0]["code"] == "NOT_FOUND"

    async def test_an_empty_batch_and_one_of_bad_calls_succeed(
        self, client: httpx.AsyncClient, ingest: Recorder
    ) -> None:
        batches: list[list[dict[str, Any]]] = [[], [{}]]
        for batch in batches:
            answer = await client.post("/v1/batch", json={"batch": batch})
            assert (answer.status_code, answer.json()["success"]) == (200, True)
        assert ingest.sender is None

    async def test_a_batch_may_be_refused_for_one_bad_call(
        self, client: httpx.AsyncClient, ingest: Recorder
    ) -> None:
        good = {"type": "track", "event": "a", "anonymousId": "c", "messageId": "m1"}
        strict = {"X-Strict-Mode": "1"}
        for bad in ({**good, "event": ""}, "no call"):
            body = {"batch": [good, bad]}
            answer = await client.post("/v1/batch", json=body, headers=strict)
            assert answer.status_code == 400
            told = answer.json()
            assert (told["success"], told["accepted"]) == (False, 0)
            assert [error["index"] for error in told["errors"]] == [1]
            assert told["error"]["path"][:2] == ["batch", "1"]
            assert told["code"] == told["error"]["code"] == "INVALID_INPUT"
        assert ingest.sender is None
        for headers in ({}, {"X-Strict-Mode": "0"}):
            answer = await client.post("/v1/batch", json=body, headers=headers)
            assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
        answer = await client.post("/v1/batch", json={"batch": [good]}, headers=strict)
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1)

    @pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"])
    async def test_where_batches_go(
        self, client: httpx.AsyncClient, ingest: Recorder, path: str
    ) -> None:
        batch = [{"type": "page", "anonymousId": "c"}, {"type": "identify", "anonymousId": "c"}]
        answer = await client.post(path, json={"batch": batch})
        assert (answer.status_code, answer.json()["accepted"]) == (200, 2)
        assert [message.kind for message in ingest.messages] == ["page", "identify"]

    @pytest.mark.parametrize("place", ["/api/s", "/api/s/s2s"])
    async def test_jitsu_s_paths(
        self, client: httpx.AsyncClient, ingest: Recorder, place: str
    ) -> None:
        for name in CALLS:
            answer = await client.post(f"{place}/{name}", json={"anonymousId": "c", "event": "x"})
            assert answer.status_code == 200
        calls = [m.call if isinstance(m, Track) else m.kind for m in ingest.messages]
        assert calls == list(CALLS)
        bad = await client.post(f"{place}/track", json={"anonymousId": "c"})
        assert (bad.status_code, bad.json()["error"]["path"]) == (400, ["event"])

    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("identify", "identify"), ("i", "identify"), ("track", "track"), ("t", "track"),
            ("page", "page"), ("p", "page"), ("screen", "track"), ("s", "track"),
            ("alias", "track"), ("a", "track"), ("group", "track"), ("g", "track"),
        ],
    )  # fmt: skip
    async def test_single_calls(
        self, client: httpx.AsyncClient, ingest: Recorder, path: str, kind: str
    ) -> None:
        call = {"anonymousId": "c", "event": "x", "type": "ignored"}
        answer = await client.post(f"/v1/{path}", json=call)
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
        assert ingest.messages[0].kind == kind

    async def test_a_bad_single_call_is_refused(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/track", json={"anonymousId": "c"})
        assert answer.status_code == 400
        told = answer.json()
        assert told["error"]["path"] == ["event"]
        # Where Segment's SDK for Python looks; without, it sends again what is refused for good.
        assert (told["code"], told["message"]) == (told["error"]["code"], told["error"]["message"])

    async def test_the_content_type_does_not_matter(
        self, client: httpx.AsyncClient, ingest: Recorder
    ) -> None:
        answer = await client.post(
            "/v1/t",
            content=json.dumps({"anonymousId": "c", "event": "x"}),
            headers={"content-type": "text/plain"},
        )
        assert answer.status_code == 200
        assert len(ingest.messages) == 1

    @pytest.mark.parametrize(
        "body",
        [b"", b"[]", b"3", b'{"batch": 3}', b'{"batch": [], "batch": []}', b'{"batch": ["\xff"]}',
         b"[" * 10_000, b"{}", b'{"batch": [], "context": []}'],
    )  # fmt: skip
    async def test_a_batch_that_cannot_be_read(
        self, client: httpx.AsyncClient, body: bytes
    ) -> None:
        answer = await client.post("/v1/batch", content=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "INVALID_INPUT"

    async def test_too_many_calls(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/batch", json={"batch": [{}] * (MAX_BATCH + 1)})
        assert answer.status_code == 413
        assert str(MAX_BATCH) in answer.json()["error"]["message"]

    async def test_the_database_is_away(self, client: httpx.AsyncClient, ingest: Recorder) -> None:
        ingest.fails = DatabaseUnavailable(retry_after=2)
        call = {"anonymousId": "c", "event": "x"}
        answer = await client.post("/v1/track", json=call)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")

    async def test_a_user_without_a_cookie_has_one_of_its_own(
        self, client: httpx.AsyncClient, ingest: Recorder
    ) -> None:
        for key in ("pk_of_settings", "sk_of_settings"):
            for path in ("page", "page", "identify"):
                answer = await client.post(
                    f"/v1/{path}", json={"userId": "jane@example.com"}, auth=(key, "")
                )
                assert answer.status_code == 200
        cookies = [m.context.cookie_id for m in ingest.messages if isinstance(m, Page | Identify)]
        browser, server = cookies[:3], cookies[3:]
        assert browser[0] == browser[1]
        assert server[0] == server[1] == server[2]
        # What anybody may say who a user is besides is said on no cookie of others.
        assert len({browser[0], browser[2], server[0]}) == 3
        assert not any("jane" in cookie for cookie in cookies)


class TestKeys:
    CALL: ClassVar[dict[str, Any]] = {"anonymousId": "c", "event": "x"}

    async def post(self, client: httpx.AsyncClient, **given: Any) -> int:
        given.setdefault("json", self.CALL)
        client.auth = httpx.Auth()  # which adds nothing
        return (await client.post("/v1/track", **given)).status_code

    async def test_wherever_it_is(self, client: httpx.AsyncClient, ingest: Recorder) -> None:
        basic = base64.b64encode(b"sk_of_settings:").decode()
        for given in (
            {"headers": {"authorization": f"Basic {basic}"}},
            {"headers": {"authorization": "Bearer sk_of_settings"}},
            {"headers": {"x-write-key": "sk_of_settings"}},
            {"json": {**self.CALL, "writeKey": "sk_of_settings"}},
            {"params": {"writeKey": "sk_of_settings"}},
        ):
            ingest.sender = None
            assert await self.post(client, **given) == 200
            assert ingest.sender is not None
            assert ingest.sender.assurance is Assurance.ASSERTED
            assert not ingest.sender.is_browser

    async def test_one_of_the_graph_wherever_it_is(
        self, client: httpx.AsyncClient, ingest: Recorder, process: Process
    ) -> None:
        for kind, assurance in (("SECRET", Assurance.ASSERTED), ("PUBLISHABLE", Assurance.CLAIMED)):
            made = await process.make(kind)
            basic = base64.b64encode(f"{made.text}:".encode()).decode()
            for given in (
                {"headers": {"authorization": f"Basic {basic}"}},
                {"headers": {"authorization": f"Bearer {made.text}"}},
                {"headers": {"x-write-key": made.text}},
                {"json": {**self.CALL, "writeKey": made.text}},
                {"params": {"writeKey": made.text}},
            ):
                ingest.sender = None
                assert await self.post(client, **given) == 200
                assert ingest.sender is not None
                assert ingest.sender.assurance is assurance
                assert ingest.sender.name.endswith(f":{made.key.id}")

    async def test_the_first_that_is_there_counts(
        self, client: httpx.AsyncClient, ingest: Recorder
    ) -> None:
        def basic(key: str) -> dict[str, str]:
            return {"authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"}

        def written(key: str) -> dict[str, str]:
            return {"x-write-key": key}

        good, body = "sk_of_settings", {**self.CALL, "writeKey": "wrong"}
        query = {"writeKey": "wrong"}
        for given in (
            {"headers": basic(good) | written("wrong"), "json": body, "params": query},
            {"headers": written(good), "json": body, "params": query},
            {"json": {**self.CALL, "writeKey": good}, "params": query},
        ):
            assert await self.post(client, **given) == 200
        assert await self.post(client, headers=basic("wrong") | written(good)) == 401
        assert len(ingest.messages) == 3

    async def test_an_empty_place_is_none(self, client: httpx.AsyncClient) -> None:
        basic = base64.b64encode(b":").decode()
        for empty in ({"authorization": f"Basic {basic}"}, {"authorization": "Bearer "}):
            for headers in (empty, {"x-write-key": ""}, {**empty, "x-write-key": ""}):
                good = {**self.CALL, "writeKey": "sk_of_settings"}
                assert await self.post(client, headers=headers, json=good) == 200
                assert await self.post(client, headers=headers) == 401
            written = {**empty, "x-write-key": "sk_of_settings"}
            assert await self.post(client, headers=written) == 200
        body = {**self.CALL, "writeKey": ""}
        assert await self.post(client, json=body, params={"writeKey": "sk_of_settings"}) == 200

    async def test_jitsu_s_have_a_colon(self, client: httpx.AsyncClient) -> None:
        # Its SDKs take no key without one, and mask in the body what is behind it.
        for key, status in (("pk_of_settings:any", 200), ("wrong:pk_of_settings", 401)):
            body = {**self.CALL, "writeKey": "pk_of_settings:***"}
            assert await self.post(client, headers={"x-write-key": key}, json=body) == status
            assert await self.post(client, json={**self.CALL, "writeKey": key}) == status
            assert await self.post(client, params={"writeKey": key}) == status

    async def test_one_that_may_not_send(
        self, client: httpx.AsyncClient, ingest: Recorder, process: Process
    ) -> None:
        made = await process.make(scopes=["journey:view"])
        assert await self.post(client, headers={"x-write-key": made.text}) == 403
        assert not ingest.messages

    async def test_a_revoked_one(
        self, client: httpx.AsyncClient, ingest: Recorder, process: Process
    ) -> None:
        made = await process.make()
        await process.keymaker.revoke(made.key.id, RevokeKey(), OPERATOR)
        assert await self.post(client, headers={"x-write-key": made.text}) == 401
        assert not ingest.messages

    async def test_one_that_only_a_database_could_tell(
        self, client: httpx.AsyncClient, ingest: Recorder, process: Process
    ) -> None:
        made = await process.make()
        process.stored.fails = DatabaseUnavailable()
        assert await self.post(client, headers={"x-write-key": made.text}) == 503
        assert not ingest.messages

    async def test_missing_or_unknown(self, client: httpx.AsyncClient, ingest: Recorder) -> None:
        wrong = base64.b64encode(b"wrong:").decode()
        for given in (
            {},
            {"headers": {"authorization": f"Basic {wrong}"}},
            {"headers": {"authorization": "Basic %%%"}},
            {"headers": {"authorization": f"Basic {wrong}"}, "content": b"{"},
            {"json": {**self.CALL, "writeKey": "wrong"}},
            {"json": {**self.CALL, "writeKey": 3}},
        ):
            assert await self.post(client, **given) == 401
        assert not ingest.messages
