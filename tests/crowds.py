"""Devices and very many who used them, to be written in bulk as graphid writes them.

What the fold remembers of them is left out: nothing that is measured here reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, LiteralString

from graphid.identity.values import SECOND, Kind, place

START = 1_780_000_000 * SECOND
HOUR = 3600 * SECOND
BATCH = 5000

WRITE: LiteralString = """
UNWIND $uses AS use
MERGE (cookie:Cookie {id: use.cookie})
  ON CREATE SET cookie.firstSeenAt = use.at
SET cookie.lastSeenAt = use.at,
  cookie.known = CASE WHEN use.person IS NULL THEN cookie.known ELSE true END
MERGE (device:Device {id: use.device})
  ON CREATE SET device.firstSeenAt = use.at
SET device.lastSeenAt = use.at
MERGE (cookie)-[on:ON_DEVICE]->(device)
SET on.device = use.device, on.usedAt = use.at, on.known = coalesce(cookie.known, false)
CREATE (visitor:Visitor {id: use.visitor, cookie: use.cookie, opening: use.opening,
                         start: use.start, startedAt: use.startedAt,
                         endedAt: use.endedAt, end: use.end})
CREATE (visitor)-[:OF_COOKIE]->(cookie)
CREATE (session:Session {id: 'session_' + use.visitor, cookie: use.cookie, startedAt: use.at,
                         lastActivityAt: use.at})-[:ON_COOKIE]->(cookie)
CREATE (:Event {messageId: use.visitor, cookie: use.cookie, position: use.position, type: 'PAGE',
                occurredAt: use.at, receivedAt: use.at, session: session.id, detail: '{}',
                digest: ''})-[:IN_SESSION]->(session)
WITH use, visitor
WHERE use.person IS NOT NULL
MERGE (person:Person {id: 'person_' + use.person})
MERGE (contact:Contact {id: 'contact_' + use.person})
  ON CREATE SET contact.source = 'identify', contact.sourceId = contact.id,
    contact.state = 'IDENTIFIED', contact.assurance = 2, contact.isRecord = false,
    contact.made = use.position, contact.madeAt = use.at, contact.traits = '{}'
MERGE (contact)-[:BELONGS_TO]->(person)
CREATE (visitor)-[:IDENTIFIED_AS {id: 'link_' + use.visitor, state: use.state, rule: 'FIRST',
  assurance: 2, evidence: use.visitor, at: use.at, recordedAt: use.at, reach: use.at}]->(contact)
SET visitor.contact = contact.id, visitor.linkedAt = use.at, visitor.identified = use.position
WITH use, contact
UNWIND use.held AS value
MERGE (identifier:Identifier {key: 'email:' + value})
  ON CREATE SET identifier.id = 'identifier_' + value, identifier.type = 'email',
    identifier.value = value
MERGE (contact)-[hold:HAS_IDENTIFIER {id: 'link_' + use.person + value}]->(identifier)
  ON CREATE SET hold.state = 'ACTIVE', hold.rule = 'NAMED', hold.assurance = 2,
    hold.evidence = use.visitor, hold.at = use.at, hold.recordedAt = use.at
"""


@dataclass
class Crowd:
    """Uses of devices; each has a time of its own, the later ones later. ``name`` tells its ids
    from those of other crowds."""

    name: str = ""
    _uses: list[dict[str, Any]] = field(default_factory=list)
    _number: int = 0

    def use(
        self,
        device: str,
        cookie: str,
        person: str | None,
        *,
        held: int = 1,
        begins: bool = True,
        ends: bool = False,
    ) -> None:
        """Somebody used a cookie on a device, once. ``begins``: with the cookie, else after whoever
        used it before; ``ends``: by a logout. ``held``: how many addresses the person has."""
        self._number += 1
        at, id = START + self._number * 60 * SECOND, f"{self.name}u{self._number}"
        before = place(at - SECOND, Kind.LOGOUT, id)
        self._uses.append(
            {
                "device": device,
                "cookie": cookie,
                "person": person,
                "visitor": f"visitor_{id}",
                "opening": "birth" if begins else "logout",
                "start": "" if begins else before,
                "startedAt": None if begins else at - SECOND,
                "at": at,
                "position": place(at, Kind.EVENT, id),
                "end": place(at + 59 * SECOND, Kind.LOGOUT, f"{self.name}u{self._number + 1}")
                if ends
                else None,
                "endedAt": at + 59 * SECOND if ends else None,
                "state": "ENDED" if ends else "ACTIVE",
                "held": [f"{person}-{n}@x.example" for n in range(held)],
            }
        )

    def batches(self) -> Iterator[list[dict[str, Any]]]:
        """What was told, each a parameter ``uses`` of WRITE."""
        for first in range(0, len(self._uses), BATCH):
            yield self._uses[first : first + BATCH]
        self._uses.clear()

    # ------------------------------------------------------------------ what is measured

    def kiosk(self, name: str, visitors: int) -> None:
        """A device with one cookie that so many people used, one after the other."""
        for number in range(visitors):
            is_last = number == visitors - 1
            self.use(name, name, f"{name}-{number}", begins=number == 0, ends=not is_last)

    def cleared(self, name: str, cookies: int) -> None:
        """On a device so many cookies were anonymous, after two on which people were known."""
        for number in range(2):
            self.use(name, f"{name}-known-{number}", f"{name}-{number}")
        for number in range(cookies):
            self.use(name, f"{name}-{number}", None)

    def neighbours(self, name: str, people: int) -> None:
        """A device that so many people used, who have eight other devices each, with one more
        person on each: 301 nodes within four hops for ten."""
        for number in range(people):
            person = f"{name}-{number}"
            for other in range(8):
                device = f"{name}-{number}-{other}"
                self.use(device, f"{device}-a", person, held=4)
                self.use(device, f"{device}-b", f"{device}-other")
            self.use(name, f"{name}-{number}", person)
