"""Evidence, folded in memory in its order, as rows: who is who, and the fold's own memory.

The rows are those that a unit of work writes for one piece of evidence after the other
(``graphid/graph/projection.py``): of nodes, links and States what is so in the end, of touches,
evidence and changes what each step did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphid.graph.changes import Shift, log_rows
from graphid.graph.following import touched_by
from graphid.graph.loading.tables import Table
from graphid.graph.memory import as_text, encode, refs_of
from graphid.graph.projection import device_of, shared_since, visitors_in
from graphid.graph.remembered import ABSENT, NEVER, Present, Repetition
from graphid.graph.repetitions import repetition_row
from graphid.graph.rows import (
    Row,
    contact_row,
    evidence_as_row,
    identifier_row,
    link_row,
    review_row,
    visitor_row,
)
from graphid.identity.fold import step
from graphid.identity.ids import Ids
from graphid.identity.policy import Policy
from graphid.identity.repetition import may_repeat, repeated
from graphid.identity.state import (
    Identifier,
    Key,
    Link,
    LinkKind,
    Person,
    Review,
    Value,
    Visitor,
)
from graphid.identity.values import Evidence, Micros, Place, message_of
from graphid.identity.view import View

NUMBERED = ("Visitor", "Contact", "Identifier", "Person", "Review")


Mark = tuple[str, Place]
"""The id of a repetition, and where it is said again: two properties of an event."""


@dataclass(slots=True)
class _Kept:
    """A key as it is: its value, who wrote it, and who touched it last."""

    value: Value | None = None
    wrote: Place = NEVER
    touched: Place = NEVER
    repeated: Place | None = None
    """The last repetition that rests on it."""

    @property
    def present(self) -> Present:
        return Present(self.value, self.wrote, self.touched)


class _State:
    """All that the fold knows."""

    def __init__(self) -> None:
        self.kept: dict[Key, _Kept] = {}

    def get(self, key: Key, /) -> Value | None:
        kept = self.kept.get(key)
        return None if kept is None else kept.value

    def peek(self, key: Key, /) -> Value | None:
        return None if key[0] == "link" else self.get(key)  # each that is put is told of

    def present(self, key: Key) -> Present:
        kept = self.kept.get(key)
        return ABSENT if kept is None else kept.present


@dataclass
class Known:
    """What whoever writes cookies and devices has to know. ``shared``: since when a device is."""

    cookies: set[str] = field(default_factory=set)
    """On which somebody was identified."""
    visitors: dict[str, list[int]] = field(default_factory=dict)
    """Of cookies, the numbers of their visitors."""
    births: set[str] = field(default_factory=set)
    """Cookies whose first visitor is among these."""
    shared: dict[str, Place] = field(default_factory=dict)
    marks: dict[str, dict[str, Mark]] = field(default_factory=dict)
    """How events are marked that only say again what is so: by cookie and message id."""
    changes: int = 0


class Folding:
    """Folds evidence that comes in its order, and writes the rows into a folder.

    ``recorded_at``: when the changes were written, as the log tells.
    """

    def __init__(self, folder: Path, policy: Policy, ids: Ids, recorded_at: Micros) -> None:
        self._folder = folder
        self._policy = policy
        self._ids = ids
        self._recorded_at = recorded_at
        self._state = _State()
        self._links: dict[str, Link] = {}
        self._known = Known()
        self._mentions = 0
        self._repetitions: dict[str, Row] = {}

    def run(
        self,
        evidence: Iterable[tuple[Evidence, str]],
        advance: Callable[[int], None] = lambda count: None,
    ) -> Known:
        """Fold it all, each piece with the digest of its content, and write what came of it."""
        with ExitStack() as stack:

            def table(name: str) -> Table:
                return stack.enter_context(Table(self._folder, name, "fold"))

            self._evidence, self._touches = table("Evidence"), table("Touch")
            self._changes, self._mentioned = table("Change"), table("ChangeMention")
            self._touched = 0
            for number, (piece, digest) in enumerate(evidence):
                self._step(number, piece, digest)
                if number % 1000 == 999:
                    advance(1000)
            self._write(table)
            self._write_repetitions(table("Repetition"))
        return self._known

    def _step(self, number: int, piece: Evidence, digest: str) -> None:
        if self._repeats(piece):
            return
        state, place = self._state, piece.place
        view = View(state)
        outcome = step(view, piece, self._policy, self._ids)
        changes = view.changes()
        links = {key[1]: link for key, link in changes.items() if isinstance(link, Link)}
        writes = {key: value for key, value in changes.items() if key[0] != "link"}
        touched = touched_by(view, piece).union(writes)
        self._log(piece, view, writes, links)
        for key in touched:
            kept = state.kept.get(key)
            if kept is None:
                kept = state.kept[key] = _Kept()
            kept.touched = place
            value = writes.get(key)
            text = None if value is None else encode(value)
            self._touches.add(self._touched, as_text(key), place, key in writes, text)
            self._touched += 1
        for key, written in writes.items():
            kept = state.kept[key]
            kept.value, kept.wrote = written, place
            self._note(key, written, place)
        self._links |= links
        row = evidence_as_row(piece, outcome, digest) | {
            "touched": [as_text(key) for key in touched],
            "links": encode(list(links.values())),
        }
        self._evidence.put(number, row=row)

    def _repeats(self, piece: Evidence) -> bool:
        """Whether it only says again what is so, and is noted as that."""
        if not may_repeat(piece):
            return False
        view = View(self._state)
        contact = repeated(view, piece, self._policy, self._ids)
        if contact is None:
            return False
        repetition = Repetition(piece, contact, touched_by(view, piece))
        row = repetition_row(repetition, self._ids)
        self._repetitions[row["id"]] = row
        marks = self._known.marks.setdefault(piece.cookie, {})
        marks[message_of(piece.id)] = (row["id"], piece.place)
        for key in repetition.touched:
            if key in self._state.kept:
                self._state.kept[key].repeated = piece.place
        return True

    def _note(self, key: Key, value: Value | None, place: Place) -> None:
        if (device := device_of(key)) is not None and shared_since(value, place) is not None:
            self._known.shared.setdefault(device, place)
        for visitor in visitors_in({key: value}).values():
            if visitor.owner is not None:
                self._known.cookies.add(visitor.cookie)

    # ------------------------------------------------------------------ the log

    def _log(
        self,
        piece: Evidence,
        view: View,
        writes: Mapping[Key, Value | None],
        links: Mapping[str, Link],
    ) -> None:
        """What changes of who is who, as a unit of work with this one piece tells it."""
        if not writes:
            return
        before = {key: self._state.get(key) for key in writes}
        present = {
            key: self._state.present(key) for key in (*view.reads, *writes) if key[0] != "link"
        }
        were, are = visitors_in(before), visitors_in(dict(writes))
        for visitor in (*were.values(), *are.values()):
            self._meet(visitor.owner, writes, present)
        shift = Shift(self._ids, piece, present, before, writes, were, are, links)
        for row in log_rows(shift, {}, piece.id):
            self._known.changes += 1
            number = self._known.changes
            self._changes.put(
                number, row=row | {"sequence": number, "recordedAt": self._recorded_at}
            )
            for subject in row["concerns"]:
                self._mentioned.add(self._mentions, subject, number)
                self._mentions += 1

    def _meet(
        self, contact: str | None, writes: Mapping[Key, Value | None], present: dict[Key, Present]
    ) -> None:
        """Have at hand whose contact it was, and whose it is."""
        for values in ({}, writes):
            name = contact
            while name is not None:
                key: Key = ("person", name)
                present.setdefault(key, self._state.present(key))
                person = values.get(key) or present[key].value
                name = person.merged_into if isinstance(person, Person) else None

    # ------------------------------------------------------------------ what is so in the end

    def _write(self, table: Callable[[str], Table]) -> None:
        numbers: dict[str, dict[str, int]] = {name: {} for name in NUMBERED}
        tables = {name: table(name) for name in (*NUMBERED, "State")}
        belongs, merged = table("BELONGS_TO"), table("MERGED_INTO")
        concerns = table("CONCERNS")

        def put(name: str, id: str, row: Mapping[str, Any]) -> int:
            found = numbers[name]
            if id not in found:
                found[id] = len(found)
                tables[name].put(found[id], row=row)
            return found[id]

        aliases: list[tuple[int, str]] = []
        reviews: list[tuple[int, Review]] = []
        for number, (key, kept) in enumerate(self._state.kept.items()):
            value = kept.value
            row = {
                "key": as_text(key),
                "place": kept.touched,
                "wrote": kept.wrote or None,
                "repeated": kept.repeated,
                "value": None if value is None else encode(value),
                "refs": refs_of(value),
            }
            tables["State"].put(number, row=row)
            for visitor in visitors_in({key: value}).values():
                self._visitor(visitor, put)
            match value:
                case Identifier():
                    put("Identifier", key[1], identifier_row(key[1], self._ids))
                case Person(merged_into=str() as into):
                    id = self._ids.person(key[1])
                    aliases.append((put("Person", id, {"id": id}), self._ids.person(into)))
                case Person():
                    id = self._ids.person(key[1])
                    person = put("Person", id, {"id": id})
                    for contact in value.contacts:
                        said = contact_row(contact)
                        row = {"id": contact.id, **said["properties"]}
                        belongs.add(put("Contact", contact.id, row), person)
                case Review():
                    said = review_row(value)
                    row = {"id": value.id, **said["properties"]}
                    reviews.append((put("Review", value.id, row), value))
                case _:
                    pass
        for person, into in aliases:
            merged.add(person, numbers["Person"][into])
        for number, review in reviews:
            for id in dict.fromkeys(review.contacts):
                if id in numbers["Contact"]:
                    concerns.add(number, numbers["Contact"][id])
        self._write_links(table, numbers)

    def _write_repetitions(self, table: Table) -> None:
        for number, row in enumerate(self._repetitions.values()):
            table.put(number, row={"id": row["id"], "last": row["last"], **row["properties"]})

    def _visitor(self, visitor: Visitor, put: Callable[[str, str, Mapping[str, Any]], int]) -> None:
        said = visitor_row(visitor)
        number = put("Visitor", visitor.id, {"id": visitor.id, **said["properties"]})
        self._known.visitors.setdefault(visitor.cookie, []).append(number)
        if visitor.id == self._ids.birth(visitor.cookie):
            self._known.births.add(visitor.cookie)

    def _write_links(
        self, table: Callable[[str], Table], numbers: Mapping[str, Mapping[str, int]]
    ) -> None:
        ends = {
            LinkKind.IDENTIFIED_AS: ("Visitor", "Contact"),
            LinkKind.HAS_IDENTIFIER: ("Contact", "Identifier"),
            LinkKind.SAME_AS: ("Contact", "Contact"),
        }
        tables = {kind: table(kind.value) for kind in ends}
        for link in self._links.values():
            start, end = ends[link.kind]
            source, target = numbers[start][link.source], numbers[end][link.target]
            tables[link.kind].put(source, target, row=link_row(link)["properties"])
