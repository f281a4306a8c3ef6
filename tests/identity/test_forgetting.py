"""Erase, on histories that look like life: nobody inherits what was somebody's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from graphid.identity.erasure import Erased, given_at, left_of, vacancy_of
from graphid.identity.fold import Resolved, resolve
from graphid.identity.policy import Policy
from graphid.identity.state import Identifier, Visitor
from graphid.identity.values import ContactUpsert, Erase, Evidence, IdentifierKey, Identify
from tests.identity.lives import COOKIES, IDS, MINUTE, OPERATORS, lives, owners, places


class Forgetting:
    """What is one person's in a fold, found as ``service.operations.finding`` finds it."""

    def __init__(self, history: list[Evidence], seen: Resolved, name: str) -> None:
        self.seen = seen
        contacts = seen.people()[name].contacts
        self.contacts = frozenset(contact.id for contact in contacts)
        self.records = {contact.id for contact in contacts if contact.source is not None}
        self.held = {identifier for contact in contacts for identifier in contact.holds}
        self.visitors = [
            visitor
            for cookie in COOKIES
            for visitor in seen.visitors_of(cookie)
            if visitor.link is not None and visitor.link.target in self.contacts
        ]
        self.live = sorted((p for p in history if p.id in seen.outcomes), key=lambda p: p.place)
        self.own = {piece.id for piece in self.live if self._is_own(piece)}
        self.identifiers = frozenset(
            identifier
            for identifier in self.held.union(*map(self._named, self.live))
            if not self._is_anothers(identifier)
        )

    def _is_own(self, piece: Evidence) -> bool:
        if isinstance(piece, ContactUpsert):
            return IDS.record(piece.source, piece.source_id) in self.records
        return any(self._is_on(piece, visitor) for visitor in self.visitors)

    def _is_on(self, piece: Evidence, visitor: Visitor) -> bool:
        if not isinstance(piece, Identify) or piece.cookie != visitor.cookie:
            return False
        is_others = piece.place < given_at(visitor) and self.held.isdisjoint(piece.identifiers)
        return not is_others and visitor.start <= piece.place < (visitor.end or ":")

    def _named(self, piece: Evidence) -> tuple[IdentifierKey, ...]:
        if piece.id not in self.own or not isinstance(piece, Identify | ContactUpsert):
            return ()
        return piece.identifiers

    def _is_anothers(self, identifier: IdentifierKey) -> bool:
        held = self.seen.state.get(("identifier", identifier))
        contacts = held.contacts if isinstance(held, Identifier) else ()
        return bool(contacts) and self.contacts.isdisjoint(contacts)

    def left(self) -> list[Evidence]:
        """The evidence that is left, and the erasure."""
        erased = Erased(self.contacts, tuple(self.visitors), self.identifiers)
        reaches = {
            next((p.id for p in self.live if self._is_on(p, v)), None): v.link.reach or 0
            for v in self.visitors
            if v.link is not None
        }
        left: list[Evidence] = []
        gone: list[str] = []
        for piece in self.live:
            kept = left_of(piece, erased) if piece.id not in self.own else None
            if piece.id in reaches and isinstance(piece, Identify):
                kept = vacancy_of(piece, reaches[piece.id])
            if kept is None:
                gone.append(piece.id)
            else:
                left.append(kept)
        at = max(piece.recorded_at for piece in self.live) + MINUTE
        bars = tuple(IDS.bar(identifier) for identifier in self.identifiers)
        return [*left, Erase(id="erase", recorded_at=at, withdraws=tuple(gone), bars=bars)]


@given(lives(operators=OPERATORS), st.data())
def test_nobody_inherits_what_was_theirs(
    life: tuple[list[Evidence], Policy], data: st.DataObject
) -> None:
    history, policy = life
    seen = resolve(history, policy, IDS)
    people = sorted(seen.people())
    if not people:
        return
    name = data.draw(st.sampled_from(people))
    forgetting = Forgetting(history, seen, name)
    after = resolve(forgetting.left(), policy, IDS)
    where = places(history)
    before, now = owners(seen, where), owners(after, where)
    theirs = [at for at, owner in before.items() if owner == name]
    assert all(now[at].startswith("visitor_") for at in theirs)
    # A value that an operator blocked, or severed from others, is refused for all time.
    said = repr([(key, value) for key, value in after.state.items() if key[0] != "judged"])
    assert not [identifier for identifier in forgetting.identifiers if repr(identifier) in said]
