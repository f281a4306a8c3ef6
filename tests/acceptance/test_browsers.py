"""What a publishable key may do, and that it learns nothing, by whole answers of the service."""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from graphid.api.rights import scopes_of
from graphid.api.schema import executable
from graphid.auth.scopes import BROWSER
from tests.integration.walking import everything_below
from tests.service import OTHER_PUBLISHABLE_KEY, PUBLISHABLE_KEY, Client, Service

Answer = tuple[int, dict[str, str], str]
"""Status, headers and body."""

IDENTIFY = "mutation ($input: IdentifyInput!) { done: identify(input: $input) { __typename } }"
SAVE = "mutation ($input: ContactInput!) { done: saveContact(input: $input) { __typename } }"
BLOCK = """mutation ($type: String!, $value: String!) {
  done: blockIdentifier(type: $type, value: $value, reason: "nobody's") { __typename } }"""
HOLDER = """query ($type: String!, $value: String!) { found: personByIdentifier(
  type: $type, value: $value) { id identifiers { type value } } }"""
EVENT = """query ($id: ID!) { found: event(messageId: $id) { person { id } chat { id } } }"""
CHAT = """query ($id: ID!) { found: chat(id: $id) { id endedAt person { id }
  messages { edges { node { author text } } } } }"""

INPUTS = {
    "page": "PageInput",
    "track": "TrackInput",
    "identify": "IdentifyInput",
    "logout": "LogoutInput",
    "startChat": "StartChatInput",
    "sendChatMessage": "ChatMessageInput",
    "endChat": "EndChatInput",
}


def mutation(name: str) -> str:
    """A mutation that selects all that a publishable key may select."""

    def opens(type: str, field: str) -> bool:
        return not BROWSER.isdisjoint(scopes_of(type, field))

    field = executable.mutation_type.fields[name]  # type: ignore[union-attr]
    below = everything_below(field, opens)
    return f"mutation ($input: {INPUTS[name]}!) {{ sent: {name}(input: $input) {below} }}"


