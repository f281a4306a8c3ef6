"""A store of versions and touches in dictionaries, to try following changes without a database."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from graphid.graph.following import Following
from graphid.graph.projection import Difference
from graphid.graph.remembered import NEVER, Behind, Mark, Present, Stored, Version, is_proxied
from graphid.identity.ids import Ids
from graphid.identity.policy import Policy
from graphid.identity.state import Key, Link, Value, device_key
from graphid.identity.values import Evidence, Place
from graphid.identity.view import Memory


class InMemory:
    """What the graph would hold; ``take`` is a unit of work."""

    def __init__(self, policy: Policy, ids: Ids) -> None:
        self.ids = ids
        self.policy = policy
        self.latest: dict[Key, Present] = {}
        self.links: dict[str, Link] = {}
        self.evidence: dict[Place, Stored] = {}
        self.steps_again: list[int] = []
        self.marks_kept: dict[Place, Mark] = {}
        self._versions: dict[Key, list[tuple[Place, Value | None]]] = defaultdict(list)
        self._touches: dict[Key, list[Place]] = defaultdict(list)
        self._repeated: dict[Key, Place] = {}

    async def take(
        self,
        pieces: Iterable[Evidence],
        withdrawn: Collection[Place] = (),
        again: Collection[Place] = (),
    ) -> Difference:
        following = Following(self, self._policy_of, self.ids, spares=True)
        pieces = list(pieces)
        await following.run(pieces, withdrawn=withdrawn, again=again)
        self.steps_again.append(following.stepped_again)
        difference = Difference(following, self.ids, pieces[0] if pieces else None)
        self._store(following, difference)
        return difference

    async def _policy_of(self, version: int) -> Policy:
        return self.policy

    @property
    def state(self) -> Memory:
        """The latest values."""
        values = {key: latest.value for key, latest in self.latest.items()}
        return Memory({key: value for key, value in values.items() if value is not None})

    def _store(self, following: Following, difference: Difference) -> None:
        rested = self._store_marks(following)
        for place, stepped in following.steps.items():
            if stepped.before is not None:
                del self.evidence[place]
                for key in stepped.before.touched:
                    self._touches[key].remove(place)
                for key in stepped.before.writes:
                    versions = self._versions[key]
                    del versions[bisect_left(versions, place, key=lambda v: v[0])]
            if stepped.outcome is None:
                continue
            for key in stepped.touched:
                insort(self._touches[key], place)
            for key, value in stepped.writes.items():
                insort(self._versions[key], (place, value), key=lambda v: v[0])
            self.evidence[place] = Stored(
                stepped.piece, stepped.touched, stepped.writes, stepped.links
            )
        after = following.after()
        for stepped in following.steps.values():
            for key in stepped.touched:
                self.latest.setdefault(key, Present(None, NEVER, NEVER))
        for key in {*after, *rested, *(k for s in following.steps.values() for k in s.touched)}:
            touched = self._touches[key]
            self.latest[key] = Present(
                after[key].value if key in after else self.latest[key].value,
                after[key].wrote if key in after else self.latest[key].wrote,
                max(touched[-1] if touched else NEVER, self._repeated.get(key, NEVER)),
            )
        self.links |= difference.links

    def _store_marks(self, following: Following) -> set[Key]:
        """Store what only says again what is so; the keys that it rests on."""
        for place in following.steps.keys() & following.marks.keys():
            del self.marks_kept[place]
        for place, repetition in following.repetitions.items():
            said = repetition.piece
            same = (said.cookie, said.device, *said.identifiers, str(said.assurance))
            name = "|".join(map(str, (*same, repetition.contact)))
            self.marks_kept[place] = Mark(said, None, repetition.contact, name, place)
        rests = [*following.repetitions.items()]
        # Of those that were looked at again, the ones behind them rest on the same.
        rests += [
            (max(self._of(following.marks[place].repetition)), repetition)
            for place, repetition in following.kept.items()
        ]
        for place, repetition in rests:
            for key in repetition.touched:
                self._repeated[key] = max(place, self._repeated.get(key, NEVER))
                self.latest.setdefault(key, Present(None, NEVER, NEVER))
        return {key for _, repetition in rests for key in repetition.touched}

    # ------------------------------------------------------------------ Store

    async def present(self, keys: Collection[Key]) -> Mapping[Key, Present]:
        return {key: self.latest.get(key, Present(None, NEVER, NEVER)) for key in keys}

    async def versions(
        self, asked: Collection[tuple[Key, Place]]
    ) -> Mapping[tuple[Key, Place], Version]:
        return {(key, place): self._version(key, place) for key, place in asked}

    def _version(self, key: Key, place: Place) -> Version:
        versions = self._versions[key]
        index = bisect_left(versions, place, key=lambda v: v[0]) - 1
        return Version(NEVER, None) if index < 0 else Version(*versions[index])

    async def stored(
        self, places: Collection[Place]
    ) -> tuple[Mapping[Place, Stored], Mapping[Key, Present]]:
        found = {place: self.evidence[place] for place in places if place in self.evidence}
        keys = {key for stored in found.values() for key in stored.touched}
        return found, await self.present(keys)

    async def readers(self, changed: Collection[tuple[Key, Place]]) -> Collection[Place]:
        places: set[Place] = set()
        for key, place in changed:
            if is_proxied(key):
                places.update(self._touches["identifier", key[1]])
            writers = [at for at, _ in self._versions[key] if at > place]
            until = writers[0] if writers else ":"
            places.update(at for at in self._touches[key] if place < at <= until)
        return places

    async def touching(self, keys: Collection[Key]) -> Collection[Place]:
        return {place for key in keys for place in self._touches[key]}

    async def marks(self, asked: Collection[Behind]) -> Collection[Mark]:
        found: dict[Place, Mark] = {}
        for kind, id, behind in asked:
            first: dict[str, Mark] = {}
            for place in sorted(self.marks_kept):
                mark = self.marks_kept[place]
                if place > behind and id == _named(mark, kind):
                    first.setdefault(mark.repetition, mark)
            found |= {mark.piece.place: mark for mark in first.values()}
        return list(found.values())

    def _of(self, repetition: str) -> list[Place]:
        return [at for at, mark in self.marks_kept.items() if mark.repetition == repetition]


def _named(mark: Mark, kind: str) -> str:
    match kind:
        case "cookie":
            return mark.piece.cookie
        case "device":
            return device_key(mark.piece.device, mark.piece.cookie)
        case "identifier":
            return mark.piece.identifiers[0]
        case "contact":
            return mark.contact
    return mark.repetition
