"""What a unit of work changes, as rows: of the fold's memory, and of the readable graph.

docs/graph.md tells how they are stored.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphid.graph.changes import Shift, log_rows
from graphid.graph.following import Following
from graphid.graph.memory import as_text, encode, refs_of
from graphid.graph.remembered import Mark, Stepped
from graphid.graph.repetitions import kept_rests
from graphid.graph.rows import (
    Row,
    contact_row,
    evidence_as_row,
    identifier_row,
    link_row,
    review_row,
    visitor_row,
)
from graphid.identity.ids import Ids
from graphid.identity.people import replace
from graphid.identity.state import (
    Contact,
    Cookie,
    Decided,
    Device,
    Identifier,
    Key,
    Link,
    LinkKind,
    Person,
    Review,
    Value,
    Visitor,
)
from graphid.identity.values import Evidence, Operation, Place, message_of

REFOLDED = "REFOLDED"
"""``reason`` of a link that the fold no longer makes."""

LINK_ROWS = {
    LinkKind.IDENTIFIED_AS: "identifiedAs",
    LinkKind.HAS_IDENTIFIER: "hasIdentifier",
    LinkKind.SAME_AS: "sameAs",
    LinkKind.NOT_SAME_AS: "notSameAs",
}


class Difference:
    """What a unit of work on the fold changed.

    ``cause``: the evidence that brought it about, which links that are made no more name; None
    where nothing new did, and ``by`` names it instead.
    """

    def __init__(
        self, following: Following, ids: Ids, cause: Evidence | None, *, by: str = REFOLDED
    ) -> None:
        self._ids = ids
        self._cause = cause
        self._by = by
        self._steps = following.steps
        self._marks = following.marks
        self._kept = following.kept
        self._after = following.after()
        self._present = following.present
        self.before: dict[Key, Value | None] = {
            key: following.present[key].value for key in self._after
        }
        """The values of the keys that were written, as they were."""
        self.after: dict[Key, Value | None] = {
            key: version.value for key, version in self._after.items()
        }
        self.visitors = visitors_in(self.after)
        self.contacts = contacts_in(self.after)
        self._former_visitors = visitors_in(self.before)
        self._former_contacts = contacts_in(self.before)
        self.links: dict[str, Link] = dict(self._changed_links())

    # ------------------------------------------------------------------ the fold's memory

    def touches(self) -> list[Row]:
        """The keys that the steps read and wrote, where that is new, with the versions."""
        return [
            {
                "key": as_text(key),
                "place": place,
                "wrote": key in stepped.writes,
                "value": _text(stepped.writes.get(key)),
            }
            for place, stepped in self._steps.items()
            for key in stepped.touched
            if not _is_as_before(key, stepped)
        ]

    def untouched(self) -> list[Row]:
        """The touches of earlier steps that are no longer so."""
        return [
            {"key": as_text(key), "place": place}
            for place, stepped in self._steps.items()
            if stepped.before is not None
            for key in stepped.before.touched
            if not _is_as_before(key, stepped)
        ]

    def states(self) -> list[Row]:
        """Every key that was touched, with what is otherwise new of it."""
        last: dict[Key, Place] = {}
        for place, stepped in self._steps.items():
            for key in stepped.touched:
                last[key] = max(place, last.get(key, place))
        for key, version in self._after.items():
            last.setdefault(key, version.wrote)
        return [
            {"key": as_text(key), "place": place, "properties": self._state(key)}
            for key, place in last.items()
        ]

    def _state(self, key: Key) -> Row:
        version = self._after.get(key)
        if version is None:
            return {}
        return {
            "wrote": version.wrote,
            "value": _text(version.value),
            "refs": refs_of(version.value),
        }

    def evidence(self, piece: Evidence, digest: str | None) -> Row:
        """Evidence that was not stored as such before, with what its step touched and linked."""
        stepped = self._steps[piece.place]
        assert stepped.outcome is not None
        return evidence_as_row(piece, stepped.outcome, digest) | _step_row(stepped)

    @property
    def _evident(self) -> list[Mark]:
        """Marks that are evidence from now on: they no longer repeat what is so."""
        return [mark for place, mark in self._marks.items() if place in self._steps]

    def stepped_again(self) -> list[Row]:
        """Stored evidence with what it touches and links now."""
        return [
            {"place": place, "properties": _step_row(stepped)}
            for place, stepped in self._steps.items()
            if stepped.before is not None and stepped.outcome is not None
        ]

    # ------------------------------------------------------------------ links

    def _changed_links(self) -> Iterator[tuple[str, Link]]:
        """Links as they now are, where steps changed what they write of them."""
        last: dict[str, Stepped] = {}
        newest: dict[str, Link] = {}
        for stepped in self._steps.values():
            links_before = {} if stepped.before is None else stepped.before.links
            for id in {**links_before, **stepped.links}:
                last[id] = stepped
            newest.update(stepped.links)
        for id, stepped in last.items():
            former = None if stepped.before is None else stepped.before.links.get(id)
            link = stepped.links.get(id)
            if link is None:
                # It wrote the link, and does so no more: what an earlier step says of it counts.
                assert former is not None
                link = newest.get(id) or self._standing(former) or self._unmade(former)
            if link != former:
                yield id, link

    def _standing(self, link: Link) -> Link | None:
        """The link as the values have it now."""
        if link.kind is LinkKind.IDENTIFIED_AS:
            visitor = self.visitors.get(link.source)
            found = None if visitor is None else visitor.link
            return found if found is not None and found.id == link.id else None
        contact = self.contacts.get(link.source)
        if contact is None:
            return None
        if link.kind is LinkKind.HAS_IDENTIFIER:
            hold = contact.holds.get(link.target)
            return hold.link if hold is not None and hold.link.id == link.id else None
        return next((same for same in contact.same_as if same.id == link.id), None)

    def _unmade(self, link: Link) -> Link:
        """The link as one that the fold no longer makes."""
        cause = self._cause
        reason = cause.reason if isinstance(cause, Operation) else REFOLDED
        return replace(
            link,
            retracted_at=link.recorded_at if cause is None else cause.recorded_at,
            retracted_by=REFOLDED if cause is None else cause.id,
            reason=reason or REFOLDED,
        )

    # ------------------------------------------------------------------ nodes

    def rows(self) -> dict[str, list[Row]]:
        """The rows of ``evidence/write_changes`` that say what changed."""
        rows: dict[str, list[Row]] = {
            "evidence": [self.evidence(mark.piece, mark.digest) for mark in self._evident],
            "touches": self.touches(),
            "states": self.states(),
            "visitors": [
                visitor_row(visitor)
                for id, visitor in self.visitors.items()
                if self._former_visitors.get(id) != visitor
            ],
            "contacts": [
                contact_row(contact)
                for id, contact in self.contacts.items()
                if self._former_contacts.get(id) != contact
            ],
            "devices": list(self._devices()),
            "identifiers": [],
            "people": [],
            "aliases": [],
            "reviews": [],
            **{name: [] for name in LINK_ROWS.values()},
        }
        for key, value in self.after.items():
            before = self.before[key]
            match value:
                case Identifier() if before is None:
                    rows["identifiers"].append(identifier_row(key[1], self._ids))
                case Person(merged_into=str() as into) if before != value:
                    alias = {"id": self._ids.person(key[1]), "into": self._ids.person(into)}
                    rows["aliases"].append(alias)
                case Person(merged_into=None) if not _are_the_same(before, value):
                    members = [contact.id for contact in value.contacts]
                    rows["people"].append({"id": self._ids.person(key[1]), "contacts": members})
                case Review() if before != value:
                    rows["reviews"].append(review_row(value))
                case _:
                    pass
        for link in self.links.values():
            rows[LINK_ROWS[link.kind]].append(link_row(link))
        rows["log"] = self._log()
        return rows

    def _devices(self) -> Iterator[Row]:
        """Since when devices count as shared, where that is new."""
        for key, (wrote, value) in self._after.items():
            id = device_of(key)
            before = self._present[key]
            since = shared_since(value, wrote)
            if id is not None and since != shared_since(before.value, before.wrote):
                yield {"id": id, "sharedSince": since}

    def _log(self) -> list[Row]:
        """What changes of who is who."""
        shift = Shift(
            self._ids,
            self._cause,
            self._present,
            self.before,
            self.after,
            self._former_visitors,
            self.visitors,
            self.links,
        )
        return log_rows(shift, self._steps, self._by)

    def refold(self) -> Row:
        """The rows of ``evidence/write_refold``: what is stepped again, and no longer made."""
        gone = [key for key, value in self.after.items() if value is None]
        return {
            "evidence": self.stepped_again(),
            "evident": [message_of(mark.piece.id) for mark in self._evident],
            "rests": kept_rests(self._kept, self._marks),
            "untouched": self.untouched(),
            "visitors": list(self._former_visitors.keys() - self.visitors.keys()),
            "contacts": list(self._former_contacts.keys() - self.contacts.keys()),
            "people": [self._ids.person(id) for kind, id in gone if kind == "person"],
            "reviews": [id for kind, id in gone if kind == "review"],
            "rejected": [
                {"id": key[1], "by": value.by}
                for key, value in self.after.items()
                if isinstance(value, Decided)
            ],
            "undecided": [id for kind, id in gone if kind == "decided"],
        }


def _step_row(stepped: Stepped) -> Row:
    """What an Evidence node keeps of its step."""
    return {
        "touched": [as_text(key) for key in stepped.touched],
        "links": encode(list(stepped.links.values())),
    }


def visitors_in(values: dict[Key, Value | None]) -> dict[str, Visitor]:
    """The visitors that these values hold, by id."""
    found = (value.visitor if isinstance(value, Cookie) else value for value in values.values())
    return {visitor.id: visitor for visitor in found if isinstance(visitor, Visitor)}


def contacts_in(values: dict[Key, Value | None]) -> dict[str, Contact]:
    """The contacts that these values hold, by id."""
    return {
        contact.id: contact
        for value in values.values()
        if isinstance(value, Person)
        for contact in value.contacts
    }


def _is_as_before(key: Key, stepped: Stepped) -> bool:
    """Whether a step touches a key as it did when it was last stepped."""
    before = stepped.before
    if before is None or key not in before.touched or key not in stepped.touched:
        return False
    if (key in before.writes) != (key in stepped.writes):
        return False
    return before.writes.get(key) == stepped.writes.get(key)


def _are_the_same(before: Value | None, after: Person) -> bool:
    """Whether a person has the contacts that they had."""
    return (
        isinstance(before, Person)
        and before.merged_into is None
        and {contact.id for contact in before.contacts} == {c.id for c in after.contacts}
    )


def _text(value: Value | None) -> str | None:
    return None if value is None else encode(value)


def device_of(key: Key) -> str | None:
    """The device that a key is of; None for the others, and for a cookie without a device."""
    kind, _, id = key[1].partition(":")
    return id if (key[0], kind) == ("device", "device") else None


def shared_since(value: Value | None, wrote: Place) -> Place | None:
    """The place of what made a device shared: once it is, nothing writes it again."""
    return wrote if isinstance(value, Device) and value.shared else None
