"""What identify and contact upsert have in common: walk, outrank, join, add (model.md, step).

A :class:`Resolution` is one step under way. It works on the people it met, writes them back when
it is done, and gathers what the answer tells.
"""

from __future__ import annotations

from typing import TypeVar

from graphid.identity.acts import Act
from graphid.identity.admission import admit, is_barred
from graphid.identity.apart import judged_of
from graphid.identity.ids import Ids
from graphid.identity.obstacles import KEPT_APART, Naming, distinguishes, obstacles
from graphid.identity.people import Someone, contradict, have_in_common, replace
from graphid.identity.policy import Policy
from graphid.identity.state import (
    Contact,
    Hold,
    LinkKind,
    ReviewKind,
)
from graphid.identity.values import (
    Assurance,
    ContactUpsert,
    IdentifierKey,
    Identify,
    type_of,
)
from graphid.identity.view import View

Stated = TypeVar("Stated", bound=Identify | ContactUpsert)

Taken = list[tuple[IdentifierKey, Someone]]
"""Identifiers, each with whom it is taken from."""


class Resolution(Act[Stated]):
    """One identify or contact upsert on its way through the fold."""

    def __init__(self, view: View, evidence: Stated, policy: Policy, ids: Ids) -> None:
        super().__init__(view, evidence, policy, ids)
        self.identifiers, self.warnings = admit(
            evidence.identifiers,
            policy,
            lambda identifier: is_barred(view, identifier, evidence.recorded_at, ids),
        )
        self.has_authority = evidence.assurance >= Assurance.ASSERTED

    # ------------------------------------------------------------------ 2 and 3: walk

    def contradicts(
        self, someone: Someone, own_record: str | None = None, *, distinguish: bool = True
    ) -> bool:
        """Whether the evidence cannot be about this person; ``distinguish`` as ``contradict``."""
        held = someone.identifiers
        in_common = (own_record is not None and own_record in someone.contacts) or have_in_common(
            self.identifiers, held, self.policy
        )
        return contradict(
            self.identifiers, held, self.policy, in_common=in_common, distinguish=distinguish
        )

    def may_follow_claims_to(self, someone: Someone) -> bool:
        """Whether this evidence may go where only claims led (model.md, identify, step 3)."""
        if not someone.rests_on_claims_alone:
            return False
        return not self.has_authority or someone.was_claimed_with(self.identifiers)

    def follows(self, identifier: IdentifierKey, someone: Someone) -> bool:
        """Whether this hold may name a target."""
        if someone.assurance_of(identifier) != Assurance.CLAIMED:
            return True
        return self.may_follow_claims_to(someone)

    def holders(self) -> list[Someone]:
        """The people who hold what the evidence names, in priority."""
        found = (self.people.holding(identifier) for identifier in self.identifiers)
        return [someone for someone in found if someone is not None]

    def walk(self, own_record: str | None = None) -> tuple[IdentifierKey, Someone] | None:
        """The first identifier, in priority, whose holder is the target."""
        for identifier in self.identifiers:
            someone = self.people.holding(identifier)
            if (
                someone is not None
                and self.follows(identifier, someone)
                and not self.contradicts(someone, own_record)
                and not (own_record and self.separations.from_contact(someone, own_record))
            ):
                return identifier, someone
        return None

    # ------------------------------------------------------------------ 3: outrank

    def outrank(self, target: str) -> None:
        """Take over every CLAIMED hold that this evidence names, but the target's.

        ``target`` is a contact of the target person, who has been joined by now with whomever
        the merge rules allow.
        """
        taken = self.outranked(target)
        # First, as a person may be named otherwise without what is taken, and a review is of a
        # pair, whatever else is asked about them.
        self.ask_about(taken, target)
        self.take_over(taken)

    def outranked(self, target: str | None) -> Taken:
        """The CLAIMED holds that this evidence takes over; ``target`` None: there is none yet."""
        found = ((identifier, self.people.holding(identifier)) for identifier in self.identifiers)
        return [
            (identifier, someone)
            for identifier, someone in found
            if someone is not None
            and target not in someone.contacts
            and self.outranks(identifier, someone, target)
        ]

    def take_over(self, taken: Taken) -> None:
        """Withdraw what this evidence outranks."""
        for identifier, someone in taken:
            self.take(identifier, someone, "OUTRANKED")

    def ask_about(self, taken: Taken, target: str) -> None:
        """Have a human look at what was taken over for the target."""
        for identifier, someone in taken:
            self.review(
                ReviewKind.TAKEN_IDENTIFIER,
                (someone.name, target),
                identifier,
                "evidence with authority took over what only claims had held",
            )

    def take(self, identifier: IdentifierKey, someone: Someone, rule: str) -> None:
        """Withdraw the identifier from whoever holds it."""
        for contact, hold in someone.holds_of(identifier):
            self.end_hold(contact, identifier, hold, severed_by=rule)

    def end_hold(
        self,
        contact: Contact,
        identifier: IdentifierKey,
        hold: Hold,
        *,
        severed_by: str | None = None,
    ) -> Contact:
        """Withdraw (``severed_by``) or end one contact's hold."""
        evidence = self.evidence
        self.change(
            replace(
                hold.link,
                retracted_at=evidence.recorded_at,
                retracted_by=evidence.id,
                reason=severed_by,
            )
            if severed_by
            else replace(
                hold.link,
                ended_at=evidence.at,
                ended_by=evidence.id,
                reason="no longer listed by its source",
            )
        )
        return self.people.release(contact, identifier)

    # ------------------------------------------------------------------ 4: a new contact

    def is_free(self, identifier: IdentifierKey) -> bool:
        """Whether nobody holds it, or only in a way that this evidence outranks."""
        someone = self.people.holding(identifier)
        return someone is None or self.outranks(identifier, someone)

    def outranks(
        self, identifier: IdentifierKey, someone: Someone, target: str | None = None
    ) -> bool:
        """Whether this evidence takes over what it does not follow. It has no say where an
        operator keeps the target apart from whom the identifier is, or stands for."""
        if not self.has_authority or someone.assurance_of(identifier) != Assurance.CLAIMED:
            return False
        return target is None or not self.separations.from_identifier(
            self.people.of(target), identifier
        )

    def first_unheld(self) -> IdentifierKey | None:
        """The first identifier, in priority, that nobody holds."""
        return next((i for i in self.identifiers if self.people.holding(i) is None), None)

    def make_contact(self, named_for: IdentifierKey) -> Contact:
        """A new contact and its person, named for an identifier."""
        id = judged_as = self.ids.contact(named_for)
        if self.people.find(id) is None:
            judged_as = named_for
        else:
            # It exists and lost this identifier: this is another one.
            id = judged_as = self.ids.contact(named_for, self.evidence.id)
        judged = judged_of(self.view, judged_as)
        contact = Contact(
            id=id,
            made=self.evidence.place,
            made_at=self.evidence.at,
            evidence=self.evidence.id,
            named_for=named_for,
            cookie=self.evidence.cookie if isinstance(self.evidence, Identify) else None,
            assurance=self.evidence.assurance,
            apart=tuple(apart for apart in judged if apart.own.contact == id),
        )
        self.people.begin(contact)
        return contact

    # ------------------------------------------------------------------ 5: join

    def join_others(self, target: str, *, visitor: str | None, own_record: str | None) -> None:
        """Join the other people found to the target's, where the merge rules allow."""
        for identifier in self.identifiers:
            other = self.people.holding(identifier)
            if other is None or target in other.contacts:
                continue
            someone = self.people.of(target)
            obstacle = self._obstacle(someone, other, identifier, visitor, own_record)
            if obstacle is None:
                theirs = other.holds_of(identifier)[0][0]
                self.join(target, theirs.id, "SHARED_IDENTIFIER")
            elif not self.outranks(identifier, other, target):
                kind, reason, judged_by = obstacle
                self.review(kind, (target, other.name), identifier, reason, rejected_by=judged_by)

    def _obstacle(
        self,
        someone: Someone,
        other: Someone,
        identifier: IdentifierKey,
        visitor: str | None,
        own_record: str | None,
    ) -> tuple[ReviewKind, str, str | None] | None:
        """What hinders joining two people (model.md, Merge rules), or None: the kind of review,
        why, and the judgement that keeps them apart and knew of this evidence."""
        apart = self.separations.between(someone, other)
        by_rule = self._hindrance(someone, other, identifier, visitor, own_record)
        if by_rule is None and not apart:
            return None
        # What the rules say comes first: a review that was rejected stays the one that it was.
        return *(by_rule or (ReviewKind.TAKEN_IDENTIFIER, KEPT_APART)), self.known_to(apart)

    def _hindrance(
        self,
        someone: Someone,
        other: Someone,
        identifier: IdentifierKey,
        visitor: str | None,
        own_record: str | None,
    ) -> tuple[ReviewKind, str] | None:
        naming = Naming(
            # It says that all it names is one human's, whoever holds it now.
            fits=not self.contradicts(other, distinguish=distinguishes(self.policy)),
            beside=tuple(i for i in self.identifiers if self.people.holding(i) is None),
            in_common=self._bridges(someone, other, own_record),
            is_followed=self.follows(identifier, other),
            may_join=self.evidence.assurance >= self.policy.merge_assurance
            or (visitor is not None and other.is_only_claim_of(visitor)),
        )
        rule = next(obstacles(someone, other, self.policy, naming), None)
        return None if rule is None else (rule.review, rule.value)

    def _bridges(self, someone: Someone, other: Someone, own_record: str | None) -> bool:
        """One piece of evidence, ASSERTED or better, with something in common with each side."""
        if not self.has_authority:
            return False
        return all(
            (own_record is not None and own_record in side.contacts)
            or have_in_common(self.identifiers, side.identifiers, self.policy)
            for side in (someone, other)
        )

    # ------------------------------------------------------------------ 7: add

    def add(self, contact: str, *, from_record: bool = False) -> None:
        """Give the contact the identifiers that nobody holds; raise what its person holds."""
        for identifier in self.identifiers:
            holder = self.people.holding(identifier)
            if holder is None:
                self._hold_new(contact, identifier, from_record)
            elif contact in holder.contacts:
                self._hold_again(contact, holder, identifier, from_record)
            elif self._moves():
                self._hold_new(contact, identifier, from_record, take_from=holder)

    def _moves(self) -> bool:
        return (
            self.policy.taken_identifier == "MOVE"
            and self.evidence.assurance >= self.policy.merge_assurance
        )

    def _hold_new(
        self,
        contact: str,
        identifier: IdentifierKey,
        from_record: bool,
        *,
        take_from: Someone | None = None,
    ) -> None:
        someone = self.people.of(contact)
        held = someone.identifiers
        type = type_of(identifier)
        limit, most = self.policy.rule(type).limit, self.policy.merge.max_identifiers
        if sum(type_of(i) == type for i in held) >= limit or len(held) >= most:
            self.review(
                ReviewKind.LIMIT_REACHED,
                (contact,),
                identifier,
                f"a person holds at most {limit} of {type}, and {most} identifiers in all",
            )
            return
        apart = self.separations.from_identifier(someone, identifier)
        if apart:
            self.review(
                ReviewKind.TAKEN_IDENTIFIER,
                (contact,),
                identifier,
                KEPT_APART,
                rejected_by=self.known_to(apart),
            )
            return
        if take_from is not None:
            self.take(identifier, take_from, "MOVED")
        link = self.link(LinkKind.HAS_IDENTIFIER, contact, identifier, "NAMED")
        hold = self._vouch(Hold(link=link, apart=judged_of(self.view, identifier)), from_record)
        self.people.hold(someone.contacts[contact], identifier, hold)

    def _hold_again(
        self, contact: str, holder: Someone, identifier: IdentifierKey, from_record: bool
    ) -> None:
        """Vouch for what the person holds: a record by a hold of its own, others by raising."""
        own = holder.contacts[contact]
        if identifier in own.holds:
            owner, hold = own, own.holds[identifier]
        else:
            owner, hold = holder.holds_of(identifier)[0]
            if from_record:
                link = self.link(LinkKind.HAS_IDENTIFIER, contact, identifier, "NAMED")
                owner, hold = own, Hold(link=link, apart=hold.apart)
        said = hold.record if from_record else hold.others
        if said is None or said < self.evidence.assurance:
            self.people.hold(owner, identifier, self._vouch(hold, from_record))

    def _vouch(self, hold: Hold, from_record: bool) -> Hold:
        assurance = self.evidence.assurance
        if from_record:
            return self.raised(replace(hold, record=max(assurance, hold.record or assurance)))
        return self.raised(replace(hold, others=max(assurance, hold.others or assurance)))
