"""Histories to send by many clients at once: what is sent depends on the seed alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec

from graphid.identity.values import (
    SECOND,
    Assurance,
    ContactUpsert,
    Evidence,
    Identify,
    Logout,
    Micros,
    message_of,
)
from tests.service import PUBLISHABLE_KEY, SECRET_KEY, Client

START: Micros = 1_789_000_000 * SECOND
HUMANS = (
    ("member:1", "user_id:jo", "mail:jo", "mail:home"),
    ("member:2", "user_id:mary", "mail:mary", "mail:home"),
    ("member:3", "user_id:kim", "mail:kim"),
)
"""Two share an address."""
COOKIES = {"tablet-1": "tablet", "tablet-2": "tablet", "phone": "phone", "kiosk": None}

_FIELDS = {
    "identify": ("IdentifyInput", "... on Identified { duplicate }"),
    "logout": ("LogoutInput", "... on LoggedOut { duplicate }"),
    "saveContact": ("ContactInput", "... on ContactSaved { duplicate }"),
    "page": ("PageInput", "... on EventAccepted { duplicate }"),
}


@dataclass(frozen=True)
class Said:
    """A message: how it is sent, and what evidence it is. A live one says no time of its own."""

    id: str
    field: str
    body: dict[str, Any]
    evidence: Evidence | None = None
    key: str = PUBLISHABLE_KEY
    live: bool = False

    def send(self, client: Client) -> bool:
        """Send it; whether it was known. AssertionError for any answer that is no success."""
        kind, told = _FIELDS[self.field]
        document = f"""mutation ($input: {kind}!) {{
          sent: {self.field}(input: $input) {{
            __typename {told} ... on Problem {{ message }} }} }}"""
        sent = client.graphql(document, input=self.body)["sent"]
        assert "duplicate" in sent, (self, sent)
        known: bool = sent["duplicate"]
        return known

    def is_stored_as(self, stored: Evidence) -> bool:
        """Whether stored evidence says what this said; the service adds when it came, and from
        whom, and at what time it happened if that was not said."""
        said = self.evidence
        if said is None or message_of(stored.id) != self.id:
            return False
        added = ["id", "recorded_at", "actor", "policy", *(["at"] if self.live else [])]
        filled = {name: getattr(stored, name) for name in added}
        return msgspec.structs.replace(said, **filled) == stored


@dataclass
class Storm:
    """Messages of a few humans on a few cookies, at times that have nothing to do with the order
    in which they are sent; some say no time, and happen as they come. ``run`` sets this storm
    apart from all else in the graph."""

    run: str
    random: Random
    _number: int = field(default=0, init=False)

    def messages(self, count: int) -> list[Said]:
        return [self._message() for _ in range(count)]

    def _message(self) -> Said:
        random = self.random
        self._number += 1
        id = f"{self.run}-{self._number}"
        at = START + random.randrange(600) * 60 * SECOND + self._number * SECOND
        live = random.random() < 0.3
        cookie = random.choice(sorted(COOKIES))
        who = random.choice(HUMANS)
        named = random.sample(who, random.randint(1, 3))
        kinds = ("claim", "claim", "thief", "assert", "assert", "logout", "record", "page")
        match random.choice(kinds):
            case "page":
                body = {"url": "https://shop.example/"}
                return Said(id, "page", body | self._context(id, cookie, at, live=live))
            case "logout":
                logout = Logout(id, at, 0, self._own(cookie), self._device(cookie))
                body = self._context(id, cookie, at, live=live)
                return Said(id, "logout", body, logout, live=live)
            case "record":
                return self._record(id, at, str(HUMANS.index(who)), named, live=live)
            case "assert":
                return self._identify(id, at, cookie, named, Assurance.ASSERTED, live=live)
            case "thief":
                named = list(dict.fromkeys([random.choice(random.choice(HUMANS)), named[0]]))
        return self._identify(id, at, cookie, named, Assurance.CLAIMED, live=live)

    def _identify(
        self,
        id: str,
        at: Micros,
        cookie: str,
        named: Sequence[str],
        assurance: Assurance,
        *,
        live: bool,
    ) -> Said:
        identifiers = tuple(map(self._identifier, named))
        device = self._device(cookie)
        said = Identify(id, at, 0, self._own(cookie), device, assurance, identifiers)
        body = self._context(id, cookie, at, live=live)
        body |= {"identifiers": list(map(_as_input, identifiers))}
        key = PUBLISHABLE_KEY if assurance is Assurance.CLAIMED else SECRET_KEY
        return Said(id, "identify", body, said, key, live)

    def _record(self, id: str, at: Micros, row: str, named: Sequence[str], *, live: bool) -> Said:
        identifiers = tuple(map(self._identifier, named))
        curated = self.random.random() < 0.3
        said = ContactUpsert(id, at, 0, "crm", self._own(row), identifiers, curated=curated)
        body: dict[str, Any] = {"source": "crm", "sourceId": self._own(row), "messageId": id}
        body |= {"identifiers": list(map(_as_input, identifiers)), "curated": curated}
        body |= {} if live else {"occurredAt": _moment(at)}
        return Said(id, "saveContact", body, said, SECRET_KEY, live)

    def _context(self, id: str, cookie: str, at: Micros, *, live: bool) -> dict[str, Any]:
        device = self._device(cookie)
        context = {"messageId": id, "cookieId": self._own(cookie)}
        context |= {} if device is None else {"deviceId": device}
        return {"context": context if live else context | {"occurredAt": _moment(at)}}

    def _own(self, id: str) -> str:
        return f"{self.run}-{id}"

    def _device(self, cookie: str) -> str | None:
        device = COOKIES[cookie]
        return None if device is None else self._own(device)

    def _identifier(self, key: str) -> str:
        type, _, value = key.partition(":")
        return f"{type}:{self._own(value)}"


def _as_input(identifier: str) -> dict[str, str]:
    type, _, value = identifier.partition(":")
    return {"type": type, "value": value}


def _moment(at: Micros) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).isoformat()


def misstored(said: Sequence[Said], stored: Sequence[Evidence]) -> Iterator[str]:
    """Where what is stored of messages is not what they said; operators' acts are left out."""
    found: dict[str, list[Evidence]] = {}
    for piece in stored:
        if isinstance(piece, Identify | Logout | ContactUpsert):
            found.setdefault(message_of(piece.id), []).append(piece)
    for message in said:
        pieces = found.pop(message.id, [])
        if message.evidence is None and pieces:
            yield f"{message.id} is evidence, and was a page"
        elif message.evidence is not None and [message.is_stored_as(p) for p in pieces] != [True]:
            yield f"{message} is stored as {pieces}"
    yield from (f"nobody said {pieces}" for pieces in found.values())