class Site:
    """Browsers and a server of one test; every name is of the same length, and its own."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._netloc = urlsplit(service.url).netloc
        self.server = service.client()

    @staticmethod
    def name(kind: str) -> str:
        return f"{kind}-{uuid4().hex[:12]}"

    def value(self, type: str) -> str:
        own = uuid4().int
        if type == "email":
            return f"{own % 10**12:012d}@example.com"
        return f"+4478{own % 10**8:08d}" if type == "phone" else f"{own % 10**12:012d}"

    def ask(
        self, path: str, body: Any, key: str = PUBLISHABLE_KEY, *, basic: bool = False
    ) -> Answer:
        """The whole answer, but for ids and times that differ with every request."""
        secret = base64.b64encode(f"{key}:".encode()).decode()
        headers = {
            "Authorization": f"Basic {secret}" if basic else f"Bearer {key}",
            "Content-Type": "application/json",
        }
        connection = http.client.HTTPConnection(self._netloc, timeout=120)
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        told = {name.lower(): value for name, value in answer.getheaders()}
        for varying in ("date", "x-request-id"):
            told.pop(varying, None)
        text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", "TIME", text)
        return answer.status, told, re.sub(r'"requestId": ?"[^"]*"', "REQUEST", text)

    def browse(self, name: str, sent: dict[str, Any], key: str = PUBLISHABLE_KEY) -> Answer:
        """The answer to a mutation, without what was sent itself."""
        status, headers, text = self.ask(
            "/graphql", {"query": mutation(name), "variables": {"input": sent}}, key
        )
        return status, headers, without(text, sent)

    def browsed(self, name: str, sent: dict[str, Any], key: str = PUBLISHABLE_KEY) -> Any:
        """What a mutation answers."""
        client = self._service.client(key)
        return client.graphql(mutation(name), input=sent)["sent"]

    def where(self, cookie: str | None = None, **more: Any) -> dict[str, Any]:
        return {"messageId": self.name("m"), "cookieId": cookie or self.name("c"), **more}


def without(text: str, sent: Any) -> str:
    """A text without the names that were sent; they say nothing that the sender did not know."""
    if isinstance(sent, dict):
        for value in sent.values():
            text = without(text, value)
    elif isinstance(sent, list):
        for value in sent:
            text = without(text, value)
    elif isinstance(sent, str) and re.match(r"[a-z]+-[0-9a-f]{12}$", sent):
        text = text.replace(sent, sent.partition("-")[0].upper())
    return text


@pytest.fixture
def site(graphid: Service) -> Site:
    return Site(graphid)


# ---------------------------------------------------------------------- who is known


def by_server(site: Site, type: str, value: str) -> None:
    sent = {"context": site.where(), "identifiers": [{"type": type, "value": value}]}
    assert site.server.graphql(IDENTIFY, input=sent)["done"]["__typename"] == "Identified"


def by_record(site: Site, type: str, value: str) -> None:
    sent = {
        "source": "crm",
        "sourceId": site.name("r"),
        "identifiers": [
            {"type": type, "value": value},
            {"type": "member", "value": site.name("n")},
        ],
        "curated": True,
    }
    assert site.server.graphql(SAVE, input=sent)["done"]["__typename"] == "ContactSaved"


def by_browser(site: Site, type: str, value: str) -> None:
    sent = {"context": site.where(), "identifiers": [{"type": type, "value": value}]}
    assert site.browsed("identify", sent)["__typename"] == "Identified"


def blocked(site: Site, type: str, value: str) -> None:
    """It was somebody's, and an operator judged that it is nobody's."""
    by_server(site, type, value)
    done = site.server.graphql(BLOCK, type=type, value=value)["done"]
    assert done["__typename"] == "Change"


KNOWN: list[Callable[[Site, str, str], None]] = [by_server, by_record, by_browser, blocked]


def anonymous(site: Site) -> str:
    return site.name("c")


def seen(site: Site) -> str:
    """A cookie whose visitor is open."""
    where = site.where()
    site.browsed("page", {"context": where, "url": "https://shop.example/"})
    return str(where["cookieId"])


def of_somebody(site: Site) -> str:
    """A cookie whose visitor said that it is somebody else: naming another begins a new one."""
    cookie = seen(site)
    who = [{"type": "user_id", "value": site.value("user_id")}]
    site.browsed("identify", {"context": site.where(cookie), "identifiers": who})
    return cookie


COOKIES: list[Callable[[Site], str]] = [anonymous, seen, of_somebody]
TYPES = ["email", "phone", "user_id", "crm_account_id", "loyalty_card"]


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.__name__)
@pytest.mark.parametrize("cookie", COOKIES, ids=lambda cookie: cookie.__name__)
def test_a_browser_does_not_learn_whether_anybody_is_known(
    site: Site,
    type: str,
    known: Callable[[Site, str, str], None],
    cookie: Callable[[Site], str],
) -> None:
    them, nobody = site.value(type), site.value(type)
    known(site, type, them)
    for way in WAYS:
        answers = [way(site, cookie(site), type, value) for value in (them, nobody)]
        assert answers[0] == answers[1], way.__name__
        assert answers[0][0] == 200


def identifying(site: Site, cookie: str, type: str, value: str) -> Answer:
    who = [{"type": type, "value": value}]
    return site.browse("identify", {"context": site.where(cookie), "identifiers": who})


def beside_another(site: Site, cookie: str, type: str, value: str) -> Answer:
    who = [{"type": type, "value": value}, {"type": "member", "value": site.value("member")}]
    return site.browse("identify", {"context": site.where(cookie), "identifiers": who})


def by_traits(site: Site, cookie: str, type: str, value: str) -> Answer:
    traits: dict[str, Any] = {type: value} if type in ("email", "phone") else {}
    traits["custom"] = {} if traits else {type: value}
    return site.browse("identify", {"context": site.where(cookie), "traits": traits})


def long_ago(site: Site, cookie: str, type: str, value: str) -> Answer:
    where = site.where(cookie, occurredAt="2026-01-01T00:00:00Z")
    who = [{"type": type, "value": value}]
    return site.browse("identify", {"context": where, "identifiers": who})


def by_sdk(site: Site, cookie: str, type: str, value: str) -> Answer:
    body = {
        "messageId": site.name("m"),
        "anonymousId": cookie,
        "traits": {} if type == "user_id" else {type: value},
        "userId": value if type == "user_id" else None,
    }
    return site.ask("/v1/identify", body, basic=True)


def on_a_page(site: Site, cookie: str, type: str, value: str) -> Answer:
    user = value if type == "user_id" else None
    calls = [
        {"type": "page", "anonymousId": cookie, "userId": user},
        {"type": "identify", "anonymousId": cookie, "traits": {type: value}},
        {"type": "group", "anonymousId": cookie, "groupId": "g", "userId": user},
    ]
    return site.ask("/v1/batch", {"batch": calls}, basic=True)


WAYS = [identifying, beside_another, by_traits, long_ago, by_sdk, on_a_page]


@pytest.mark.parametrize("value", ["undefined", "000000", " ", "test@test.com"])
def test_what_is_refused_depends_on_what_is_sent(site: Site, value: str) -> None:
    answers = [
        site.browse(
            "identify",
            {"context": site.where(cookie), "identifiers": [{"type": "email", "value": value}]},
        )
        for cookie in (anonymous(site), of_somebody(site))
    ]
    assert answers[0] == answers[1]
    assert "EventAccepted" in answers[0][2]


def test_whose_message_id_it_was_is_not_told(site: Site) -> None:
    chat = site.name("h")
    cookie = site.name("c")
    site.browsed("startChat", {"context": site.where(cookie), "chatId": chat})
    said = {"identifiers": [{"type": "email", "value": site.value("email")}]}

    def sent(name: str, message: str) -> dict[str, Any]:
        where = {"messageId": message, "cookieId": cookie}
        match name:
            case "page":
                return {"context": where, "url": "https://shop.example/"}
            case "track":
                return {"context": where, "name": "Something"}
            case "identify":
                return {"context": where, **said}
            case "startChat":
                return {"context": where, "chatId": site.name("h")}
            case "sendChatMessage":
                return {**where, "chatId": chat, "author": "CUSTOMER", "text": "Hi"}
            case "endChat":
                return {**where, "chatId": chat}
        return {"context": where}

    for name in INPUTS:
        taken = site.where()
        site.browsed("identify", {"context": taken, **said})
        one = site.browse(name, sent(name, taken["messageId"]))
        other = site.browse(name, sent(name, site.name("m")))
        # A cookie to go on with is made of the message id.
        hidden = [re.sub(r'"nextCookieId": ?"[^"]*"', "", answer[2]) for answer in (one, other)]
        assert hidden[0] == hidden[1], name
        assert one[:2] == other[:2]


# ---------------------------------------------------------------------- what it cannot do


def holders(server: Client, *named: tuple[str, str]) -> list[Any]:
    return [server.graphql(HOLDER, type=type, value=value)["found"] for type, value in named]


def test_it_joins_nobody_and_moves_nothing(site: Site) -> None:
    one, other = ("email", site.value("email")), ("crm_account_id", site.value("crm_account_id"))
    for type, value in (one, other):
        by_server(site, type, value)
    before = holders(site.server, one, other)
    assert before[0]["id"] != before[1]["id"]
    cookie = of_somebody(site)
    for named in ([one, other], [other, one], [one], [other, ("user_id", site.value("user_id"))]):
        for on in (site.name("c"), cookie):
            identifiers = [{"type": type, "value": value} for type, value in named]
            sent = {"context": site.where(on), "identifiers": identifiers}
            assert site.browsed("identify", sent)["__typename"] == "Identified"
    after = holders(site.server, one, other)
    assert [person["id"] for person in after] == [person["id"] for person in before]
    for person, (type, value) in zip(after, (one, other), strict=True):
        assert {"type": type, "value": value} in person["identifiers"]


def test_it_ends_no_other_visit(site: Site) -> None:
    device = site.name("d")
    theirs, value = site.where(deviceId=device), site.value("user_id")
    who = {"identifiers": [{"type": "user_id", "value": value}]}
    site.server.graphql(IDENTIFY, input={"context": theirs, **who})
    beside = site.where(deviceId=device)
    site.browsed("identify", {"context": beside, **who})
    for cookie in (beside["cookieId"], None):
        where = site.where(cookie, deviceId=device)
        site.browsed("logout", {"context": where})
        left = {"anonymousId": where["cookieId"], "userId": value, "event": "Signed Out"}
        assert site.ask("/v1/track", left, basic=True)[0] == 200
    later = site.where(theirs["cookieId"], deviceId=device)
    site.browsed("page", {"context": later, "url": "https://shop.example/"})
    (holder,) = holders(site.server, ("user_id", value))
    found = site.server.graphql(EVENT, id=later["messageId"])["found"]
    assert found["person"]["id"] == holder["id"]


def test_it_speaks_for_nobody_but_the_customer(site: Site) -> None:
    chat, where = site.name("h"), site.where()
    site.browsed("startChat", {"context": where, "chatId": chat})
    for author in ("AGENT", "SYSTEM"):
        said = {"chatId": chat, "cookieId": where["cookieId"], "author": author, "text": "Refunded"}
        problem = site.browsed("sendChatMessage", said)
        assert (problem["__typename"], problem["path"]) == ("InvalidInput", ["author"])
    without_cookie = site.browsed(
        "sendChatMessage", {"chatId": chat, "author": "CUSTOMER", "text": "Hi"}
    )
    assert without_cookie["path"] == ["cookieId"]
    assert site.server.graphql(CHAT, id=chat)["found"]["messages"]["edges"] == []


@pytest.mark.parametrize(
    "document",
    [
        "{ __schema { types { name } } }",
        '{ __type(name: "Person") { fields { name } } }',
        '{ person(id: "person_1") { id } }',
        'mutation { mergePeople(ids: ["a", "b"], reason: "r") { __typename } }',
        'mutation { saveContact(input: {source: "s", sourceId: "1", identifiers: []}) '
        "{ __typename } }",
    ],
)
def test_what_it_may_not_ask_is_refused_whole_and_the_scope_named(
    site: Site, document: str
) -> None:
    first = 'page(input: {context: {cookieId: "c", messageId: "%s"}, url: "u"}) { __typename }'
    sent = site.name("m")
    if document.startswith("mutation {"):
        document = document.replace("mutation {", "mutation { " + first % sent, 1)
    _, _, text = site.ask("/graphql", {"query": document})
    (error,) = json.loads(text.replace("REQUEST", '"requestId": ""'))["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert re.search(r"it needs [a-z]+:[a-z]+", error["message"]), error
    assert site.server.graphql(EVENT, id=sent)["found"] is None


# ---------------------------------------------------------------------- chats


def say(chat: str, cookie: str | None, text: str, author: str = "CUSTOMER") -> dict[str, Any]:
    where = {} if cookie is None else {"cookieId": cookie}
    return {"chatId": chat, **where, "author": author, "text": text}


def lines(site: Site, chat: str) -> list[str]:
    found = site.server.graphql(CHAT, id=chat)["found"]
    return [edge["node"]["text"] for edge in found["messages"]["edges"]]


def test_a_chat_is_reached_by_its_cookie_and_key_alone(site: Site) -> None:
    chat, where = site.name("h"), site.where()
    cookie = where["cookieId"]
    site.browsed("startChat", {"context": where, "chatId": chat})
    assert site.browsed("sendChatMessage", say(chat, cookie, "mine"))["__typename"] == (
        "EventAccepted"
    )
    for named, key in ((site.name("c"), PUBLISHABLE_KEY), (cookie, OTHER_PUBLISHABLE_KEY)):
        assert site.browsed("sendChatMessage", say(chat, named, "not mine"), key)["__typename"] == (
            "NotFound"
        )
        ended = site.browsed("endChat", {"chatId": chat, "cookieId": named}, key)
        assert ended["__typename"] == "NotFound"
        # Whoever names its id gets a chat of their own, and goes on in it under either name.
        begun = site.browsed("startChat", {"context": site.where(named), "chatId": chat}, key)
        own = begun["chat"]["id"]
        assert own != chat
        assert begun["duplicate"] is False
        for name in (chat, own):
            said = site.browsed("sendChatMessage", say(name, named, f"by {name}"), key)
            assert said["__typename"] == "EventAccepted"
        assert lines(site, own) == [f"by {chat}", f"by {own}"]
    assert lines(site, chat) == ["mine"]
    assert site.server.graphql(CHAT, id=chat)["found"]["endedAt"] is None
    # Begun again by whom it belongs to, it is the same one.
    again = site.browsed("startChat", {"context": site.where(cookie), "chatId": chat})
    assert (again["chat"]["id"], again["duplicate"]) == (chat, True)


def test_a_message_id_of_another_keys_chat_begins_one_of_its_own(site: Site) -> None:
    where = site.where()
    first = site.browsed("startChat", {"context": where})["chat"]["id"]
    second = site.browsed("startChat", {"context": where}, OTHER_PUBLISHABLE_KEY)["chat"]["id"]
    assert first != second


def test_a_server_reaches_every_chat_by_its_id(site: Site) -> None:
    document = """mutation ($input: ChatMessageInput!) {
      sent: sendChatMessage(input: $input) { __typename } }"""
    chat, where = site.name("h"), site.where()
    site.browsed("startChat", {"context": where, "chatId": chat})
    taken = site.browsed("startChat", {"context": site.where(), "chatId": chat})["chat"]["id"]
    for id, cookie in ((chat, None), (chat, where["cookieId"]), (taken, None)):
        sent = site.server.graphql(document, input=say(id, cookie, f"to {id}", "AGENT"))["sent"]
        assert sent["__typename"] == "EventAccepted"
    assert lines(site, chat) == [f"to {chat}"] * 2
    assert lines(site, taken) == [f"to {taken}"]


def test_a_chat_that_a_server_began_is_its_cookies(site: Site) -> None:
    document = """mutation ($input: StartChatInput!) { startChat(input: $input) { __typename } }"""
    chat, where = site.name("h"), site.where()
    site.server.graphql(document, input={"context": where, "chatId": chat})
    for key in (PUBLISHABLE_KEY, OTHER_PUBLISHABLE_KEY):
        said = site.browsed("sendChatMessage", say(chat, where["cookieId"], key), key)
        assert said["__typename"] == "EventAccepted"
    other = site.browsed("sendChatMessage", say(chat, site.name("c"), "no"))
    assert other["__typename"] == "NotFound"
    assert lines(site, chat) == [PUBLISHABLE_KEY, OTHER_PUBLISHABLE_KEY]
