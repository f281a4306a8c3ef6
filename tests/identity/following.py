"""Late evidence followed forward (model.md, Keeping the graph equal to the fold), in memory.

The plainest form of what the graph does, to ask of the fold whether it allows it: whether what a
step read is all that its outcome depends on, and a step need be taken again only where something
that it read has changed.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from heapq import heappop, heappush

from graphid.identity.fold import step
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.policy import Policy
from graphid.identity.state import Key, Value
from graphid.identity.values import Erase, Evidence, Place
from graphid.identity.view import Memory, View


class _At:
    """The state as of before a place."""

    def __init__(self, following: Following, place: Place) -> None:
        self._following = following
        self._place = place

    def get(self, key: Key, /) -> Value | None:
        return self._following.before(key, self._place)

    peek = get


class Following:
    """The fold of what has arrived so far, kept by its versions."""

    def __init__(self, policy: Policy, ids: Ids) -> None:
        self._policy = policy
        self._ids = ids
        self._evidence: dict[Place, Evidence] = {}
        self._ids_seen: dict[str, Place | None] = {}
        self._versions: defaultdict[Key, dict[Place, Value | None]] = defaultdict(dict)
        self._written: defaultdict[Key, list[Place]] = defaultdict(list)
        self._readers: defaultdict[Key, set[Place]] = defaultdict(set)
        self._reads: dict[Place, set[Key]] = {}
        self._changes: dict[Place, dict[Key, Value | None]] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.steps = 0
        """Steps taken, again ones included."""

    def take(self, piece: Evidence) -> None:
        """Take in what has arrived, and follow what it changes."""
        if piece.id in self._ids_seen:
            return
        self._ids_seen[piece.id] = piece.place
        self._evidence[piece.place] = piece
        begin = [piece.place]
        if isinstance(piece, Erase):
            for id in piece.withdraws:
                place = self._ids_seen.get(id)
                self._ids_seen[id] = None  # should it come again, it stays away
                if place is not None and self._evidence.pop(place, None) is not None:
                    self.outcomes.pop(id)
                    begin.append(place)
        self._follow(begin)

    @property
    def state(self) -> Memory:
        """What is so, once all steps are taken."""
        found = {key: self.before(key, "~") for key in self._written}
        return Memory({key: value for key, value in found.items() if value is not None})

    def before(self, key: Key, place: Place) -> Value | None:
        """A value as the steps before a place left it."""
        written = self._written[key]
        index = bisect_left(written, place)
        return self._versions[key][written[index - 1]] if index else None

    def _follow(self, begin: list[Place]) -> None:
        waiting: list[Place] = []
        queued: set[Place] = set()

        def queue(place: Place) -> None:
            if place not in queued:
                queued.add(place)
                heappush(waiting, place)

        for place in begin:
            queue(place)
        while waiting:
            place = heappop(waiting)
            for key in self._take_again(place):
                for reader in self._touched_next(key, place):
                    queue(reader)

    def _take_again(self, place: Place) -> list[Key]:
        """Take the step of a place; the keys of which it left another value than last time."""
        self.steps += 1
        piece = self._evidence.get(place)
        view = View(_At(self, place))
        if piece is not None:
            self.outcomes[piece.id] = step(view, piece, self._policy, self._ids)
        changes, former = view.changes(), self._changes.get(place, {})
        left_before = {key: self._left(key, place) for key in {**former, **changes}}
        for key in self._reads.get(place, set()) - view.reads.keys():
            self._readers[key].discard(place)
        for key in view.reads:
            self._readers[key].add(place)
        self._reads[place] = set(view.reads)
        for key in former.keys() - changes.keys():
            del self._versions[key][place]
            self._written[key].remove(place)
        for key, value in changes.items():
            if place not in self._versions[key]:
                insort(self._written[key], place)
            self._versions[key][place] = value
        self._changes[place] = changes
        return [key for key, left in left_before.items() if self._left(key, place) != left]

    def _left(self, key: Key, place: Place) -> Value | None:
        """The value that the step of a place leaves behind, whoever wrote it."""
        versions = self._versions[key]
        return versions[place] if place in versions else self.before(key, place)

    def _touched_next(self, key: Key, place: Place) -> list[Place]:
        """The later readers of a key, up to and including its next writer."""
        written = self._written[key]
        index = bisect_left(written, place)
        if index < len(written) and written[index] == place:
            index += 1
        last = written[index] if index < len(written) else None
        return [
            reader
            for reader in {*self._readers[key], *([last] if last else [])}
            if reader > place and (last is None or reader <= last)
        ]
