"""Following changes forward: how evidence at any place of the fold changes what is stored.

A piece of evidence is stepped on the state as of its place. Where that changes the value of a
key, the evidence that read the key later, up to and including the next that wrote it, is stepped
again, in the order of the fold, until nothing changes. Evidence in time order is the case where
nothing is later: one step.

What this needs is stored: of each key its versions by place, and for each place the keys that it
touched. Nothing here knows how (:class:`Store`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple, Protocol

from graphid.identity.fold import step
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.policy import Policy
from graphid.identity.state import (
    Cookie,
    Key,
    Link,
    Person,
    Value,
    Visitor,
)
from graphid.identity.values import ContactUpsert, Erase, Evidence, Identify, Place
from graphid.identity.view import View

NEVER: Place = ""
"""Sorts before every place: of what was never written, or never touched."""

AHEAD = 100
"""How many pieces of evidence are fetched at once."""


class Present(NamedTuple):
    """A key's latest value, where it was written, and where a step last read or wrote it."""

    value: Value | None
    wrote: Place
    touched: Place


ABSENT = Present(None, NEVER, NEVER)


class Version(NamedTuple):
    """A key's value as of some place, and the place that wrote it."""

    wrote: Place
    value: Value | None


@dataclass(frozen=True)
class Stored:
    """Evidence as it was stepped before: the keys that it touched, and what it wrote."""

    piece: Evidence
    touched: frozenset[Key]
    writes: Mapping[Key, Value | None]
    links: Mapping[str, Link]


@dataclass(frozen=True)
class Stepped:
    """Evidence as it is stepped now. ``before`` is None for what is new, ``outcome`` for what is
    withdrawn: then it touches nothing any more."""

    piece: Evidence
    outcome: Outcome | None
    touched: frozenset[Key]
    writes: Mapping[Key, Value | None]
    links: Mapping[str, Link]
    before: Stored | None


class Store(Protocol):
    """Where versions and touches are kept. What is asked for is locked until the end."""

    async def present(self, keys: Collection[Key]) -> Mapping[Key, Present]:
        """The latest of each key."""
        ...

    async def versions(
        self, asked: Collection[tuple[Key, Place]]
    ) -> Mapping[tuple[Key, Place], Version]:
        """Of each key the last version that was written before the place."""
        ...

    async def stored(
        self, places: Collection[Place]
    ) -> tuple[Mapping[Place, Stored], Mapping[Key, Present]]:
        """The evidence at these places, and the latest of every key that it touched."""
        ...

    async def readers(self, changed: Collection[tuple[Key, Place]]) -> Collection[Place]:
        """Who touched a key after a place, up to and including the next that wrote it."""
        ...

    async def touching(self, keys: Collection[Key]) -> Collection[Place]:
        """Whoever touched one of these keys, ever."""
        ...


class TooMany(Exception):
    """Following the changes takes more steps than a request may."""


class Missing(Exception):
    """A step asked for a key, or its value as of a place, that is not loaded."""

    def __init__(self, key: Key) -> None:
        super().__init__(key)
        self.key = key


class _AsOf:
    """The state as of a place, as a step sees it."""

    def __init__(self, following: Following, place: Place) -> None:
        self._following = following
        self._place = place

    def get(self, key: Key, /) -> Value | None:
        return self._following.value(key, self._place)

    def peek(self, key: Key, /) -> Value | None:
        return None if key[0] == "link" else self._following.value(key, self._place)


