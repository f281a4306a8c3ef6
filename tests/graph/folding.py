"""The full fold, with all that the graph is to remember of it."""

from __future__ import annotations

from collections.abc import Iterable

from graphid.graph.following import touched_by
from graphid.graph.remembered import Stored
from graphid.identity.fold import sort, step
from graphid.identity.ids import Ids
from graphid.identity.policy import Policy
from graphid.identity.state import Key, Link, Value
from graphid.identity.values import Evidence, Place
from graphid.identity.view import Memory, View


class _State(Memory):
    """As the graph has it, no link is at hand: each that a step puts is told of."""

    def peek(self, key: Key, /) -> Value | None:  # type: ignore[override]  # narrower than a dict's
        return None if key[0] == "link" else self.get(key)


def fold(
    evidence: Iterable[Evidence], policy: Policy, ids: Ids
) -> tuple[dict[Place, Stored], Memory]:
    """What each step touched and wrote, by its place; and what is so in the end."""
    state = _State()
    remembered = {}
    for piece in sort(evidence):
        view = View(state)
        step(view, piece, policy, ids)
        changes = view.changes()
        links = {key[1]: link for key, link in changes.items() if isinstance(link, Link)}
        writes = {key: value for key, value in changes.items() if key[0] != "link"}
        touched = touched_by(view, piece).union(writes)
        remembered[piece.place] = Stored(piece, touched, writes, links)
        state.take_in(changes)
    return remembered, state
