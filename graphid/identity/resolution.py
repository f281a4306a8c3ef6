"""What identify and contact upsert have in common: walk, outrank, join, add (model.md, step).

A :class:`Resolution` is one step under way. It works on values read through the view, writes
back through it, and gathers what the answer tells.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from graphid.identity.admission import admit
from graphid.identity.ids import Ids
from graphid.identity.people import (
    Someone,
    add_hold,
    contradict,
    drop_hold,
    have_in_common,
    save,
)
from graphid.identity.policy import Policy
from graphid.identity.state import (
    Contact,
    Hold,
    Link,
    LinkKind,
    Review,
    ReviewKind,
    View,
)
from graphid.identity.values import (
    Assurance,
    ContactUpsert,
    IdentifierKey,
    Identify,
    type_of,
)


class Resolution:
    """One identify or contact upsert on its way through the fold."""

    def __init__(
        self, view: View, evidence: Identify | ContactUpsert, policy: Policy, ids: Ids
    ) -> None:
        self.view = view
        self.evidence = evidence
        self.policy = policy
        self.ids = ids
        self.identifiers, self.warnings = admit(evidence.identifiers, policy)
        self.has_authority = evidence.assurance >= Assurance.ASSERTED
        self.links: dict[str, None] = {}
        self.reviews: dict[str, None] = {}

    # ------------------------------------------------------------------ 2 and 3: walk

    def contradicts(self, someone: Someone, own_record: str | None = None) -> bool:
        """Whether the evidence cannot be about this person."""
        held = someone.identifiers
        in_common = (own_record is not None and own_record in someone) or have_in_common(
            self.identifiers, held, self.policy
        )
        return contradict(self.identifiers, held, self.policy, in_common=in_common)

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
        found = (Someone.holding(self.view, identifier) for identifier in self.identifiers)
        return [someone for someone in found if someone is not None]

    def walk(self, own_record: str | None = None) -> tuple[IdentifierKey, Someone] | None:
        """The first identifier, in priority, whose holder is the target."""
        for identifier in self.identifiers:
            someone = Someone.holding(self.view, identifier)
            if (
                someone is not None
                and self.follows(identifier, someone)
                and not self.contradicts(someone, own_record)
            ):
                return identifier, someone
        return None

    # ------------------------------------------------------------------ 3: outrank

    def outrank(self, target: str | None) -> None:
        """Take over every CLAIMED hold that this evidence names, but the target's.

        ``target`` is a contact of the target person, who has been joined by now with whomever
        the merge rules allow; it is None where there is no target yet.
        """
        if not self.has_authority:
            return
        for identifier in self.identifiers:
            someone = Someone.holding(self.view, identifier)
            if someone is None or (target is not None and target in someone):
                continue
            if someone.assurance_of(identifier) == Assurance.CLAIMED:
                self.take(identifier, someone, "OUTRANKED")
                self.review(
                    ReviewKind.TAKEN_IDENTIFIER,
                    (someone.name, *((target,) if target else ())),
                    identifier,
                    "evidence with authority took over what only claims had held",
                )

    def take(self, identifier: IdentifierKey, someone: Someone, rule: str) -> None:
        """Withdraw the identifier from whoever holds it."""
        for contact, hold in someone.holds_of(identifier):
            self.end_hold(contact, identifier, hold, severed_by=rule)
        refreshed = [self.view.contact(contact.id) for contact in someone.contacts]
        save(self.view, refreshed, former=(someone.name,))

    def end_hold(
        self,
        contact: Contact,
        identifier: IdentifierKey,
        hold: Hold,
        *,
        severed_by: str | None = None,
    ) -> Contact:
        """Withdraw (``severed_by``) or end one contact's hold."""
        at, by = self.evidence.at, self.evidence.id
        changed = (
            msgspec.structs.replace(
                hold.link,
                retracted_at=self.evidence.recorded_at,
                retracted_by=by,
                reason=severed_by,
            )
            if severed_by
            else msgspec.structs.replace(
                hold.link, ended_at=at, ended_by=by, reason="no longer listed by its source"
            )
        )
        self.view.put_link(changed)
        self.links[changed.id] = None
        drop_hold(self.view, identifier, contact.id)
        rest = {i: h for i, h in contact.holds.items() if i != identifier}
        contact = msgspec.structs.replace(contact, holds=rest)
        self.view.put("contact", contact.id, contact)
        return contact

    # ------------------------------------------------------------------ 4: a new contact

    def is_free(self, identifier: IdentifierKey) -> bool:
        """Whether nobody holds it, or only in a way that this evidence outranks."""
        someone = Someone.holding(self.view, identifier)
        return someone is None or (
            self.has_authority and someone.assurance_of(identifier) == Assurance.CLAIMED
        )

    def first_unheld(self) -> IdentifierKey | None:
        """The first identifier, in priority, that nobody holds."""
        for identifier in self.identifiers:
            found = self.view.find("identifier", identifier)
            if found is None or not found.contacts:
                return identifier
        return None

    def make_contact(self, named_for: IdentifierKey) -> Contact:
        """A new contact and its person, named for an identifier."""
        id = self.ids.contact(named_for)
        if self.view.find("contact", id) is not None:
            # It exists and lost this identifier: this is another one.
            id = self.ids.contact(named_for, self.evidence.id)
        contact = Contact(
            id=id,
            made=self.evidence.place,
            made_at=self.evidence.at,
            person=id,
            evidence=self.evidence.id,
            named_for=named_for,
            assurance=self.evidence.assurance,
        )
        save(self.view, [contact])
        return contact

    # ------------------------------------------------------------------ 5: join

    def join_others(self, target: str, *, visitor: str | None, own_record: str | None) -> None:
        """Join the other people found to the target's, where the merge rules allow."""
        for identifier in self.identifiers:
            other = Someone.holding(self.view, identifier)
            if other is None or target in other:
                continue
            someone = Someone.of_contact(self.view, target)
            obstacle = self._obstacle(someone, other, identifier, visitor, own_record)
            if obstacle is None:
                self.join(someone, other, target, identifier)
            elif not self._will_outrank(identifier, other):
                kind, reason = obstacle
                self.review(kind, (target, other.name), identifier, reason)

    def _will_outrank(self, identifier: IdentifierKey, other: Someone) -> bool:
        return self.has_authority and other.assurance_of(identifier) == Assurance.CLAIMED

    def _obstacle(
        self,
        someone: Someone,
        other: Someone,
        identifier: IdentifierKey,
        visitor: str | None,
        own_record: str | None,
    ) -> tuple[ReviewKind, str] | None:
        """What hinders joining two people (model.md, Merge rules), or None."""
        policy = self.policy
        ours = someone.identifiers
        named = ours | {i for i in self.identifiers if i in ours or not self._is_held(i)}
        if contradict(
            named,
            other.identifiers,
            policy,
            in_common=self._bridges(someone, other, own_record),
            distinguish=policy.taken_identifier != "MERGE",
        ):
            return ReviewKind.TAKEN_IDENTIFIER, "their identifiers contradict each other"
        contacts = len(someone.contacts) + len(other.contacts)
        if contacts > policy.merge.max_contacts:
            return ReviewKind.LIMIT_REACHED, "the person would have too many contacts"
        if len(ours) + len(other.identifiers) > policy.merge.max_identifiers:
            return ReviewKind.LIMIT_REACHED, "the person would have too many identifiers"
        if not self.follows(identifier, other):
            return ReviewKind.SUGGESTED_MERGE, "only a claim names both"
        if someone.is_curated and other.is_curated:
            return ReviewKind.SUGGESTED_MERGE, "both are curated"
        if self.evidence.assurance >= policy.merge_assurance:
            return None
        if visitor is not None and other.is_only_claim_of(visitor):
            return None
        return ReviewKind.SUGGESTED_MERGE, "a claim cannot join two known people"

    def _is_held(self, identifier: IdentifierKey) -> bool:
        found = self.view.find("identifier", identifier)
        return found is not None and bool(found.contacts)

    def _bridges(self, someone: Someone, other: Someone, own_record: str | None) -> bool:
        """One piece of evidence, ASSERTED or better, with something in common with each side."""
        if not self.has_authority:
            return False
        return all(
            (own_record is not None and own_record in side)
            or have_in_common(self.identifiers, side.identifiers, self.policy)
            for side in (someone, other)
        )

    def join(
        self, someone: Someone, other: Someone, target: str, identifier: IdentifierKey
    ) -> None:
        """Make two people one, by a SAME_AS link between the contacts that met."""
        theirs = other.holds_of(identifier)[0][0]
        ours = self.view.contact(target)
        link = self.link(LinkKind.SAME_AS, ours.id, theirs.id, "SHARED_IDENTIFIER")
        ours = msgspec.structs.replace(ours, same_as=(*ours.same_as, link))
        self.view.put("contact", ours.id, ours)
        members = [self.view.contact(c.id) for c in (*someone.contacts, *other.contacts)]
        save(self.view, members, former=(someone.name, other.name))

    # ------------------------------------------------------------------ 7: add

    def add(self, contact: Contact, *, from_record: bool = False) -> Contact:
        """Give the contact the identifiers that nobody holds; raise what its person holds."""
        for identifier in self.identifiers:
            holder = Someone.holding(self.view, identifier)
            if holder is None:
                contact = self._hold_new(contact, identifier, from_record)
            elif contact.id in holder:
                contact = self._hold_again(contact, holder, identifier, from_record)
            elif self._moves():
                self.take(identifier, holder, "MOVED")
                contact = self._hold_new(self.view.contact(contact.id), identifier, from_record)
        return contact

    def _moves(self) -> bool:
        return (
            self.policy.taken_identifier == "MOVE"
            and self.evidence.assurance >= self.policy.merge_assurance
        )

    def _hold_new(self, contact: Contact, identifier: IdentifierKey, from_record: bool) -> Contact:
        someone = Someone.of_contact(self.view, contact.id)
        held = someone.identifiers
        type = type_of(identifier)
        limit, most = self.policy.rule(type).limit, self.policy.merge.max_identifiers
        if sum(type_of(i) == type for i in held) >= limit or len(held) >= most:
            self.review(
                ReviewKind.LIMIT_REACHED,
                (contact.id,),
                identifier,
                f"a person holds at most {limit} of {type}, and {most} identifiers in all",
            )
            return contact
        link = self.link(LinkKind.HAS_IDENTIFIER, contact.id, identifier, "NAMED")
        hold = Hold(link=link)
        return self._put_hold(contact, identifier, self._vouch(hold, from_record))

    def _hold_again(
        self, contact: Contact, holder: Someone, identifier: IdentifierKey, from_record: bool
    ) -> Contact:
        """Vouch for what the person holds: a record by a hold of its own, others by raising."""
        if from_record and identifier not in contact.holds:
            link = self.link(LinkKind.HAS_IDENTIFIER, contact.id, identifier, "NAMED")
            return self._put_hold(contact, identifier, self._vouch(Hold(link=link), True))
        owner, hold = (
            (contact, contact.holds[identifier])
            if identifier in contact.holds
            else holder.holds_of(identifier)[0]
        )
        vouched = self._vouch(hold, from_record)
        if vouched == hold:
            return contact
        changed = self._put_hold(owner, identifier, vouched)
        return changed if owner.id == contact.id else contact

    def _vouch(self, hold: Hold, from_record: bool) -> Hold:
        assurance = self.evidence.assurance
        if from_record:
            hold = msgspec.structs.replace(hold, record=max(assurance, hold.record or assurance))
        else:
            hold = msgspec.structs.replace(hold, others=max(assurance, hold.others or assurance))
        if hold.assurance > hold.link.assurance:
            raised = msgspec.structs.replace(hold.link, assurance=hold.assurance)
            self.links[self.view.put_link(raised).id] = None
            hold = msgspec.structs.replace(hold, link=raised)
        return hold

    def _put_hold(self, contact: Contact, identifier: IdentifierKey, hold: Hold) -> Contact:
        contact = msgspec.structs.replace(contact, holds={**contact.holds, identifier: hold})
        self.view.put("contact", contact.id, contact)
        add_hold(self.view, identifier, contact.id)
        return contact

    # ------------------------------------------------------------------ links and reviews

    def link(self, kind: LinkKind, source: str, target: str, rule: str) -> Link:
        """A new link that this evidence makes."""
        evidence = self.evidence
        id = self.ids.link(kind, evidence.id, source, target)
        self.links[id] = None
        return self.view.put_link(
            Link(
                id=id,
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

    def review(
        self,
        kind: ReviewKind,
        contacts: Collection[str],
        identifier: IdentifierKey,
        reason: str,
    ) -> None:
        """File a review, or meet again the one that was filed for these people."""
        people = sorted({self.view.contact(c).person for c in contacts})
        parties = people if len(people) > 1 else [*people, identifier]
        id = self.ids.review(kind, *parties)
        self.reviews[id] = None
        if self.view.find("review", id) is None:
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
                ),
            )