@dataclass
class Following:
    """One unit of work on the fold.

    ``most``: how many stored pieces of evidence may be stepped again, None for any number.
    """

    store: Store
    policy_of: Callable[[int], Awaitable[Policy]]
    ids: Ids
    most: int | None = None
    steps: dict[Place, Stepped] = field(default_factory=dict)
    """What was done, in the order of the fold."""
    present: dict[Key, Present] = field(default_factory=dict)
    _versions: dict[tuple[Key, Place], Version] = field(default_factory=dict)
    _overlay: dict[Key, list[tuple[Place, Version]]] = field(default_factory=dict)
    _fetched: dict[Place, Stored] = field(default_factory=dict)
    _heap: list[Place] = field(default_factory=list)
    _queued: set[Place] = field(default_factory=set)

    async def run(
        self,
        new: Iterable[Evidence],
        *,
        again: Iterable[Place] = (),
        withdrawn: Collection[Place] = (),
        restated: Mapping[Place, Evidence] | None = None,
    ) -> None:
        """Step what is new, and stored evidence ``again``, and whatever reads what that changes.

        ``withdrawn``: stored evidence that is evidence no more. ``restated``: what stored evidence
        says from now on. Raises TooMany.
        """
        restated = restated or {}
        pieces = {piece.place: piece for piece in new}
        for place in (*pieces, *again, *withdrawn, *restated):
            self._push(place)
        for place in await self._named_by(withdrawn, pieces.values()):
            self._push(place)
        stepped_again = 0
        while self._heap:
            place = heappop(self._heap)
            before = None
            if place not in pieces:
                stepped_again += 1
                if self.most is not None and stepped_again > self.most:
                    raise TooMany
                before = await self._fetch(place)
            if before is not None and place in withdrawn:
                await self._settle(place, before, {})
                self.steps[place] = Stepped(before.piece, None, frozenset(), {}, {}, before)
                continue
            piece = pieces[place] if before is None else restated.get(place, before.piece)
            outcome, view, changes = await self._step(piece)
            links = {key[1]: link for key, link in changes.items() if isinstance(link, Link)}
            writes = {key: value for key, value in changes.items() if key[0] != "link"}
            await self._settle(place, before, writes)
            touched = touched_by(view, piece).union(writes)
            self.steps[place] = Stepped(piece, outcome, touched, writes, links, before)
        await self._meet_owners()

    async def _meet_owners(self) -> None:
        """Have at hand whoever owns, or owned, a visitor that was written: what changes of who is
        who is told of people. In time order all of them are there already."""
        written = self.after()
        while True:
            values = [
                *(v.value for v in written.values()),
                *(self.present[k].value for k in written),
            ]
            owners = [visitor.owner for value in values if (visitor := _visitor_in(value))]
            missing = {
                key
                for owner in owners
                if owner is not None
                for latest in (True, False)
                if (key := self._first_unmet(owner, written if latest else {})) is not None
            }
            if not missing:
                return
            self.present |= await self.store.present(missing)

    def _first_unmet(self, contact: str, written: Mapping[Key, Version]) -> Key | None:
        """The first that is not loaded on the way from a contact to its person."""
        key: Key = ("person", contact)
        while key in self.present:
            value = written[key].value if key in written else self.present[key].value
            if not isinstance(value, Person) or value.merged_into is None:
                return None
            key = ("person", value.merged_into)
        return key

    async def _named_by(
        self, withdrawn: Collection[Place], pieces: Iterable[Evidence]
    ) -> Collection[Place]:
        """Whoever names an identifier that is erased now. What bars it is a hash, which nobody is
        found by; but of what is erased, some of the evidence that is withdrawn named each."""
        bars = {bar for piece in pieces if isinstance(piece, Erase) for bar in piece.bars}
        if not bars:
            return ()
        gone = [(await self._fetch(place)).piece for place in withdrawn]
        statements = [piece for piece in gone if isinstance(piece, Identify | ContactUpsert)]
        named = {i for piece in statements for i in piece.identifiers if self.ids.bar(i) in bars}
        return await self.store.touching([("identifier", identifier) for identifier in named])

    def _push(self, place: Place) -> None:
        if place not in self._queued:
            self._queued.add(place)
            heappush(self._heap, place)

    async def _fetch(self, place: Place) -> Stored:
        if place not in self._fetched:
            ahead = [place, *(p for p in sorted(self._heap)[:AHEAD] if p not in self._fetched)]
            fetched, present = await self.store.stored(ahead)
            self._fetched |= fetched
            for key, latest in present.items():
                self.present.setdefault(key, latest)
            self._versions |= await self.store.versions(
                [
                    (key, at)
                    for at, stored in fetched.items()
                    for key in stored.touched
                    if self.present[key].wrote >= at
                ]
            )
        return self._fetched[place]

    async def _step(self, piece: Evidence) -> tuple[Outcome, View, Mapping[Key, Value | None]]:
        """Step as of the piece's place, loading what is asked for and stepping again."""
        policy = await self.policy_of(piece.policy)
        while True:
            view = View(_AsOf(self, piece.place))
            try:
                outcome = step(view, piece, policy, self.ids)
                changes = view.changes()
            except Missing as missing:
                await self._load(missing.key, piece.place, view)
                continue
            return outcome, view, changes

    async def _load(self, key: Key, place: Place, view: View) -> None:
        if key not in self.present:
            if self._must_be_absent(key, place, view):
                self.present[key] = ABSENT
                return
            self.present |= await self.store.present([key])
        if self.present[key].wrote >= place and (key, place) not in self._versions:
            self._versions |= await self.store.versions([(key, place)])

    def _must_be_absent(self, key: Key, place: Place, view: View) -> bool:
        """Whether a key that a step writes cannot have been written: a visitor who is closed now,
        where nothing on the cookie is later."""
        written = view.writes.get(key)
        if not isinstance(written, Visitor):
            return False
        cookie = self.present.get(("cookie", written.cookie))
        return cookie is not None and cookie.touched < place

    def value(self, key: Key, place: Place) -> Value | None:
        """The value as of a place: of what was written before it. Raises Missing."""
        return self._version(key, place).value

    def _version(self, key: Key, place: Place) -> Version:
        base = self._base(key, place)
        settled = self._overlay.get(key)
        if settled:
            last = bisect_left(settled, place, key=_place_of) - 1
            if last >= 0 and settled[last][0] >= base.wrote:
                return settled[last][1]
        return base

    def _base(self, key: Key, place: Place) -> Version:
        """The value as of a place before this unit of work. Raises Missing."""
        latest = self.present.get(key)
        if latest is None:
            raise Missing(key)
        if latest.wrote < place:
            return Version(latest.wrote, latest.value)
        found = self._versions.get((key, place))
        if found is None:
            raise Missing(key)
        return found

    async def _settle(
        self, place: Place, before: Stored | None, writes: Mapping[Key, Value | None]
    ) -> None:
        """Take in what a step writes; queue whoever read what that changes."""
        former: Mapping[Key, Value | None] = {} if before is None else before.writes
        changed: list[tuple[Key, Place]] = []
        for key in {**former, **writes}:
            base = self._base(key, place).value
            was = former.get(key, base)
            now = Version(place, writes[key]) if key in writes else self._version(key, place)
            settled = self._overlay.setdefault(key, [])
            settled.insert(bisect_left(settled, place, key=_place_of), (place, now))
            if was != now.value and (is_proxied(key) or self.present[key].touched > place):
                changed.append((key, place))
        if changed:
            for reader in await self.store.readers(changed):
                if reader > place:
                    self._push(reader)

    # ------------------------------------------------------------------ what came of it

    def after(self) -> dict[Key, Version]:
        """The latest value of each key that was written, where this unit of work wrote it."""
        final: dict[Key, Version] = {}
        for key, settled in self._overlay.items():
            place, version = settled[-1]
            if place >= self.present[key].wrote:
                final[key] = version
        return final

    @property
    def stepped_again(self) -> int:
        """How many stored pieces of evidence were stepped again."""
        return sum(stepped.before is not None for stepped in self.steps.values())


def _place_of(settled: tuple[Place, Version]) -> Place:
    return settled[0]


def _visitor_in(value: Value | None) -> Visitor | None:
    found = value.visitor if isinstance(value, Cookie) else value
    return found if isinstance(found, Visitor) else None


def is_proxied(key: Key) -> bool:
    """Whether a key is also read by those who touched another: what is judged of an identifier is
    read by evidence that names it, and is not worth a touch of its own each time."""
    return key[0] == "judged" and ":" in key[1]


def touched_by(view: View, piece: Evidence) -> frozenset[Key]:
    """The keys by which a step is found again when one of them changes."""
    keys = {key for key in (*view.reads, *view.writes) if key[0] not in ("link", "bar")}
    if isinstance(piece, Identify | ContactUpsert):
        keys = {key for key in keys if not is_proxied(key)}
        keys.update(("identifier", identifier) for identifier in piece.identifiers)
    return frozenset(keys)
