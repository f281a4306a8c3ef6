"""Whatever arrives in whatever order: every id ever given out means what the pure fold says."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from graphid.identity.fold import Resolved
from graphid.identity.ids import UNCLAIMED
from graphid.identity.state import Contact, Cookie, Identifier, Person, Visitor
from graphid.identity.values import Place
from graphid.service.messages import Message, Sender
from tests.integration.asking import Asked
from tests.integration.test_ingest import BROWSER, SERVER

HUMANS = (
    ("member:1", "user_id:jo", "mail:jo", "mail:home"),
    ("member:2", "user_id:mary", "mail:mary", "mail:home"),
    ("member:3", "user_id:kim", "mail:kim"),
)
COOKIES = ("a", "b")


class Meanings:
    """What each id that the fold ever had means, by the pure fold alone."""

    def __init__(self) -> None:
        self.contacts: dict[str, Contact] = {}
        self.visitors: dict[str, Visitor] = {}

    def learn(self, resolved: Resolved) -> None:
        for value in resolved.state.values():
            if isinstance(value, Person):
                self.contacts |= {contact.id: contact for contact in value.contacts}
            visitor = value.visitor if isinstance(value, Cookie) else value
            if isinstance(visitor, Visitor):
                self.visitors[visitor.id] = visitor

    def person(self, resolved: Resolved, id: str, places: dict[str, tuple[str, Place]]) -> str:
        """The person whom an id leads to now."""
        state = resolved.state
        if id.startswith("visitor_"):
            former = self.visitors[id]
            return self._owner(resolved, former.cookie, former.start)
        former_contact = self.contacts["contact_" + id.partition("_")[2]]
        contact: str | None = former_contact.id
        if ("person", former_contact.id) not in state:
            named_for = former_contact.named_for
            held = None if named_for is None else state.get(("identifier", named_for))
            contact = held.contacts[0] if isinstance(held, Identifier) and held.contacts else None
        if contact is not None:
            return resolved.ids.person(resolved.person_of(contact)[0])
        return self._owner(resolved, *places[former_contact.evidence])

    def _owner(self, resolved: Resolved, cookie: str, place: Place) -> str:
        visitor = resolved.visitor_at(cookie, place)
        if visitor.owner is None:
            return visitor.id
        return resolved.ids.person(resolved.person_of(visitor.owner)[0])


def history(asked: Asked, random: Random, length: int) -> Iterator[tuple[Message, Sender]]:
    """Messages of a few humans on a few cookies, in an order that has nothing to do with time."""
    for number in range(length):
        seconds = random.randrange(0, 600) * 60 + number
        cookie = random.choice(COOKIES)
        who = random.choice(HUMANS)
        named = tuple(random.sample(who, random.randint(1, 2)))
        stolen = (random.choice(random.choice(HUMANS)), random.choice(named))
        kind = random.choice(["claim", "claim", "thief", "assert", "logout", "record", "page"])
        match kind:
            case "page":
                yield asked.page(cookie, seconds), BROWSER
            case "logout":
                yield asked.logout(cookie, seconds), BROWSER
            case "record":
                row, curated = str(HUMANS.index(who)), random.random() < 0.3
                yield asked.record(row, seconds, *named, curated=curated), SERVER
            case "assert":
                yield asked.said(cookie, seconds, *named), SERVER
            case _:
                said = dict.fromkeys(stolen if kind == "thief" else named)
                yield asked.said(cookie, seconds, *said), BROWSER


@pytest.mark.parametrize("seed", [11])
async def test_every_id_ever_given_out_is_found(asked: Asked, seed: int) -> None:
    given: set[str] = set()
    meanings = Meanings()
    for message, sender in history(asked, Random(seed), 16):
        await asked.one(message, sender)
        for cookie in COOKIES:
            given |= await asked.given_out(cookie)
        meanings.learn(await asked.folded())
    resolved = await asked.folded()
    rows = await asked.rows(
        "MATCH (e:Evidence) WHERE e.body CONTAINS $run "
        "RETURN e.id AS id, e.cookie AS cookie, e.place AS place"
    )
    places = {row["id"]: (row["cookie"], row["place"]) for row in rows}
    assert await asked.differences() == []
    for id in sorted(given):
        kind = id.partition("_")[0]
        node = await asked.node(id)
        if kind in ("person", "contact", "visitor") and not id.endswith(UNCLAIMED):
            person = await asked.person(id)
            assert person["id"] == meanings.person(resolved, id, places), id
            assert kind != "contact" or node["person"]["id"] == person["id"]
