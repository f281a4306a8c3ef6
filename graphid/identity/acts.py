"""What every step that concerns people does alike: link, join, file a review, write back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Generic, TypeVar

from graphid.identity.apart import Separations
from graphid.identity.ids import Ids
from graphid.identity.obstacles import caps_passed
from graphid.identity.people import People, Someone, replace
from graphid.identity.policy import Policy
from graphid.identity.state import (
    Apart,
    Hold,
    Link,
    LinkKind,
    Review,
    ReviewKind,
)
from graphid.identity.values import ContactUpsert, IdentifierKey, Identify, Placed
from graphid.identity.view import View

Acting = TypeVar("Acting", bound=Identify | ContactUpsert | Placed)


class Act(Generic[Acting]):
    """One step under way: the people it met, the links and reviews that it makes."""

    def __init__(self, view: View, evidence: Acting, policy: Policy, ids: Ids) -> None:
        self.view = view
        self.evidence = evidence
        self.policy = policy
        self.ids = ids
        self.people = People(view)
        self.separations = Separations(view, self.people, evidence.recorded_at)
        self.links: dict[str, None] = {}
        self.reviews: dict[str, None] = {}

    def link(self, kind: LinkKind, source: str, target: str, rule: str) -> Link:
        """A new link that this evidence makes."""
        evidence = self.evidence
        return self.change(
            Link(
                id=self.ids.link(kind, evidence.id, source, target),
                kind=kind,
                source=source,
                target=target,
                rule=rule,
                assurance=evidence.assurance,
                evidence=evidence.id,
                at=evidence.at,
                recorded_at=evidence.recorded_at,
                actor=evidence.actor,
            )
        )

    def change(self, link: Link) -> Link:
        """Write a link as it now is, and tell of it."""
        self.links[link.id] = None
        return self.view.put_link(link)

    def raised(self, hold: Hold) -> Hold:
        """The hold with its link at the assurance that now vouches for it."""
        if hold.assurance <= hold.link.assurance:
            return hold
        return replace(hold, link=self.change(replace(hold.link, assurance=hold.assurance)))

    def join(self, ours: str, theirs: str, rule: str) -> None:
        """Make the people of two contacts one, by a SAME_AS link between the contacts."""
        link = self.link(LinkKind.SAME_AS, ours, theirs, rule)
        someone = self.people.of(ours)
        self.people.join(someone, self.people.of(theirs))
        contact = someone.contacts[ours]
        someone.put(replace(contact, same_as=(*contact.same_as, link)))

    def too_many(self, someone: Someone, other: Someone) -> str | None:
        """The cap that hinders joining two people, or None."""
        return next((rule.value for rule in caps_passed(someone, other, self.policy)), None)

    def known_to(self, apart: list[Apart]) -> str | None:
        """The judgement that knew of this evidence and keeps apart what it would join, or None:
        then there is something new to decide."""
        return next(
            (a.by for a in apart if self.evidence.recorded_at <= a.recorded_at),
            None,
        )

    def review(
        self,
        kind: ReviewKind,
        contacts: Collection[str],
        identifier: IdentifierKey | None,
        reason: str,
        *,
        rejected_by: str | None = None,
    ) -> None:
        """File a review, or meet again the one that was filed for these people."""
        people = sorted({self.people.of(contact).senior.id for contact in contacts})
        parties = people if len(people) > 1 or identifier is None else [*people, identifier]
        id = self.ids.review(kind, *parties)
        self.reviews[id] = None
        if self.view.find("review", id) is not None:
            return
        decided = self.view.find("decided", id)
        if decided is not None:
            rejected_by = decided.by
        self.view.put(
            "review",
            id,
            Review(
                id=id,
                kind=kind,
                contacts=tuple(people),
                evidence=self.evidence.id,
                at=self.evidence.at,
                recorded_at=self.evidence.recorded_at,
                identifier=identifier,
                reason=reason,
                accepted=None if rejected_by is None else False,
                decided_by=rejected_by,
            ),
        )
