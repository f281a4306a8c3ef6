"""Which identifies only say again what is so.

SDKs send the user id with every event after an identify, and each such event says an identify
besides (model.md, Evidence). Nearly always that repeats what is so: then the event's mark is all
that has to be kept of it, until something before it in the fold becomes another.
"""

from __future__ import annotations

from typing import TypeGuard

from graphid.identity.admission import is_barred
from graphid.identity.ids import Ids
from graphid.identity.people import People
from graphid.identity.policy import Policy
from graphid.identity.state import MANY, LinkState, Opening, Visitor, device_key
from graphid.identity.values import SAID_USER, Assurance, Evidence, IdentifierKey, Identify
from graphid.identity.view import View


def may_repeat(piece: Evidence) -> TypeGuard[Identify]:
    """Whether evidence is the identify that an event says besides."""
    return isinstance(piece, Identify) and piece.id.endswith(SAID_USER)


def repeated(view: View, said: Identify, policy: Policy, ids: Ids) -> str | None:
    """The contact that an identify with a user id alone names again; None where its step would
    change anything.

    More is asked than that: each condition is about one value of the state (the cookie's, the
    contact's person's, the device's, what was judged of the identifier), and about no other once
    the contact is known. So it is the same for every such identify of this cookie, device and
    identifier up to where one of these values is written, whatever else is.
    """
    (identifier,) = said.identifiers or ("",)
    if not identifier or policy.is_blocked(identifier):
        return None
    if is_barred(view, identifier, said.recorded_at, ids):
        return None
    cookie = view.find("cookie", said.cookie)
    if cookie is None:
        return None
    visitor = cookie.visitor
    contact = visitor.contact
    if (
        contact is None
        or not _is_settled(visitor, said)
        or not _knows(People(view), contact, visitor, said.assurance, identifier)
    ):
        return None
    device = view.find("device", device_key(said.device, said.cookie))
    return contact if device is not None and device.contact in (None, contact) else None


def _is_settled(visitor: Visitor, said: Identify) -> bool:
    """Whether the visitor is somebody's, as sure as this says it. After a switch each identify
    tells that they are still there."""
    link = visitor.link
    return (
        link is not None
        and link.state is LinkState.ACTIVE
        and link.reach is not None
        and link.assurance >= said.assurance
        and visitor.opening is not Opening.SWITCH
        and visitor.identified is not None
        and (visitor.assurance or Assurance.CLAIMED) >= said.assurance
        and (
            visitor.claims.issuperset(said.identifiers)
            if said.assurance < Assurance.ASSERTED
            else not visitor.claims_alone
        )
    )


def _knows(
    people: People, id: str, visitor: Visitor, assurance: Assurance, identifier: IdentifierKey
) -> bool:
    """Whether the contact itself holds the identifier, as sure as this says it, and an identify
    with it leads there."""
    someone = people.of(id)
    contact = someone.contacts[id]
    hold = contact.holds.get(identifier)
    if hold is None or hold.others is None or hold.others < assurance:
        return False
    if assurance < Assurance.ASSERTED:
        claimant = visitor.cut_from or visitor.id
        leads_there = hold.assurance > Assurance.CLAIMED or someone.rests_on_claims_alone
        return leads_there and contact.claimant in (claimant, MANY)
    return contact.assurance >= assurance
