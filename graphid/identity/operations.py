"""step: merge, sever, promote. What operators do, at the place where they did it."""

from __future__ import annotations

from typing import TypeVar

from graphid.identity.acts import Act
from graphid.identity.anchors import Anchors, begins_before_reach
from graphid.identity.apart import link_of
from graphid.identity.ids import Ids
from graphid.identity.obstacles import KEPT_APART
from graphid.identity.outcome import Outcome
from graphid.identity.people import Someone, contradict, replace
from graphid.identity.policy import Policy
from graphid.identity.state import (
    Apart,
    Cookie,
    Link,
    LinkKind,
    Opening,
    ReviewKind,
    Visitor,
)
from graphid.identity.values import (
    Assurance,
    Merge,
    Micros,
    Place,
    Placed,
    Promote,
    Sever,
    just_after,
    moment,
    start_of,
)
from graphid.identity.view import View


def step_operation(view: View, operation: Placed, policy: Policy, ids: Ids) -> Outcome:
    """Do what an operator did, unless it was taken back."""
    if view.find("withdrawn", operation.id) is not None:
        return Outcome()
    if isinstance(operation, Merge):
        return _Merging(view, operation, policy, ids).run()
    if isinstance(operation, Sever):
        return _Severing(view, operation, policy, ids).run()
    return _Promoting(view, operation, policy, ids).run()


Done = TypeVar("Done", bound=Placed)


class _Operating(Act[Done]):
    def __init__(self, view: View, operation: Done, policy: Policy, ids: Ids) -> None:
        super().__init__(view, operation, policy, ids)
        self.anchors = Anchors(view, self.people, ids)
        self.void: dict[str, None] = {}

    def vouch(self, someone: Someone) -> None:
        """Vouch for what a person holds now, as far as it was known: a browser may say of any time
        that it named something then, and nobody has looked at that."""
        for contact in list(someone.contacts.values()):
            holds = {
                identifier: self.raised(
                    replace(hold, others=max(Assurance.ASSERTED, hold.others or Assurance.CLAIMED))
                )
                if hold.link.recorded_at <= self.evidence.recorded_at
                else hold
                for identifier, hold in contact.holds.items()
            }
            assurance = max(Assurance.ASSERTED, contact.assurance)
            someone.put(replace(contact, holds=holds, assurance=assurance))

    def outcome(self, contact: str | None = None, visitor: str | None = None) -> Outcome:
        """Write everybody back, and tell."""
        self.people.save()
        if self.evidence.review is not None and not self.void:
            self._decide(self.evidence.review)
        return Outcome(
            visitor=visitor,
            contact=contact,
            links=tuple(self.links),
            reviews=tuple(self.reviews),
            void=tuple(self.void),
        )

    def _decide(self, id: str) -> None:
        review = self.view.find("review", id)
        if review is not None:
            decided = replace(review, accepted=True, decided_by=self.evidence.id)
            self.view.put("review", id, decided)

    # ------------------------------------------------------------------ visitors

    def put(self, visitor: Visitor) -> None:
        """Write a visitor, open or closed."""
        if visitor.end is None:
            self.view.put("cookie", visitor.cookie, Cookie(visitor))
        else:
            self.view.put("visitor", visitor.id, visitor)

    def cut(
        self, visitor: Visitor, at: Place, moment: Micros, name: str
    ) -> tuple[Visitor, Visitor]:
        """Cut a visitor with an owner in two, each with its link; no visitor is written."""
        first, second = self.halves(visitor, at, moment, name)
        link = visitor.link
        assert link is not None
        id = self.ids.link(link.kind, link.evidence, second.id, link.target)
        of_second = self.change(
            replace(link, id=id, source=second.id, reach=max(moment, link.reach or 0))
        )
        return (
            replace(first, link=self.change(_ended(link, first))),
            replace(second, link=of_second),
        )

    def halves(
        self, visitor: Visitor, at: Place, moment: Micros, name: str
    ) -> tuple[Visitor, Visitor]:
        """The two visitors that a cut makes of one; links are not looked at."""
        opener = f"{self.evidence.id}~{name}"
        second = replace(
            visitor,
            id=self.ids.visitor(visitor.cookie, opener),
            opening=Opening.CUT if visitor.opening is not Opening.SWITCH else visitor.opening,
            opened_by=opener,
            start=at,
            started_at=moment,
            cut_from=visitor.cut_from or visitor.id,
        )
        return replace(visitor, end=at, ended_at=moment, ended_by=opener), second


