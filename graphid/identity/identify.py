"""step: identify. The numbers are those of model.md."""

from __future__ import annotations

from collections.abc import Iterable

from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.people import (
    Someone,
    claimed_by,
    contradict,
    count_claim,
    have_in_common,
    replace,
)
from graphid.identity.policy import Policy
from graphid.identity.resolution import Resolution
from graphid.identity.state import (
    Cookie,
    Device,
    LinkKind,
    Opening,
    ReviewKind,
    Visitor,
    device_key,
)
from graphid.identity.traits import with_traits
from graphid.identity.vacancy import close
from graphid.identity.values import Assurance, IdentifierKey, Identify, Micros, moment, type_of
from graphid.identity.view import View


def step_identify(view: View, evidence: Identify, policy: Policy, ids: Ids) -> Outcome:
    """Attach the visitor of the cookie to whom the identifiers name."""
    return _Identification(view, evidence, policy, ids).run()


class _Identification(Resolution[Identify]):
    def __init__(self, view: View, evidence: Identify, policy: Policy, ids: Ids) -> None:
        super().__init__(view, evidence, policy, ids)
        found = view.find("cookie", evidence.cookie)
        if found is None:
            self.visitor = Visitor(id=ids.birth(evidence.cookie), cookie=evidence.cookie)
        else:
            self.visitor = found.visitor
        self.former = self.visitor
        # An open visitor's link is never severed: a sever closes what it masks.
        self.own = self.people.of(self.visitor.contact) if self.visitor.contact else None

    def run(self) -> Outcome:
        if not self.identifiers:
            return Outcome(visitor=self.visitor.id, warnings=self.warnings)
        target, created = self._find_target()
        if target is None:
            self._stay()
            self.people.save()
            return self._outcome(None, created=False, switched=False)
        self.join_others(target, visitor=self._claiming_as, own_record=None)
        self.outrank(target)
        switched = self._attach(target)
        self.add(target)
        self._save(target)
        self._remember_device(target)
        self._claim_back(switched)
        self.people.save()
        return self._outcome(target, created=created, switched=switched)

    @property
    def _claiming_as(self) -> str:
        """The visitor as which contacts remember who claimed them."""
        return self.visitor.cut_from or self.visitor.id

    # 2, 3, 4

    def _find_target(self) -> tuple[str | None, bool]:
        """The contact to attach to, and whether it is new."""
        walked = self.walk()
        if walked is not None:
            identifier, someone = walked
            if self.own is someone and self.visitor.contact:
                return self.visitor.contact, False
            return someone.holds_of(identifier)[0][0].id, False
        if self.own is not None and self.visitor.contact and self._may_extend(self.own):
            return self.visitor.contact, False
        taken = self.outranked(None)
        self.take_over(taken)
        named_for = self.first_unheld()
        if named_for is None:
            return None, False
        made = self.make_contact(named_for).id
        self.ask_about(taken, made)
        return made, True

    def _may_extend(self, own: Someone) -> bool:
        """Whether evidence that names nobody may add to the visitor's own person."""
        held = own.identifiers
        if not any(i in held or self.is_free(i) for i in self.identifiers):
            return False
        if any(self.contradicts(someone) for someone in self.holders()):
            return False
        if any(self.separations.from_identifier(own, i) for i in self.identifiers):
            return False
        common = have_in_common(self.identifiers, held, self.policy)
        if contradict(self.identifiers, held, self.policy, in_common=common):
            return False
        if not common and self._has_unique(held) and self._has_unique(self.identifiers):
            return False
        return (
            not self.has_authority
            or (self.visitor.assurance or Assurance.CLAIMED) >= Assurance.ASSERTED
            or own.is_only_claim_of(self._claiming_as)
            or self.may_follow_claims_to(own)
        )

    def _has_unique(self, identifiers: Iterable[IdentifierKey]) -> bool:
        return any(self.policy.rule(type_of(i)).unique for i in identifiers)

    def _stay(self) -> None:
        """Every identifier is somebody else's: the visitor stays, and a human may look."""
        if not self.has_authority:
            self._claim_nevertheless()
        own = () if self.own is None else (self.own.name,)
        self.review(
            ReviewKind.TAKEN_IDENTIFIER,
            (*(someone.name for someone in self.holders()), *own),
            self.identifiers[0],
            "every identifier is somebody else's",
        )

    def _claim_nevertheless(self) -> None:
        """Claims that attach nobody are claims all the same: step 3 asks for them."""
        visitor = self._claiming(self.visitor)
        self.view.put("cookie", visitor.cookie, Cookie(visitor))
        if visitor.contact is not None and visitor.claims_alone:
            attached = self.people.contact(visitor.contact)
            self.people.put(count_claim(attached, before=self.visitor.claims, after=visitor.claims))

    # 6

    def _attach(self, target: str) -> bool:
        """Attach the visitor, move it whole, or let a new one begin; True for the last."""
        visitor = self.visitor
        link = visitor.link
        if link is not None and self.people.of(link.target) is self.people.of(target):
            if self.evidence.assurance > link.assurance:
                link = self.change(replace(link, assurance=self.evidence.assurance))
            self.visitor = replace(visitor, link=link)
            return False
        if not visitor.is_taken or (link is not None and self._moves_whole()):
            if link is not None:
                self._leave(visitor)
            link = self.link(LinkKind.IDENTIFIED_AS, visitor.id, target, "IDENTIFIED")
            self.visitor = replace(visitor, link=link)
            return False
        self._switch(visitor, target)
        return True

    def _moves_whole(self) -> bool:
        """The visitor rests on claims, one of which this stronger evidence vouches for."""
        return (
            self.has_authority
            and self.visitor.claims_alone
            and not self.visitor.claims.isdisjoint(self.identifiers)
        )

    def _leave(self, visitor: Visitor) -> None:
        """Withdraw the link of a visitor that moves whole to somebody else."""
        assert visitor.link is not None
        self.change(
            replace(
                visitor.link,
                retracted_at=self.evidence.recorded_at,
                retracted_by=self.evidence.id,
                reason="OUTRANKED",
            )
        )
        former = self.people.contact(visitor.link.target)
        self.people.put(count_claim(former, before=visitor.claims, after=None))

    def _switch(self, visitor: Visitor, target: str) -> None:
        """End the visitor here, and begin a new one of the target's."""
        evidence = self.evidence
        boundary = evidence.place
        close(self.view, visitor, evidence, boundary, "switch")
        id = self.ids.visitor(evidence.cookie, evidence.id)
        self.visitor = Visitor(
            id=id,
            cookie=evidence.cookie,
            opening=Opening.SWITCH,
            opened_by=evidence.id,
            start=boundary,
            started_at=evidence.at,
            link=self.link(LinkKind.IDENTIFIED_AS, id, target, "SWITCHED"),
            unattended_after=self.policy.unattended_after,
            unattended_owner=self.policy.unattended.owner,
        )

    # after 7

    def _save(self, target: str) -> None:
        """Take in what is said, who claimed it, and at which assurance the contact now rests."""
        evidence, before = self.evidence, self._claims_counted()
        visitor = self._claiming(self.visitor)
        contact = with_traits(self.people.contact(target), evidence, source="identify")
        if not self.has_authority:
            contact = claimed_by(contact, self._claiming_as)
        if evidence.assurance > contact.assurance:
            contact = replace(contact, assurance=evidence.assurance)
        self.people.put(contact)
        assert visitor.link is not None
        attached = self.people.contact(visitor.link.target)
        after = visitor.claims if visitor.claims_alone else None
        self.people.put(count_claim(attached, before=before, after=after))
        self.visitor = visitor

    def _claims_counted(self) -> frozenset[IdentifierKey] | None:
        """The claims under which the contact counts this visitor so far."""
        former = self.former
        if former.link is None or self.visitor.link is None or not former.claims_alone:
            return None
        counted = (former.id, former.contact) == (self.visitor.id, self.visitor.contact)
        return former.claims if counted else None

    def _claiming(self, visitor: Visitor) -> Visitor:
        """The visitor with what this identify claims, or vouches for."""
        if self.has_authority:
            return replace(visitor, claims_alone=False)
        if visitor.claims.issuperset(self.identifiers):
            return visitor
        return replace(visitor, claims=visitor.claims.union(self.identifiers))

    def _remember_device(self, contact: str) -> None:
        """A device remembers one contact, and once shared only that."""
        name = device_key(self.evidence.device, self.evidence.cookie)
        found = device = self.view.find("device", name)
        if device is None:
            device = Device(contact=contact)
        elif device.contact is not None and (
            self.people.of(device.contact) is not self.people.of(contact)
        ):
            device = Device(shared=True)
        if device is not found:
            self.view.put("device", name, device)
        self.device_is_shared = device.shared

    def _claim_back(self, switched: bool) -> None:
        """Write the visitor with the reach of its link and what its basis is read from."""
        evidence, visitor = self.evidence, self.visitor
        at, assurance = evidence.at, evidence.assurance
        link = visitor.link
        assert link is not None
        if link.reach is None:
            link = self.view.put_link(replace(link, reach=self._reach()))
        visitor = replace(
            visitor,
            link=link,
            assurance=max(assurance, visitor.assurance or assurance),
            identified=visitor.identified or evidence.place,
            verified=visitor.verified
            or (evidence.place if assurance == Assurance.VERIFIED else None),
        )
        if visitor.opening is Opening.SWITCH:
            visitor = self._attend(visitor, at)
        self.view.put("cookie", evidence.cookie, Cookie(visitor))

    def _reach(self) -> Micros:
        """How far back the first identify of a visitor owns it (model.md, Retroactive claim)."""
        if self.visitor.opening is Opening.SWITCH and self.visitor.started_at is not None:
            return self.visitor.started_at
        first = moment(self.visitor.identified or self.evidence.place)
        age = self.policy.on_shared_device if self.device_is_shared else self.policy.max_age
        return max(self.visitor.started_at or 0, first - age)

    def _attend(self, visitor: Visitor, at: Micros) -> Visitor:
        runs = visitor.attended
        if runs and at <= runs[-1][1] + visitor.unattended_after:
            runs = (*runs[:-1], (runs[-1][0], at))
        else:
            runs = (*runs, (at, at))
        return replace(visitor, attended=runs)

    def _outcome(self, contact: str | None, *, created: bool, switched: bool) -> Outcome:
        return Outcome(
            visitor=self.visitor.id,
            contact=contact,
            created=created,
            switched=switched,
            admitted=self.identifiers,
            links=tuple(self.links),
            reviews=tuple(self.reviews),
            warnings=self.warnings,
        )
