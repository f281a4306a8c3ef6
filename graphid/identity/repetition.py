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
from graphid.identity.state import MANY, Contact, Opening, Visitor, device_key
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
    if visitor.contact is None or not _is_settled(visitor, said):
        return None
    contact = People(view).contact(visitor.contact)
    if not _knows(contact, visitor, said.assurance, identifier):
        return None
    device = view.find("device", device_key(said.device, said.cookie))
    if device is None or device.contact not in (None, contact.id):
        return None
    return contact.id


def _is_settled(visitor: Visitor, said: Identify) -> bool:
    """Whether the visitor is somebody's, as surely as this says it. After a switch each identify
    tells that they are still there."""
    link = visitor.link
    if link is None or link.reach is None or visitor.identified is None:
        return False
    if visitor.opening is Opening.SWITCH:
        return False
    if said.assurance < Assurance.ASSERTED:
        return visitor.claims.issuperset(said.identifiers)
    return (visitor.assurance or 0) >= said.assurance


def _knows(
    contact: Contact, visitor: Visitor, assurance: Assurance, identifier: IdentifierKey
) -> bool:
    """Whether the contact itself holds the identifier, as surely as this says it; the visitor's
    own person is then who is meant, whatever else is known of them."""
    hold = contact.holds.get(identifier)
    if hold is None or hold.others is None or hold.others < assurance:
        return False
    if assurance < Assurance.ASSERTED:
        return contact.claimant in (visitor.cut_from or visitor.id, MANY)
    return contact.assurance >= assurance