def _ended(link: Link, visitor: Visitor) -> Link:
    """A visitor's link, over when the visitor is."""
    return replace(link, ended_at=visitor.ended_at, ended_by=visitor.ended_by)


class _Merging(_Operating[Merge]):
    def run(self) -> Outcome:
        contacts: list[str] = []
        visitors: list[Visitor] = []
        for anchor in self.evidence.of:
            contact, visitor = self.anchors.find(anchor)
            if contact is not None:
                contacts.append(contact)
            elif visitor is None:
                self.void["one of these is nobody who could be merged"] = None
            elif visitor.id not in {v.id for v in visitors}:
                visitors.append(visitor)
        if self.void:
            return self.outcome()
        if not contacts:
            self.void["nobody of these is known: an identify has to name one of them first"] = None
            return self.outcome()
        first, *others = contacts
        joined = True
        for other in others:
            joined = self._join(first, other) and joined
        if joined or visitors:
            self.vouch(self.people.of(first))
        for visitor in visitors:
            self._attach(visitor, first)
        return self.outcome(first)

    def _join(self, ours: str, theirs: str) -> bool:
        """Make two people one; where that is forbidden, file a review."""
        someone, other = self.people.of(ours), self.people.of(theirs)
        if someone is other:
            return True
        obstacle = self.obstacle(someone, other)
        if obstacle is not None:
            kind, reason, rejected_by = obstacle
            self.void[reason] = None
            self.review(kind, (ours, theirs), None, reason, rejected_by=rejected_by)
            return False
        overruled = self.separations.between(someone, other)
        if overruled:
            contact = someone.contacts[ours]
            both_ways = (*overruled, *self.separations.between(other, someone))
            someone.put(replace(contact, cleared=(*contact.cleared, *both_ways)))
            self._overrule(overruled)
        self.join(ours, theirs, "MERGED")
        return True

    def _overrule(self, judged: list[Apart]) -> None:
        """Withdraw the links that say what this merge overrules."""
        for apart in judged:
            link = link_of(apart, self.ids)
            if link is not None:
                self.change(
                    replace(
                        link,
                        retracted_at=self.evidence.recorded_at,
                        retracted_by=self.evidence.id,
                        reason="MERGED",
                    )
                )

    def obstacle(
        self, someone: Someone, other: Someone
    ) -> tuple[ReviewKind, str, str | None] | None:
        """What hinders even an operator: unique types, the caps, and later judgements; and the
        judgement that decided it, where one did."""
        if contradict(
            someone.identifiers,
            other.identifiers,
            self.policy,
            in_common=True,  # the operator says so
        ):
            return ReviewKind.TAKEN_IDENTIFIER, "their identifiers contradict each other", None
        later = [
            apart
            for apart in self.separations.between(someone, other)
            if apart.recorded_at >= self.evidence.recorded_at
        ]
        if later:
            return ReviewKind.TAKEN_IDENTIFIER, KEPT_APART, later[0].by
        too_many = self.too_many(someone, other)
        return None if too_many is None else (ReviewKind.LIMIT_REACHED, too_many, None)

    def _attach(self, visitor: Visitor, contact: str) -> None:
        """Give a visitor, or the part of it that is nobody's, to the contact's person."""
        if visitor.owner is not None or (visitor.link is None and begins_before_reach(visitor)):
            visitor = self._cut_off(visitor)
        else:
            visitor = _on_its_own(visitor)
        link = self.link(LinkKind.IDENTIFIED_AS, visitor.id, contact, "MERGED")
        link = replace(
            link,
            reach=visitor.started_at or 0,
            ended_at=visitor.ended_at,
            ended_by=visitor.ended_by,
        )
        self.put(
            replace(
                visitor,
                link=self.change(link),
                claims_alone=False,
                assurance=max(Assurance.ASSERTED, visitor.assurance or Assurance.CLAIMED),
            )
        )

    def _cut_off(self, visitor: Visitor) -> Visitor:
        """The part of a visitor before its owner's reach, as a visitor of its own."""
        link = visitor.link
        if link is None:
            assert visitor.forgotten_from is not None
            since = visitor.forgotten_from
            first, second = self.halves(visitor, start_of(since), since, "reach")
            self.put(second)
            return replace(first, forgotten_from=None)
        assert link.reach is not None
        first, second = self.cut(visitor, start_of(link.reach), link.reach, "reach")
        self.put(second)
        self.change(
            replace(
                link,
                retracted_at=self.evidence.recorded_at,
                retracted_by=self.evidence.id,
                reason="CUT",
            )
        )
        return replace(first, identified=None, verified=None, attended=())


