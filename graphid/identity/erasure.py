"""Erase: what is left of a piece of evidence when somebody is forgotten (model.md, erase).

What was said of them goes. What others said stays theirs, without the identifiers of whoever is
erased; and where on a cookie they were stays, so that it becomes nobody else's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import msgspec

from graphid.identity.people import replace
from graphid.identity.state import LinkState, Visitor
from graphid.identity.values import (
    Anchor,
    ContactAnchor,
    ContactUpsert,
    Evidence,
    IdentifierAnchor,
    IdentifierKey,
    Identify,
    KeepApart,
    Kind,
    Merge,
    Micros,
    Operation,
    Place,
    Promote,
    Sever,
    Vacancy,
    VisitorAnchor,
    place,
)


@dataclass(frozen=True)
class Erased:
    """Who is forgotten: ids of contacts, all visitors that are or were theirs, and identifiers
    that were theirs alone."""

    contacts: frozenset[str]
    visited: tuple[Visitor, ...]
    identifiers: frozenset[IdentifierKey]

    @cached_property
    def visitors(self) -> frozenset[str]:
        """The visitors that nobody took from them."""
        return frozenset(
            visitor.id
            for visitor in self.visited
            if visitor.link is None or visitor.link.state is not LinkState.SEVERED
        )

    def ended(self, by: Operation) -> bool:
        """Whether an operation ended a visitor of theirs."""
        return any(visitor.ended_by == by.id for visitor in self.visited)

    def given(self, by: Operation) -> tuple[str, ...]:
        """The cookies that had a visitor open then whom an operation gave to them."""
        return tuple(
            sorted(
                visitor.cookie
                for visitor in self.visited
                if given_at(visitor) == by.place and (visitor.end is None or visitor.end > by.place)
            )
        )

    def is_theirs(self, anchor: Anchor | IdentifierAnchor) -> bool:
        """Whether an anchor names them."""
        if isinstance(anchor, ContactAnchor):
            return anchor.contact in self.contacts
        if isinstance(anchor, VisitorAnchor):
            return anchor.visitor in self.visitors
        return anchor.identifier in self.identifiers


def vacancy_of(identify: Identify, reach: Micros) -> Vacancy:
    """That somebody had the cookie here, from ``reach`` on, and not who."""
    return Vacancy(
        id=identify.id,
        at=identify.at,
        recorded_at=identify.recorded_at,
        cookie=identify.cookie,
        device=identify.device,
        reach=reach,
        policy=identify.policy,
    )


def given_at(visitor: Visitor) -> Place:
    """Where in the fold an operator gave a visitor to its owner; before all if nobody did."""
    link = visitor.link
    if link is None or link.rule != "MERGED":
        return ""
    return place(link.recorded_at, Kind.OPERATION, link.evidence)


def left_of(piece: Evidence, erased: Erased) -> Evidence | None:
    """What is left of evidence that others gave, or of an operation; None: nothing.

    The piece itself where it does not name who is erased.
    """
    match piece:
        case Identify() | ContactUpsert():
            return _without(piece, erased.identifiers)
        case Merge():
            return _left_of_merge(piece, erased)
        case Sever():
            return _left_of_sever(piece, erased)
        case Promote():
            if erased.is_theirs(piece.contact):
                return None
            (contact,) = _others((piece.contact,), erased)
            return piece if contact == piece.contact else _struck(piece, contact=contact)
        case KeepApart():
            sides = tuple(side for s in piece.sides if (side := _others(s, erased)))
            if sides == piece.sides:
                return piece
            if len(sides) < 2:
                sides = ()
            return _struck(piece, sides=sides) if sides or piece.withdraws else None
        case _:
            return piece


def _without(
    piece: Identify | ContactUpsert, identifiers: Collection[IdentifierKey]
) -> Identify | ContactUpsert:
    kept = tuple(identifier for identifier in piece.identifiers if identifier not in identifiers)
    return piece if kept == piece.identifiers else replace(piece, identifiers=kept)


def _left_of_merge(merge: Merge, erased: Erased) -> Evidence | None:
    merged = _others(merge.of, erased)
    if len(merged) > 1:
        return merge if merged == merge.of else _struck(merge, of=merged)
    given = erased.given(merge)
    if not given:
        return None
    # It gave open visitors to them: who came next began anew, and still does.
    return Vacancy(
        id=merge.id,
        at=merge.at,
        recorded_at=merge.recorded_at,
        cookie=given[0],
        given=given,
        policy=merge.policy,
    )


def _left_of_sever(sever: Sever, erased: Erased) -> Evidence | None:
    if not any(erased.is_theirs(contact) for contact in sever.contacts):
        contacts = _others(sever.contacts, erased)
        return sever if contacts == sever.contacts else _struck(sever, contacts=contacts)
    if not erased.ended(sever):
        return None
    # It ended the open visitor, so that who came next began anew: they still did.
    return Vacancy(
        id=sever.id,
        at=sever.at,
        recorded_at=sever.recorded_at,
        cookie=sever.visitor.cookie,
        ends=True,
        policy=sever.policy,
    )


_A = TypeVar("_A", bound=Anchor | IdentifierAnchor)


def _others(anchors: Iterable[_A], erased: Erased) -> tuple[_A, ...]:
    """The anchors of others, none of which says what it is named for if that is erased."""
    return tuple(
        replace(anchor, named_for=None)
        if isinstance(anchor, ContactAnchor) and anchor.named_for in erased.identifiers
        else anchor
        for anchor in anchors
        if not erased.is_theirs(anchor)
    )


Done = TypeVar("Done", bound=Operation)


def _struck(operation: Done, **left: object) -> Done:
    """An operation without those who are erased, and without the reason, which may name them."""
    return msgspec.structs.replace(operation, reason="", **left)
