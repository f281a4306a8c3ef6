"""step: contact upsert. As identify, without a visitor; the record's own key comes first."""

from __future__ import annotations

from graphid.identity.apart import judged_of
from graphid.identity.ids import Ids
from graphid.identity.obstacles import KEPT_APART, Rule
from graphid.identity.outcome import Outcome
from graphid.identity.people import Someone, replace
from graphid.identity.policy import Policy
from graphid.identity.resolution import Resolution
from graphid.identity.state import Contact, Hold, ReviewKind
from graphid.identity.traits import with_traits
from graphid.identity.values import ContactUpsert, IdentifierKey
from graphid.identity.view import View


def step_upsert(view: View, evidence: ContactUpsert, policy: Policy, ids: Ids) -> Outcome:
    """Take over what a source says of its record."""
    return _Upsert(view, evidence, policy, ids).run()


class _Upsert(Resolution[ContactUpsert]):
    def run(self) -> Outcome:
        if self.evidence.deleted:
            self.identifiers = ()  # what the record said is over, whatever came along
        id = self.ids.record(self.evidence.source, self.evidence.source_id)
        created = self.people.find(id) is None
        walked = self.walk(own_record=id) if created else None
        if created:
            self._make_record(id)
        else:
            self._stand(id)
        if walked is not None:
            self._join_target(id, *walked)
        self.join_others(id, visitor=None, own_record=id)
        self.outrank(id)
        self.add(id, from_record=True)
        self._take_in_traits(id)
        self.people.save()
        return Outcome(
            contact=id,
            created=created,
            admitted=self.identifiers,
            links=tuple(self.links),
            reviews=tuple(self.reviews),
            warnings=self.warnings,
        )

    def _make_record(self, id: str) -> None:
        evidence = self.evidence
        record = Contact(
            id=id,
            made=evidence.place,
            made_at=evidence.at,
            evidence=evidence.id,
            source=evidence.source,
            source_id=evidence.source_id,
            curated=evidence.curated,
            assurance=evidence.assurance,
            apart=judged_of(self.view, id),
            deleted=evidence.deleted,
        )
        self.people.begin(record)

    def _join_target(self, record: str, identifier: IdentifierKey, target: Someone) -> None:
        """Join a new record to the person that its identifiers name first."""
        apart = self.separations.between(self.people.of(record), target)
        too_many = self.too_many(self.people.of(record), target)
        if too_many:
            kind, reason = ReviewKind.LIMIT_REACHED, too_many
        elif self.evidence.curated and target.is_curated:
            kind, reason = Rule.BOTH_CURATED.review, Rule.BOTH_CURATED.value
        elif apart:
            kind, reason = ReviewKind.TAKEN_IDENTIFIER, KEPT_APART
        else:
            self.join(record, target.holds_of(identifier)[0][0].id, "SHARED_IDENTIFIER")
            return
        about = (record, target.name)
        self.review(kind, about, identifier, reason, rejected_by=self.known_to(apart))

    def _stand(self, id: str) -> None:
        """The record as curated, and as well vouched for, as its source now says: before joins.

        A source is right about its own record: what it no longer lists is ended, whoever else said
        it. Of a record that is gone, what others said stays, as far as they vouch for it.
        """
        record = self.people.contact(id)
        record = self.people.put(
            replace(
                record,
                curated=record.curated or self.evidence.curated,
                assurance=max(record.assurance, self.evidence.assurance),
                deleted=self.evidence.deleted,
            )
        )
        for identifier, hold in list(record.holds.items()):
            if hold.record is None or identifier in self.identifiers:
                continue
            if hold.others is None or not self.evidence.deleted:
                self._pass_on(identifier, hold)
                record = self.end_hold(record, identifier, hold)
            else:
                link = self.change(replace(hold.link, assurance=hold.others))
                record = self.people.hold(record, identifier, replace(hold, record=None, link=link))

    def _pass_on(self, identifier: IdentifierKey, ended: Hold) -> None:
        """What others vouched for is so of whoever of the person goes on holding it."""
        record = self.people.contact(ended.link.source)
        for contact, hold in self.people.of(record.id).holds_of(identifier):
            if ended.others is not None and contact is not record:
                others = max(ended.others, hold.others or ended.others)
                self.people.hold(contact, identifier, self.raised(replace(hold, others=others)))

    def _take_in_traits(self, id: str) -> None:
        evidence, record = self.evidence, self.people.contact(id)
        if evidence.deleted:
            said = {n: t for n, t in record.traits.items() if t.source != evidence.source}
            self.people.put(replace(record, traits=said))
        else:
            self.people.put(with_traits(record, evidence, source=evidence.source))