def _on_its_own(visitor: Visitor) -> Visitor:
    """A visitor that was cut off from another, without what was so before the cut: that was said
    of somebody else."""
    if visitor.cut_from is None:
        return visitor
    identified, verified = (
        place if place is not None and place >= visitor.start else None
        for place in (visitor.identified, visitor.verified)
    )
    return replace(
        visitor, opening=Opening.CUT, identified=identified, verified=verified, attended=()
    )


class _Severing(_Operating[Sever]):
    def run(self) -> Outcome:
        anchor = self.evidence.visitor
        seen_to = anchor.end or self.evidence.place
        taken_from = (self.anchors.contact(contact)[0] for contact in self.evidence.contacts)
        self.taken_from = {self.people.of(contact) for contact in taken_from if contact}
        first = visitor = self.anchors.visitor(anchor)
        while True:
            # Late evidence may have parted what the operator saw as one.
            following = self.anchors.following(visitor)
            self._mask(visitor)
            if following is None or following.start >= seen_to:
                break
            visitor = following
        if not self.links:
            self.void["nothing of that is that person's"] = None
        return self.outcome(visitor=first.id)

    def _mask(self, visitor: Visitor) -> None:
        """Give what the visitor did to nobody, where it is of those it is taken from."""
        operation = self.evidence
        if visitor.owner is None or self.people.of(visitor.owner) not in self.taken_from:
            return
        masked = self._part(visitor)
        if masked is None:
            return
        masked = self._close(masked) if masked.end is None else self._absorb(masked)
        assert masked.link is not None
        severed = replace(
            masked.link,
            retracted_at=operation.recorded_at,
            retracted_by=operation.id,
            reason=operation.reason,
        )
        self.put(replace(masked, link=self.change(severed)))

    def _part(self, visitor: Visitor) -> Visitor | None:
        """What is to be masked: the visitor, as far as the operator saw it, and from ``since``
        on; what is before and after is cut off, and stays what it was."""
        begin, end = self._begin(visitor), self.evidence.visitor.end
        if begin >= (visitor.end or just_after(self.evidence.place)):
            return None  # it had ended by then, or that is yet to come
        if begin > visitor.start:
            first, visitor = self.cut(visitor, begin, moment(begin), "from")
            self.put(first)
        if end is not None and (visitor.end is None or end < visitor.end):
            visitor, rest = self.cut(visitor, end, moment(end), "to")
            self.put(rest)
        return visitor

    def _begin(self, visitor: Visitor) -> Place:
        since, link, seen = self.evidence.since, visitor.link, self.evidence.visitor.start
        assert link is not None
        if since is not None and since > max(link.reach or 0, visitor.started_at or 0):
            return max(seen, start_of(since))
        return max(seen, visitor.start)

    def _close(self, visitor: Visitor) -> Visitor:
        """End the open visitor at the act, so that the next identify starts clean."""
        operation = self.evidence
        boundary = just_after(operation.place)
        following = Visitor(
            id=self.ids.visitor(visitor.cookie, operation.id),
            cookie=visitor.cookie,
            opening=Opening.CUT,
            opened_by=operation.id,
            start=boundary,
            started_at=operation.at,
        )
        self.put(following)
        ended = replace(visitor, end=boundary, ended_at=operation.at, ended_by=operation.id)
        assert visitor.link is not None
        return replace(ended, link=_ended(visitor.link, ended))

    def _absorb(self, visitor: Visitor) -> Visitor:
        """The visitor with the part that an earlier sever cut off and masked: one again."""
        part = self.anchors.following(visitor)
        if part is None or part.cut_from is None or part.owner is not None:
            return visitor
        self.view.remove("visitor", part.id)
        whole = replace(visitor, end=part.end, ended_at=part.ended_at, ended_by=part.ended_by)
        assert visitor.link is not None
        return replace(whole, link=_ended(visitor.link, whole))


class _Promoting(_Operating[Promote]):
    def run(self) -> Outcome:
        contact, _ = self.anchors.contact(self.evidence.contact)
        if contact is None:
            self.void["the contact is made by nothing any more"] = None
            return self.outcome()
        someone = self.people.of(contact)
        self.vouch(someone)
        someone.put(replace(someone.contacts[contact], curated=True))
        return self.outcome(contact)
