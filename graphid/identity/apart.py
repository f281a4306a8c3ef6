"""NOT_SAME_AS: whom judgements keep apart (model.md, unmerge, sever of an identifier, reviews).

A judgement names contacts and identifiers, and stands before everything else: it may name what
does not exist yet. So it is written under the name of each party (:func:`token`); a contact or
a hold takes up what was judged of it when it is made, and two people are compared by what theirs
took up.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphid.identity.ids import Ids
from graphid.identity.people import People, Someone
from graphid.identity.state import (
    Apart,
    Link,
    LinkKind,
    Party,
)
from graphid.identity.values import (
    Assurance,
    ContactAnchor,
    IdentifierAnchor,
    IdentifierKey,
    Micros,
    Side,
)
from graphid.identity.view import View


def party_of(anchor: ContactAnchor | IdentifierAnchor, ids: Ids) -> Party:
    """What an anchor names. An identifier stands for the contact that it would have made, so a
    contact that has its name from an identifier is named by both."""
    if isinstance(anchor, IdentifierAnchor):
        return Party(identifier=anchor.identifier)
    if anchor.named_for is None or ids.contact(anchor.named_for) != anchor.contact:
        return Party(contact=anchor.contact)
    return Party(contact=anchor.contact, identifier=anchor.named_for)


def token(party: Party) -> str:
    """The name under which a judgement of a party is kept."""
    return party.identifier or party.contact or ""


def pairs(sides: tuple[Side, ...], ids: Ids) -> Iterator[tuple[Party, Party]]:
    """Each party of a side with each of every other side."""
    for n, side in enumerate(sides):
        for other_side in (*sides[:n], *sides[n + 1 :]):
            for anchor in side:
                for other in other_side:
                    yield party_of(anchor, ids), party_of(other, ids)


def link_of(apart: Apart, ids: Ids) -> Link | None:
    """The NOT_SAME_AS link that says so to a reader; None unless it is between two contacts."""
    if apart.own.contact is None or apart.other.contact is None:
        return None
    source, target = sorted((apart.own.contact, apart.other.contact))
    return Link(
        id=ids.link(LinkKind.NOT_SAME_AS, apart.by, source, target),
        kind=LinkKind.NOT_SAME_AS,
        source=source,
        target=target,
        rule="KEPT_APART",
        assurance=Assurance.ASSERTED,
        evidence=apart.by,
        at=apart.recorded_at,
        recorded_at=apart.recorded_at,
        actor=apart.actor,
    )


def judged_of(view: View, name: str) -> tuple[Apart, ...]:
    """What judgements say of an identifier, or of a contact that none names."""
    found = view.find("judged", name)
    return () if found is None else found.apart


class Separations:
    """The judgements that keep the people of one step apart; ``recorded_at``: when its evidence
    was."""

    def __init__(self, view: View, people: People, recorded_at: Micros) -> None:
        self._view = view
        self._people = people
        self._recorded_at = recorded_at

    def between(self, someone: Someone, other: Someone) -> list[Apart]:
        """The judgements that keep two people apart."""
        return [
            apart
            for apart in _taken_up(someone)
            if self._stands(apart, someone, other)
            and self._is(apart, apart.own, someone)
            and self._is(apart, apart.other, other)
        ]

    def from_identifier(self, someone: Someone, identifier: IdentifierKey) -> list[Apart]:
        """The judgements by which a person may not come to hold an identifier."""
        return [
            apart
            for apart in judged_of(self._view, identifier)
            if self._stands(apart, someone)
            and self._stands_for(apart, apart.own)
            and self._is(apart, apart.other, someone)
        ]

    def from_contact(self, someone: Someone, contact: str) -> list[Apart]:
        """The judgements by which a contact that is yet to be made is not this person's."""
        return [
            apart
            for apart in judged_of(self._view, contact)
            if self._stands(apart, someone)
            and not self._goes_on(apart)
            and self._is(apart, apart.other, someone)
        ]

    def _stands(self, apart: Apart, *people: Someone) -> bool:
        """Whether no later merge overruled the judgement."""
        return not any(
            apart in contact.cleared for someone in people for contact in someone.contacts.values()
        )

    def _goes_on(self, apart: Apart) -> bool:
        """Whether the evidence kept the two apart by itself, before a merge that was taken back."""
        return apart.undoes and self._recorded_at <= apart.recorded_at

    def _is(self, apart: Apart, party: Party, someone: Someone) -> bool:
        """Whether a judgement's party is, or belongs to, this person."""
        if party.contact is not None and party.contact in someone.contacts:
            return True
        identifier = party.identifier
        return (
            identifier is not None
            and identifier in someone.identifiers
            and self._stands_for(apart, party)
        )

    def _stands_for(self, apart: Apart, party: Party) -> bool:
        """Whether its identifier stands for a party: not, where the contact that is named for it
        exists without it."""
        if party.contact is None:
            return True
        if self._goes_on(apart):
            return False
        someone = self._people.find(party.contact)
        return someone is None or party.identifier in someone.contacts[party.contact].holds


def _taken_up(someone: Someone) -> Iterator[Apart]:
    for contact in someone.contacts.values():
        yield from contact.apart
        for hold in contact.holds.values():
            yield from hold.apart
