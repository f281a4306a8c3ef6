"""An operator at work: looks at what the fold says, and says operations as the service does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from graphid.identity.attribution import Attribution, attribute
from graphid.identity.fold import Resolved, step
from graphid.identity.proposals import anchor_of, anchor_of_visitor, sides_of
from graphid.identity.state import (
    Contact,
    Identifier,
    Link,
    LinkKind,
    Person,
    Review,
    Visitor,
)
from graphid.identity.values import (
    Anchor,
    Block,
    ContactAnchor,
    Erase,
    IdentifierAnchor,
    IdentifierKey,
    KeepApart,
    Merge,
    Micros,
    Place,
    Placed,
    Promote,
    Restore,
    Sever,
    Side,
)
from graphid.identity.view import View

P = TypeVar("P", bound=Placed)


class Refused(Exception):
    """The operation means nothing, or would do nothing: it is not recorded."""


@dataclass(frozen=True)
class Operator:
    """One act: of whom ``resolved`` shows, under the message id ``id``, at a time."""

    resolved: Resolved
    id: str
    at: Micros

    # ------------------------------------------------------------------ looking

    def look(self, cookie: str, at: Place) -> tuple[Visitor, Attribution]:
        """Whose an event is."""
        visitor = self.resolved.visitor_at(cookie, at)
        return visitor, attribute(visitor, at)

    def whose(self, cookie: str, at: Place) -> Anchor:
        """The owner of an event: the contact that its visitor is identified as, or the visitor."""
        visitor, found = self.look(cookie, at)
        if found.contact is not None:
            return self.contact(found.contact)
        assert found.anonymous is not None
        return anchor_of_visitor(visitor, unclaimed=found.anonymous != visitor.id)

    def contact(self, id: str) -> ContactAnchor:
        return anchor_of(self.resolved.contact(id))

    def namesake(self, contact: str) -> ContactAnchor:
        """The contact that somebody's person is named for."""
        return self.contact(self.resolved.person_of(contact)[0])

    def _everybody(self, contacts: Iterable[Contact]) -> tuple[ContactAnchor, ...]:
        return tuple(anchor_of(contact) for contact in contacts)

    # ------------------------------------------------------------------ acting

    def merge(self, *of: Anchor, review: str | None = None) -> Merge:
        people = {self._person(anchor) for anchor in of}
        if len(people) < len(of):
            raise Refused("they are one already")
        return self._meant(Merge(id=self.id, recorded_at=self.at, of=of, review=review))

    def unmerge(self, merge: str) -> KeepApart:
        """Take a merge back."""
        links = [link for link in self._links() if link.evidence == merge]
        return self._part(links, withdraws=(merge,))

    def part(self, link: Link) -> KeepApart:
        """Take one join back, an operator's or an automatic one."""
        return self._part([link], withdraws=(link.evidence,) if link.rule == "MERGED" else ())

    def _part(self, links: list[Link], withdraws: tuple[str, ...]) -> KeepApart:
        sides: tuple[Side, ...] = ()
        if links:
            _, person = self.resolved.person_of(links[0].source)
            sides = sides_of(person.contacts, {link.id for link in links})
        return KeepApart(id=self.id, recorded_at=self.at, sides=sides, withdraws=withdraws)

    def sever(self, cookie: str, at: Place, since: Micros | None = None) -> Sever:
        """Take the visitor of an event from its owner."""
        visitor, found = self.look(cookie, at)
        if found.contact is None:
            raise Refused("nobody owns it")
        _, person = self.resolved.person_of(found.contact)
        return self._meant(
            Sever(
                id=self.id,
                recorded_at=self.at,
                visitor=anchor_of_visitor(visitor),
                contacts=self._everybody(person.contacts),
                since=since,
            )
        )

    def sever_identifier(self, identifier: IdentifierKey) -> KeepApart:
        """Part an identifier from whoever holds it."""
        found = self.resolved.state.get(("identifier", identifier))
        if not isinstance(found, Identifier) or not found.contacts:
            raise Refused("nobody holds it")
        _, person = self.resolved.person_of(found.contacts[0])
        sides = (self._everybody(person.contacts), (IdentifierAnchor(identifier),))
        return KeepApart(id=self.id, recorded_at=self.at, sides=sides)

    def restore(self, cookie: str, at: Place) -> Restore:
        """Take back the sever that took an event, or the part after it, from its owner."""
        visitor, _ = self.look(cookie, at)
        if visitor.link is not None and visitor.link.retracted_by is not None:
            return self.withdraw(visitor.link.retracted_by)
        sever, cut, _ = (visitor.ended_by or "").partition("~from")
        if not cut:
            raise Refused("nobody severed it")
        return self.withdraw(sever)

    def withdraw(self, operation: str) -> Restore:
        return Restore(id=self.id, recorded_at=self.at, withdraws=(operation,))

    def promote(self, contact: ContactAnchor) -> Promote:
        return self._meant(Promote(id=self.id, recorded_at=self.at, contact=contact))

    def block(self, identifier: IdentifierKey) -> Block:
        return Block(id=self.id, recorded_at=self.at, identifier=identifier)

    def reject(self, review: Review) -> KeepApart:
        """The two of a review are not one."""
        sides = [self._everybody(self._of(contact).contacts) for contact in review.contacts]
        if len(sides) == 1:
            assert review.identifier is not None
            sides_of_one = (sides[0], (IdentifierAnchor(review.identifier),))
            return KeepApart(id=self.id, recorded_at=self.at, sides=sides_of_one, review=review.id)
        return KeepApart(id=self.id, recorded_at=self.at, sides=tuple(sides), review=review.id)

    def erase(self, contact: str) -> Erase:
        """Forget somebody: all that was attached to them, and what they hold."""
        person = self._of(contact)
        contacts = {contact.id for contact in person.contacts}
        about = [
            id for id, outcome in self.resolved.outcomes.items() if outcome.contact in contacts
        ]
        held = sorted({i for contact in person.contacts for i in contact.holds})
        bars = tuple(self.resolved.ids.bar(identifier) for identifier in held)
        return Erase(id=self.id, recorded_at=self.at, withdraws=tuple(about), bars=bars)

    # ------------------------------------------------------------------ of the parts

    def _of(self, contact: str) -> Person:
        return self.resolved.person_of(contact)[1]

    def _person(self, anchor: Anchor) -> str:
        if isinstance(anchor, ContactAnchor):
            return self.resolved.person_of(anchor.contact)[0]
        return anchor.visitor + ("~unclaimed" if anchor.unclaimed else "")

    def _links(self) -> list[Link]:
        return [
            value
            for value in self.resolved.state.values()
            if isinstance(value, Link) and value.kind == LinkKind.SAME_AS
        ]

    def _meant(self, operation: P) -> P:
        """The operation, if it does something as things are."""
        policy = self.resolved.policies[operation.policy]
        outcome = step(View(self.resolved.state), operation, policy, self.resolved.ids)
        if outcome.void:
            raise Refused(*outcome.void)
        return operation
