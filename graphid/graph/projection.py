"""What a unit of work changes, as rows: of the fold's memory, and of the readable graph.

docs/graph.md tells how they are stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphid.graph.changes import Shift, log_rows
from graphid.graph.following import Following
from graphid.graph.memory import as_text, encode, refs_of
from graphid.graph.remembered import Stepped
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
from graphid.identity.values import OF_OPERATION, Evidence, IdentifierKey, Operation, Place
from graphid.identity.words import words_of_identifier, words_of_names

Row = dict[str, Any]

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

    def stepped_again(self) -> list[Row]:
        """Stored evidence with what it touches and links now."""
        return [
            {
                "place": place,
                "properties": {
                    "touched": [as_text(key) for key in stepped.touched],
                    "links": encode(list(stepped.links.values())),
                },
            }
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


def visitor_row(visitor: Visitor) -> Row:
    link = None if visitor.owner is None else visitor.link
    return {
        "id": visitor.id,
        "cookie": visitor.cookie,
        "properties": {
            "cookie": visitor.cookie,
            "opening": visitor.opening.value,
            "openedBy": visitor.opened_by,
            "start": visitor.start,
            "end": visitor.end,
            "startedAt": visitor.started_at,
            "endedAt": visitor.ended_at,
            "endedBy": visitor.ended_by,
            "identified": visitor.identified,
            "verified": visitor.verified,
            "attended": [moment for run in visitor.attended for moment in run],
            "unattendedAfter": visitor.unattended_after,
            "unattendedOwner": visitor.unattended_owner.value,
            "contact": None if link is None else link.target,
            "linkedAt": None if link is None else link.at,
        },
    }


def contact_row(contact: Contact) -> Row:
    return {
        "id": contact.id,
        "properties": {
            "source": contact.source or "identify",
            "sourceId": contact.source_id or contact.id,
            "state": "CURATED" if contact.curated else "IDENTIFIED",
            "assurance": int(contact.assurance),
            "made": contact.made,
            "madeAt": contact.made_at,
            "namedFor": contact.named_for,
            "evidence": contact.evidence,
            "isRecord": contact.source is not None and not contact.deleted,
            "traits": encode(contact.traits),
            "names": words_of_names(contact),
        },
    }


def identifier_row(key: IdentifierKey, ids: Ids) -> Row:
    type, _, value = key.partition(":")
    return {
        "key": key,
        "id": ids.identifier(key),
        "type": type,
        "value": value,
        "words": words_of_identifier(key),
    }


def review_row(review: Review) -> Row:
    states = {None: "OPEN", True: "ACCEPTED", False: "REJECTED"}
    return {
        "id": review.id,
        "properties": {
            "kind": review.kind.value,
            "state": states[review.accepted],
            "contacts": list(review.contacts),
            "identifier": review.identifier,
            "evidence": review.evidence,
            "at": review.at,
            "recordedAt": review.recorded_at,
            "position": f"{review.recorded_at:016d}{review.id}",
            "reason": review.reason,
            "decidedBy": review.decided_by,
        },
    }


def link_row(link: Link) -> Row:
    return {
        "id": link.id,
        "source": link.source,
        "target": link.target,
        "properties": properties_of(link),
    }


def properties_of(link: Link) -> Row:
    """The properties that a link has in the graph; what is not so has none."""
    properties = {
        "id": link.id,
        "state": link.state.value,
        "rule": link.rule,
        "assurance": int(link.assurance),
        "evidence": link.evidence,
        "actor": link.actor,
        "at": link.at,
        "recordedAt": link.recorded_at,
        "reach": link.reach,
        "endedAt": link.ended_at,
        "endedBy": link.ended_by,
        "retractedAt": link.retracted_at,
        "retractedBy": link.retracted_by,
        "reason": link.reason,
        "toldOf": link.target if _is_told(link) else None,
    }
    return {name: value for name, value in properties.items() if value is not None}


def _is_told(link: Link) -> bool:
    """Whether an operator gave a visitor to the contact, or took one: a journey tells of that, and
    has to find it among very many visitors."""
    if link.kind is not LinkKind.IDENTIFIED_AS:
        return False
    return link.rule == "MERGED" or (link.retracted_by or "").endswith(OF_OPERATION)
