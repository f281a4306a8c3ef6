"""Decide a review: the two are one, or they are not."""

from __future__ import annotations

from graphid.errors import NotFound
from graphid.identity.obstacles import KEPT_APART
from graphid.identity.proposals import anchor_of
from graphid.identity.state import Contact, Person, Review
from graphid.identity.values import IdentifierAnchor, KeepApart, Merge, Side
from graphid.service.operations.proposing import UNSEEN, Asked, Header, Proposal, refused
from graphid.service.operations.seeing import Seen, require_kind


class DecideReview(Asked, frozen=True, tag="decide"):
    """Accepted, it merges the two; rejected, it keeps them apart."""

    id: str
    accept: bool

    async def propose(self, seen: Seen, header: Header) -> Proposal:
        record, review = await seen.review(self.id)
        if record is None:
            require_kind(self.id, "review_")
            raise NotFound("There is no review of this id.")
        if record.state in ("ACCEPTED", "REJECTED"):
            raise refused(f"This review was decided already: {record.state.lower()}.")
        if review is None or record.state != "OPEN":
            raise refused("What this review asked about is no longer so.")
        people = [await self._person(seen, contact) for contact in review.contacts]
        if len(people) == 1:
            return self._about_identifier(people[0], review, header)
        if self.accept:
            return self._accept(people, review, header)
        return self._reject(people, review, header)

    async def _person(self, seen: Seen, contact: str) -> Person:
        person = await seen.person(contact)
        if person is None:
            raise refused("What this review asked about is no longer so.")
        return person

    def _about_identifier(self, person: Person, review: Review, header: Header) -> Proposal:
        assert review.identifier is not None
        if self.accept:
            raise refused(
                "This review is about one person and an identifier: there are no two to merge. "
                "If it is theirs, save it with their record (saveContact), or raise the limit of "
                "its type (setPolicy); reject the review if it is not."
            )
        sides = (_all_of(person), (IdentifierAnchor(review.identifier),))
        return Proposal(header.on(KeepApart, sides=sides, review=review.id))

    def _accept(self, people: list[Person], review: Review, header: Header) -> Proposal:
        named = zip(people, review.contacts, strict=True)
        anchors = tuple(anchor_of(_contact(person, contact)) for person, contact in named)
        # A review that asks about two who are kept apart tells so itself.
        shown_to = review.recorded_at if review.reason == KEPT_APART else UNSEEN
        operation = header.on(Merge, of=anchors, review=review.id)
        return Proposal(operation, shown_to=shown_to)

    def _reject(self, people: list[Person], review: Review, header: Header) -> Proposal:
        sides = tuple(_all_of(person) for person in people)
        if len(set(sides)) < len(sides):
            raise refused("They are one person by now: unmerge takes the join back.")
        return Proposal(header.on(KeepApart, sides=sides, review=review.id))


def _all_of(person: Person) -> Side:
    return tuple(anchor_of(contact) for contact in person.contacts)


def _contact(person: Person, id: str) -> Contact:
    return next(contact for contact in person.contacts if contact.id == id)
