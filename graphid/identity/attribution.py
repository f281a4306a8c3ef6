"""Who owns an event, and on what basis (model.md, Who owns an event; Attribution basis)."""

from __future__ import annotations

from bisect import bisect_right
from enum import StrEnum

import msgspec

from graphid.identity.ids import UNCLAIMED
from graphid.identity.state import Link, LinkState, Opening, Visitor
from graphid.identity.values import Assurance, Micros, Place, moment


class Basis(StrEnum):
    AUTHENTICATED = "AUTHENTICATED"
    IDENTIFIED = "IDENTIFIED"
    RETROACTIVE = "RETROACTIVE"
    UNATTENDED = "UNATTENDED"
    ANONYMOUS = "ANONYMOUS"


class Attribution(msgspec.Struct, frozen=True):
    """Whose an event is. ``contact`` is the owner's, or None: then ``anonymous`` is the id of
    the anonymous person as whom it is read."""

    basis: Basis
    anonymous: str | None = None
    contact: str | None = None
    link: Link | None = None
    assurance: Assurance | None = None


def attribute(visitor: Visitor, place: Place) -> Attribution:
    """The owner of what a visitor did at a place of the fold.

    The visitor must be the one whose interval covers the place.
    """
    at = moment(place)
    link = visitor.link
    if link is None or link.state is LinkState.SEVERED:
        return Attribution(Basis.ANONYMOUS, anonymous=visitor.id)
    if link.reach is not None and at < link.reach:
        return Attribution(Basis.ANONYMOUS, anonymous=visitor.id + UNCLAIMED)
    basis = _basis(visitor, place, at)
    if basis is Basis.UNATTENDED and visitor.disowns_unattended:
        return Attribution(Basis.ANONYMOUS, anonymous=visitor.id + UNCLAIMED)
    return Attribution(basis, contact=link.target, link=link, assurance=link.assurance)


def _basis(visitor: Visitor, place: Place, at: Micros) -> Basis:
    if _is_unattended(visitor, at):
        return Basis.UNATTENDED
    if visitor.verified is not None and place >= visitor.verified:
        return Basis.AUTHENTICATED
    if visitor.identified is not None and place >= visitor.identified:
        return Basis.IDENTIFIED
    return Basis.RETROACTIVE


def _is_unattended(visitor: Visitor, at: Micros) -> bool:
    """After a switch without logout, long after the visitor last identified."""
    if visitor.opening is not Opening.SWITCH or not visitor.attended:
        return False
    run = bisect_right([first for first, _ in visitor.attended], at) - 1
    return run >= 0 and at > visitor.attended[run][1] + visitor.unattended_after
