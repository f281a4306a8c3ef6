"""step: contact upsert. As identify, without a visitor; the record's own key comes first."""

from __future__ import annotations

import msgspec

from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.people import Someone, save
from graphid.identity.policy import Policy
from graphid.identity.resolution import Resolution
from graphid.identity.state import Contact, ReviewKind, View
from graphid.identity.traits import with_traits
from graphid.identity.values import ContactUpsert, IdentifierKey


def step_upsert(view: View, evidence: ContactUpsert, policy: Policy, ids: Ids) -> Outcome:
    """Take over what a source says of its record."""
    return _Upsert(view, evidence, policy, ids).run()


class _Upsert(Resolution):
    evidence: ContactUpsert

    def run(self) -> Outcome:
        if self.evidence.deleted:
            self.identifiers = ()  # what the record said is over, whatever came along
        id = self.ids.record(self.evidence.source, self.evidence.source_id)
        record = self.view.find("contact", id)
        created = record is None
        if record is not None:
            record = self._end_unlisted(self._stand(record))
        walked = self.walk(own_record=id) if record is None else None
        record = record or self._make_record(id)
        if walked is not None:
            self._join_target(record, *walked)
        self.join_others(id, visitor=None, own_record=id)
        self.outrank(id)
        record = self.add(self.view.contact(id), from_record=True)
        self._save(record)
        return Outcome(
            contact=id,
            created=created,
            admitted=self.identifiers,
            links=tuple(self.links),
            reviews=tuple(self.reviews),
            warnings=self.warnings,
        )

    def _make_record(self, id: str) -> Contact:
        evidence = self.evidence
        record = Contact(
            id=id,
            made=evidence.place,
            made_at=evidence.at,
            person=id,
            evidence=evidence.id,
            source=evidence.source,
            source_id=evidence.source_id,
            curated=evidence.curated,
            assurance=evidence.assurance,
        )
        save(self.view, [record])
        return record

    def _join_target(self, record: Contact, identifier: IdentifierKey, target: Someone) -> None:
        """Join a new record to the person that its identifiers name first."""
        if self.evidence.curated and target.is_curated:
            self.review(
                ReviewKind.SUGGESTED_MERGE,
                (record.id, target.name),
                identifier,
                "both are curated",
            )
        elif len(target.contacts) >= self.policy.merge.max_contacts:
            self.review(
                ReviewKind.LIMIT_REACHED,
                (record.id, target.name),
                identifier,
                "the person would have too many contacts",
            )
        else:
            self.join(Someone.of_contact(self.view, record.id), target, record.id, identifier)

    def _stand(self, record: Contact) -> Contact:
        """The record as curated, and as well vouched for, as its source now says: before joins."""
        record = msgspec.structs.replace(
            record,
            curated=record.curated or self.evidence.curated,
            assurance=max(record.assurance, self.evidence.assurance),
        )
        self.view.put("contact", record.id, record)
        return record

    def _end_unlisted(self, record: Contact) -> Contact:
        """A source is right about its own record: end what it no longer lists."""
        for identifier, hold in list(record.holds.items()):
            if hold.record is None or identifier in self.identifiers:
                continue
            if hold.others is None:
                record = self.end_hold(record, identifier, hold)
                continue
            link = msgspec.structs.replace(hold.link, assurance=hold.others)
            self.links[self.view.put_link(link).id] = None
            kept = msgspec.structs.replace(hold, record=None, link=link)
            record = msgspec.structs.replace(record, holds={**record.holds, identifier: kept})
            self.view.put("contact", record.id, record)
        return record

    def _save(self, record: Contact) -> None:
        evidence = self.evidence
        if evidence.deleted:
            said = {n: t for n, t in record.traits.items() if t.source != evidence.source}
            record = msgspec.structs.replace(record, traits=said)
        else:
            record = with_traits(record, evidence, source=evidence.source)
        self.view.put("contact", record.id, record)
        someone = Someone.of_contact(self.view, record.id)
        save(self.view, someone.contacts, former=(someone.name,))
