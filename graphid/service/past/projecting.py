"""Values of the fold as the records that readers answer: nothing is looked up here."""

from __future__ import annotations

from graphid.graph.past.past import Named
from graphid.graph.rows import review_row
from graphid.identity.ids import Ids
from graphid.identity.people import replace
from graphid.identity.state import Contact, Link, LinkKind, LinkState, Review, Visitor
from graphid.identity.traits import traits_of
from graphid.identity.values import IdentifierKey, moment
from graphid.service.devices import CookieRecord
from graphid.service.links import LinkRecord, NamedIdentifier, ReviewRecord
from graphid.service.people import MADE_HERE, ContactRecord, IdentifierRecord, PersonRecord
from graphid.service.visitors import Horizon, VisitorRecord


def person_record(named: Named, ids: Ids) -> PersonRecord:
    """A person, named for the first of the contacts."""
    name, person = named
    id = ids.person(name)
    contacts = sorted(person.contacts, key=lambda contact: (contact.made, contact.id))
    return PersonRecord(
        id=id,
        contacts=tuple(contact_record(contact, id, ids) for contact in contacts),
        merged_from=tuple(sorted(ids.person(c.id) for c in contacts if c.id != name)),
        traits=traits_of(contacts),
    )


def contact_record(contact: Contact, person: str, ids: Ids) -> ContactRecord:
    """A contact of the person with that id."""
    return ContactRecord(
        id=contact.id,
        person=person,
        source=contact.source or MADE_HERE,
        source_id=contact.source_id or contact.id,
        state="CURATED" if contact.curated else "IDENTIFIED",
        made=contact.made,
        traits=contact.traits,
        identifiers=tuple(
            IdentifierRecord(node.id, node.type, node.value, hold.link.assurance, hold.link.at)
            for key, hold in sorted(contact.holds.items(), key=lambda held: _parts(held[0]))
            for node in [identifier_node(key, ids)]
        ),
        is_record=contact.source is not None and not contact.deleted,
    )


def visitor_record(
    visitor: Visitor, owner: str | None, cookie: CookieRecord | None, horizon: Horizon
) -> VisitorRecord:
    """A visitor, owned by the person with the id ``owner``. ``cookie``: as it was seen by then."""
    if visitor.link is not None and visitor.link.state is LinkState.SEVERED:
        # What readers see of a visitor is the link that stands.
        visitor = replace(visitor, link=None)
    started = visitor.started_at or (moment(visitor.start) if visitor.start else 0)
    return VisitorRecord(
        visitor=visitor,
        owner=owner,
        seen_from=started if cookie is None else cookie.first_seen_at,
        seen_to=started if cookie is None else cookie.last_seen_at,
        device=None if cookie is None else cookie.device,
        horizon=horizon,
    )


def link_record(link: Link, ids: Ids) -> LinkRecord:
    """A link; one to an identifier leads to its node."""
    if link.kind is not LinkKind.HAS_IDENTIFIER:
        return LinkRecord(link)
    node = identifier_node(link.target, ids)
    return LinkRecord(replace(link, target=node.id), node)


def identifier_node(key: IdentifierKey, ids: Ids) -> NamedIdentifier:
    """The node of an identifier."""
    return NamedIdentifier(ids.identifier(key), *_parts(key))


def review_record(review: Review) -> ReviewRecord:
    """A review."""
    properties = review_row(review)["properties"]
    return ReviewRecord(
        id=review.id,
        kind=review.kind.value,
        state=properties["state"],
        contacts=review.contacts,
        identifier=review.identifier,
        evidence=review.evidence,
        reason=review.reason,
        recorded_at=review.recorded_at,
        position=properties["position"],
    )


def _parts(key: IdentifierKey) -> tuple[str, str]:
    type, _, value = key.partition(":")
    return type, value
