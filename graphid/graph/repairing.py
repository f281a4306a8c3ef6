"""Writing what the evidence says, where the graph says something else.

Each transaction locks what it is about, looks again, and writes what differs then; so it may run
beside a live service.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from graphid.graph.changes import Change, ChangeKind
from graphid.graph.checks import Subject
from graphid.graph.checks_of_marks import mark_in
from graphid.graph.checks_of_memory import PENDING, Pieces, header_of, piece_of
from graphid.graph.checks_of_nodes import Devices, Visitors, is_in_place, name_of
from graphid.graph.database import Unit
from graphid.graph.evidence import NO_EVENTS, WRITE_CHANGES
from graphid.graph.memory import encode, from_text, refs_of
from graphid.graph.projection import LINK_ROWS, REFOLDED
from graphid.graph.queries import query
from graphid.graph.remembered import Mark
from graphid.graph.repetitions import NO_REPETITIONS
from graphid.graph.rows import (
    Row,
    contact_row,
    evidence_as_row,
    identifier_row,
    link_row,
    properties_of,
    review_row,
    visitor_row,
)
from graphid.graph.verifying import AT_ONCE, PATIENCE, Finding, Looked, Verification, batched
from graphid.identity.outcome import Outcome
from graphid.identity.state import Link, LinkState, Person, Review, Visitor
from graphid.identity.values import Place, message_of

WRITE_REPAIR = query("verify/write_repair")

REPAIR_ID = "repair"
"""What the log of changes names as the evidence of a repair."""

REPAIR = (
    *("evidence", "marks", "touches", "untouched", "states", "unmade", "visitors", "used"),
    "contacts",
    *("people", "reviews", "obsolete", "identifiers", "stray", "severed", "links"),
)
"""The rows of ``verify/write_repair``."""

CHANGES = (
    *("evidence", "touches", "states", "visitors", "devices", "contacts", "identifiers"),
    *("people", "aliases", "reviews", *LINK_ROWS.values(), "log"),
)
"""The rows of ``evidence/write_changes``."""


async def repair(verification: Verification) -> AsyncIterator[Finding]:
    """Mend what differs, of what seemed to; each difference once it is mended."""
    verification.progress.begin("of what differs", len(verification.suspects))
    for subjects in batched(verification.suspects, AT_ONCE):

        async def work(unit: Unit, subjects: Any = subjects) -> list[Looked]:
            looked = [one for one in await verification.look_again(unit, subjects) if one.faults]
            if looked:
                rows = Repair(verification, looked)
                await unit.run(WRITE_REPAIR, repair=rows.repair)
                await unit.run(
                    WRITE_CHANGES,
                    batch=NO_EVENTS,
                    repetitions=rows.repetitions,
                    changes=rows.changes,
                )
            return looked

        for looked in await verification.database.write(work, timeout=PATIENCE):
            for text in looked.faults:
                yield Finding(looked.subject, text)
        verification.progress.advance(len(subjects))


class Repair:
    """What mends some subjects: the rows of ``verify/write_repair``, and those of
    ``evidence/write_changes``, which come after."""

    def __init__(self, verification: Verification, looked: list[Looked]) -> None:
        self._folded = verification.folded
        self._marks = verification.marks
        self._ids = verification.ids
        self.repair: dict[str, list[Any]] = {name: [] for name in REPAIR}
        self.changes: dict[str, list[Any]] = {name: [] for name in CHANGES}
        self.repetitions: dict[str, list[Any]] = {name: [] for name in NO_REPETITIONS}
        for subject, row, _ in looked:
            self._mend(subject, row)
        self.changes["log"] = [
            repaired.as_row(REPAIR_ID, index) for index, repaired in enumerate(self._repaired())
        ]

    def _repaired(self) -> Iterator[Change]:
        """Whoever is said anew to be somebody. Who they were before, nobody knows for sure."""
        for row in self.changes["people"]:
            moved = {contact: (row["id"], contact) for contact in row["contacts"]}
            yield Change(ChangeKind.REPAIRED, row["id"], moved=moved)
        for row in self.changes["aliases"]:
            yield Change(ChangeKind.REPAIRED, row["into"], previous={row["id"]: None})
        for row in self.changes["identifiedAs"]:
            visitor = self._folded.visitor(row["source"])
            found = self._folded.contact((visitor and visitor.owner) or "")
            if visitor is not None and found is not None:
                person = self._ids.person(found[1])
                moved = {visitor.id: (person, found[0].id)}
                yield Change(ChangeKind.REPAIRED, person, moved=moved)

    def _mend(self, subject: Subject, row: list[Any] | None) -> None:
        id = subject.id
        match subject.kind:
            case "evidence":
                self._evidence(row)
            case "mark" if row is not None:
                self._mark(mark_in(row))
            case "touch":
                self._touch(id, subject.place)
            case "state":
                self._state(id)
            case "visitor":
                self._visitor(id, row)
            case "contact":
                self._contact(id, row)
            case "person":
                self._person(id)
            case "identifier":
                self.repair["identifiers"].append(identifier_row(id, self._ids))
            case "review":
                self._review(id)
            case "device":
                since = Devices(self._folded).since(id)
                self.changes["devices"].append({"id": id, "sharedSince": since})
            case "cookie" if row is not None:
                self._cookie(id, row)

    # ------------------------------------------------------------------ the fold's memory

    def _evidence(self, row: list[Any] | None) -> None:
        piece = None if row is None else piece_of(row)
        if row is None or piece is None:
            return  # nobody knows what it said
        touched, links = Pieces(self._folded).told(row[0], is_pending=row[PENDING] is not None)
        properties = header_of(piece) | {"touched": touched, "links": encode(links)}
        self.repair["evidence"].append({"id": row[0], "properties": properties})

    def _mark(self, mark: Mark) -> None:
        """What does not repeat what is so is evidence, and its job says what follows from it."""
        piece, repeats = mark.piece, self._marks.repeats(mark)
        as_said = {"repetition": mark.repetition, "said": piece.place}
        as_evidence = {"repetition": None, "said": None}
        properties = as_said if repeats else as_evidence
        self.repair["marks"].append({"id": message_of(piece.id), "properties": properties})
        if repeats:
            node = {"id": mark.repetition, "properties": {}, "last": piece.place}
            self.repetitions["nodes"].append(node)
        else:
            waiting = {"touched": [], "links": "[]", "pendingSince": piece.recorded_at}
            row = evidence_as_row(piece, Outcome(), mark.digest) | waiting
            self.changes["evidence"].append(row)

    def _touch(self, text: str, place: Place) -> None:
        self.repair["untouched"].append({"key": text, "place": place})
        history = self._folded.history(from_text(text))
        if place not in history.touched:
            return
        written = history.at(place)
        value = None if written is None else written[1]
        self.repair["touches"].append(
            {
                "key": text,
                "place": place,
                "wrote": written is not None,
                "value": None if value is None else encode(value),
            }
        )

    def _state(self, text: str) -> None:
        value, wrote, touched = self._folded.history(from_text(text)).present
        rested = self._folded.history(from_text(text)).rested
        properties = {
            "value": None if value is None else encode(value),
            "refs": refs_of(value),
            "wrote": wrote,
            "place": touched,
        }
        if rested:
            self.repetitions["rests"].append({"key": text, "place": rested})
        self.repair["states"].append({"key": text, "properties": properties})

    # ------------------------------------------------------------------ what is read

    def _visitor(self, id: str, row: list[Any] | None) -> None:
        properties: Row = {} if row is None else row[1]
        visitor = self._folded.visitor(id) or Visitors(self._folded).born(id, properties)
        if visitor is None:
            self.repair["unmade"].append(id)
        else:
            self._write_visitor(visitor)
        self._links(id, [] if row is None else row[3])

    def _write_visitor(self, visitor: Visitor) -> None:
        self.repair["visitors"].append(visitor.id)
        self.changes["visitors"].append(visitor_row(visitor))

    def _cookie(self, id: str, row: list[Any]) -> None:
        if row[1] == 0:
            birth = self._ids.birth(id)
            self._write_visitor(self._folded.visitor(birth) or Visitor(birth, id))
        if row[2]:
            self.repair["used"].append(id)

    def _contact(self, id: str, row: list[Any] | None) -> None:
        self.repair["contacts"].append(id)
        found = self._folded.contact(id)
        if found is not None:
            contact, name = found
            self.changes["contacts"].append(contact_row(contact))
            self.changes["people"].append({"id": self._ids.person(name), "contacts": [id]})
        self._links(id, [] if row is None else row[3])

    def _person(self, id: str) -> None:
        person = self._folded.value(("person", name_of(id)))
        self.repair["people"].append(id)
        if isinstance(person, Person) and person.merged_into is not None:
            into = self._ids.person(person.merged_into)
            self.changes["aliases"].append({"id": id, "into": into})
        elif person is not None:
            self.changes["people"].append({"id": id, "contacts": []})

    def _review(self, id: str) -> None:
        review = self._folded.value(("review", id))
        if isinstance(review, Review):
            self.repair["reviews"].append(id)
            self.changes["reviews"].append(review_row(review))
        else:
            self.repair["obsolete"].append(id)

    def _links(self, source: str, rows: list[tuple[str, Row, str]]) -> None:
        """The links that go out from a visitor or a contact."""
        in_place: dict[str, Row] = {}
        for type, properties, target in rows:
            id = properties.get("id") or ""
            link = self._folded.link(id)
            at = {"source": source, "type": type, "id": id}
            if is_in_place(link, source, type, target):
                in_place[id] = properties
            elif link is not None or not id:
                self.repair["stray"].append(at)
                if link is not None:
                    self._write_link(link)
            elif properties.get("state") != LinkState.SEVERED or not properties.get("retractedBy"):
                self.repair["severed"].append(at | {"by": REFOLDED})
        for link in self._folded.links_of(source):
            if in_place.get(link.id) != properties_of(link):
                self._write_link(link)

    def _write_link(self, link: Link) -> None:
        row = link_row(link)
        self.repair["links"].append({name: row[name] for name in ("id", "source", "target")})
        self.changes[LINK_ROWS[link.kind]].append(row)
