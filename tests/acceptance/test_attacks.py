"""No authority by claim (model.md, invariant 11), over the real API.

A browser says what it likes, before or after, so that the attacker's login, which a server vouches
for, would open the victim's history to an agent. It never does.

A step of ``attacks.json`` is who sends it, what, on which cookie (``-``: none), and identifiers
``type:whose``; ``@early`` and ``@middle`` date it before all others, or among them. Who: ``victim``
(the victim's own browser), ``vouched`` (a server, about the victim), ``browser`` (the attacker's),
``server`` (about the attacker), ``record`` (the CRM's, of the one who is named).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.service import PUBLISHABLE_KEY, Client, Service

ATTACKS = json.loads((Path(__file__).parent / "attacks.json").read_text())
START = datetime(2026, 6, 1, 9, tzinfo=UTC)
EARLY, MIDDLE = timedelta(days=-1), timedelta(minutes=2, seconds=30)

IDENTIFY = "mutation ($input: IdentifyInput!) { done: identify(input: $input) { __typename } }"
PAGE = "mutation ($input: PageInput!) { done: page(input: $input) { __typename } }"
LOGOUT = "mutation ($input: LogoutInput!) { done: logout(input: $input) { __typename } }"
START_CHAT = """mutation ($input: StartChatInput!) {
  done: startChat(input: $input) { __typename ... on ChatStarted { chat { id } } } }"""
SAY = """mutation ($input: ChatMessageInput!) {
  done: sendChatMessage(input: $input) { __typename } }"""
SAVE = "mutation ($input: ContactInput!) { done: saveContact(input: $input) { __typename } }"
WHOSE = "query ($id: ID!) { event(messageId: $id) { person { id } } }"
WHO = """query ($type: String!, $value: String!) {
  personByIdentifier(type: $type, value: $value) { id
    journey(first: 200) { edges { node { messageId } } } } }"""


@dataclass(frozen=True)
class Sent:
    """A step, as it is sent."""

    client: Client
    what: str
    cookie: str
    message: str
    at: datetime
    named: list[tuple[str, str]]


class Play:
    """One playing of an attack, with ids and identifiers of its own."""

    def __init__(self, service: Service, device: str | None) -> None:
        self._browser = service.client(PUBLISHABLE_KEY)
        self._server = service.client()
        self._run = uuid4().hex[:10]
        self._device = device
        self._digits = int(self._run, 16) % 10**8
        self._chats: dict[str, str] = {}
        self._sent = 0
        self.of_victim: list[str] = []
        """Ids of the messages of what the victim did."""
        self.of_attacker: list[tuple[str, str]] = []
        """What the server vouches for of the attacker."""

    def send(self, step: str) -> None:
        who, what, *rest = step.split()
        if who == "record":
            self._save(what, self._named(rest))
            return
        cookie, *words = rest
        at = START + timedelta(minutes=self._sent)
        at = START + EARLY if "@early" in words else START + MIDDLE if "@middle" in words else at
        self._sent += 1
        client = self._server if who in ("server", "vouched") else self._browser
        message = f"{self._run}-{self._sent}"
        named = self._named([word for word in words if not word.startswith("@")])
        if who == "victim":
            self.of_victim.append(message)
        if who == "server":
            self.of_attacker += named
        sent = Sent(client, what.removeprefix("v1"), cookie, message, at, named)
        if what.startswith("v1"):
            self._by_sdk(sent)
        else:
            self._by_graphql(sent)

    def _by_graphql(self, step: Sent) -> None:
        where = {
            "cookieId": self._id(step.cookie),
            "messageId": step.message,
            "occurredAt": step.at.isoformat(),
        }
        if self._device is not None:
            where["deviceId"] = self._id(self._device)
        sent: dict[str, Any] = {"context": where}
        document, answer = {
            "identify": (IDENTIFY, "Identified"),
            "page": (PAGE, "EventAccepted"),
            "logout": (LOGOUT, "LoggedOut"),
            "startChat": (START_CHAT, "ChatStarted"),
            "say": (SAY, "EventAccepted"),
        }[step.what]
        match step.what:
            case "identify":
                sent["identifiers"] = [{"type": t, "value": value} for t, value in step.named]
            case "page":
                sent["url"] = "https://shop.example/"
            case "startChat":
                sent["chatId"] = self._id("chat")
            case "say":
                sent = {
                    **where,
                    "chatId": self._chats[step.cookie],
                    "author": "CUSTOMER",
                    "text": "Hi",
                }
                sent.pop("deviceId", None)
        done = step.client.graphql(document, input=sent)["done"]
        # That is how far it gets: whatever is claimed, a browser is answered alike.
        assert done["__typename"] == answer, done
        if step.what == "startChat":
            self._chats[step.cookie] = done["chat"]["id"]

    def _by_sdk(self, step: Sent) -> None:
        said = dict(step.named)
        body: dict[str, Any] = {
            "messageId": step.message,
            "timestamp": step.at.isoformat(),
            "userId": said.pop("user_id", None),
            "event": "Something",
            "properties": {"url": "https://shop.example/"},
            "traits": said,
        }
        if step.cookie != "-":
            body["anonymousId"] = self._id(step.cookie)
        if step.what == "alias":
            body |= {"previousId": body["userId"], "userId": self._value("user_id", "attacker")}
        assert step.client.post(f"/v1/{step.what}", body)["accepted"] == 1

    def _save(self, whose: str, named: list[tuple[str, str]]) -> None:
        record = {
            "source": "crm",
            "sourceId": self._id(whose),
            "identifiers": [{"type": type, "value": value} for type, value in named],
            "curated": True,
            "occurredAt": (START + timedelta(minutes=self._sent)).isoformat(),
        }
        done = self._server.graphql(SAVE, input=record)["done"]
        assert done["__typename"] == "ContactSaved"

    def owners(self) -> dict[str, str]:
        """Whose each of the victim's events is."""
        return {
            message: self._server.graphql(WHOSE, id=message)["event"]["person"]["id"]
            for message in self.of_victim
        }

    def attackers(self) -> tuple[set[str], set[str]]:
        """The people who hold what was vouched for of the attacker, and what they own."""
        people, lines = set(), set()
        for type, value in self.of_attacker:
            person = self._server.graphql(WHO, type=type, value=value)["personByIdentifier"]
            people.add(person["id"])
            lines |= {edge["node"]["messageId"] for edge in person["journey"]["edges"]}
        return people, lines

    def _named(self, words: list[str]) -> list[tuple[str, str]]:
        pairs = (word.split(":") for word in words)
        return [(type, self._value(type, whose)) for type, whose in pairs]

    def _value(self, type: str, whose: str) -> str:
        if type == "email":
            return f"{whose}-{self._run}@example.com"
        if type == "phone":
            digit = {"victim": 7, "attacker": 8, "between": 9}[whose]
            return f"+4477{digit}{self._digits:08d}"[:13]
        return f"{whose}-{self._run}"

    def _id(self, name: str) -> str:
        return f"{self._run}-{name}"


def play(service: Service, attack: dict[str, Any]) -> Play:
    playing = Play(service, attack.get("device"))
    for step in attack["steps"]:
        playing.send(step)
    return playing


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack["id"])
def test_the_attacker_comes_to_own_nothing_of_the_victims(
    graphid: Service, attack: dict[str, Any]
) -> None:
    playing = play(graphid, attack)
    assert playing.of_victim
    assert playing.of_attacker
    people, lines = playing.attackers()
    assert lines.isdisjoint(playing.of_victim), attack["title"]
    assert people.isdisjoint(playing.owners().values()), attack["title"]


def test_what_the_victims_own_browser_claims_is_followed(graphid: Service) -> None:
    """The exception of the invariant, which shows that these tests would notice."""
    steps = [
        "victim page v",
        "victim identify v email:victim crm_account_id:attacker",
        "victim page v",
        "server identify a crm_account_id:attacker",
    ]
    playing = play(graphid, {"steps": steps})
    people, lines = playing.attackers()
    assert lines.issuperset(playing.of_victim)
    assert people == set(playing.owners().values())
