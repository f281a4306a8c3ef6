"""Following changes forward: how evidence at any place of the fold changes what is stored.

A piece of evidence is stepped on the state as of its place. Where that changes the value of a
key, the evidence that read the key later, up to and including the next that wrote it, is stepped
again, in the order of the fold, until nothing changes. Evidence in time order is the case where
nothing is later: one step.

What this needs is stored: of each key its versions by place, and for each place the keys that it
touched. Nothing here knows how (:class:`Store`).

Of an identify that only says again what is so (``identity.repetition``) no more is stored than
that it was said. Where something before it becomes another, the first of its kind is looked at
again; and is evidence from then on, if it no longer repeats.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TypeVar

from graphid.graph.remembered import (
    ABSENT,
    Behind,
    Mark,
    Present,
    Repetition,
    Stepped,
    Store,
    Stored,
    Version,
    is_proxied,
)
from graphid.identity.fold import step
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.policy import Policy
from graphid.identity.repetition import may_repeat, repeated
from graphid.identity.state import (
    Cookie,
    Key,
    Link,
    Person,
    Value,
    Visitor,
    device_key,
)
from graphid.identity.values import ContactUpsert, Erase, Evidence, Identify, Place
from graphid.identity.view import View

Seen = TypeVar("Seen")

AHEAD = 100
"""How many pieces of evidence are fetched at once."""


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
    ``spares``: what is new and only says again what is so is not stepped, and need not be stored.
    ``forgotten``: contacts whose marks are gone, with all that is erased of them.
    """

    store: Store
    policy_of: Callable[[int], Awaitable[Policy]]
    ids: Ids
    most: int | None = None
    spares: bool = False
    forgotten: frozenset[str] = frozenset()
    steps: dict[Place, Stepped] = field(default_factory=dict)
    """What was done, in the order of the fold."""
    repetitions: dict[Place, Repetition] = field(default_factory=dict)
    """What is new, and only says again what is so: no steps were needed."""
    marks: dict[Place, Mark] = field(default_factory=dict)
    """The marks that were looked at again. Those among ``steps`` are evidence from now on."""
    kept: dict[Place, Repetition] = field(default_factory=dict)
    """The others: they still repeat."""
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
            before, mark = None, self.marks.get(place)
            if place not in pieces:
                stepped_again += 1
                if self.most is not None and stepped_again > self.most:
                    raise TooMany
                before = None if mark is not None else await self._fetch(place)
            if before is not None and place in withdrawn:
                await self._settle(place, before, {})
                self.steps[place] = Stepped(before.piece, None, frozenset(), {}, {}, before)
                continue
            if before is not None:
                piece = restated.get(place, before.piece)
            else:
                piece = pieces[place] if mark is None else mark.piece
                if await self._repeats(piece, mark):
                    continue
            outcome, view, changes = await self._step(piece)
            links = {key[1]: link for key, link in changes.items() if isinstance(link, Link)}
            writes = {key: value for key, value in changes.items() if key[0] != "link"}
            await self._settle(place, before, writes)
            touched = touched_by(view, piece).union(writes)
            self.steps[place] = Stepped(piece, outcome, touched, writes, links, before)
        await self._meet_owners()

    async def _repeats(self, piece: Evidence, mark: Mark | None) -> bool:
        """Whether the evidence says again what is so, in which case no step of it is needed.

        A mark stands for the others behind it that say the same as long as it does. If it does
        not, the next is to be looked at as well.
        """
        if (mark is None and not self.spares) or not may_repeat(piece):
            return False
        policy = await self.policy_of(piece.policy)
        contact, view = await self._seen(
            piece.place, lambda view: repeated(view, piece, policy, self.ids)
        )
        if contact is not None and (mark is None or contact == mark.contact):
            kept = self.repetitions if mark is None else self.kept
            kept[piece.place] = Repetition(piece, contact, touched_by(view, piece))
            return True
        if mark is not None:
            await self._meet([Behind("repetition", mark.repetition, piece.place)])
        return False

    async def _meet(self, asked: Collection[Behind]) -> None:
        """Have marks looked at again, and what they rest on at hand."""
        met = {
            place: mark
            for mark in await self.store.marks(asked)
            if (place := mark.piece.place) not in self._queued
            and mark.contact not in self.forgotten
        }
        if not met:
            return
        rests = {place: rests_on(mark) for place, mark in met.items()}
        unknown = {key for keys in rests.values() for key in keys} - self.present.keys()
        self.present |= await self.store.present(unknown) if unknown else {}
        self._versions |= await self.store.versions(
            [
                (key, place)
                for place, keys in rests.items()
                for key in keys
                if self.present[key].wrote >= place and (key, place) not in self._versions
            ]
        )
        self.marks |= met
        for place in met:
            self._push(place)

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
            waiting = (p for p in sorted(self._heap)[:AHEAD] if p not in self.marks)
            ahead = [place, *(p for p in waiting if p not in self._fetched)]
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

        def stepped(view: View) -> tuple[Outcome, Mapping[Key, Value | None]]:
            return step(view, piece, policy, self.ids), view.changes()

        (outcome, changes), view = await self._seen(piece.place, stepped)
        return outcome, view, changes

    async def _seen(self, place: Place, look: Callable[[View], Seen]) -> tuple[Seen, View]:
        """What a look at the state as of a place finds, once all that it asks for is loaded."""
        while True:
            view = View(_AsOf(self, place))
            try:
                return look(view), view
            except Missing as missing:
                await self._load(missing.key, place, view)

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
        asked: list[Behind] = []
        for key in {**former, **writes}:
            base = self._base(key, place).value
            was = former.get(key, base)
            now = Version(place, writes[key]) if key in writes else self._version(key, place)
            settled = self._overlay.setdefault(key, [])
            settled.insert(bisect_left(settled, place, key=_place_of), (place, now))
            if was != now.value and (is_proxied(key) or self.present[key].touched > place):
                changed.append((key, place))
                asked += _resting_on(key, place, (was, now.value))
        if changed:
            for reader in await self.store.readers(changed):
                if reader > place:
                    self._push(reader)
        if asked:
            await self._meet(asked)

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


def rests_on(mark: Mark) -> frozenset[Key]:
    """What a mark rests on, as far as that can be told without a look at the state."""
    piece = mark.piece
    return frozenset(
        {
            ("cookie", piece.cookie),
            ("device", device_key(piece.device, piece.cookie)),
            ("person", mark.contact),
            *(("judged", identifier) for identifier in piece.identifiers),
        }
    )


def _resting_on(key: Key, place: Place, values: Iterable[Value | None]) -> Iterator[Behind]:
    """The marks that rest on a key, whatever its value was or is, behind a place."""
    kind, id = key
    if kind in ("cookie", "device"):
        yield Behind(kind, id, place)
    elif is_proxied(key):
        yield Behind("identifier", id, place)
    elif kind == "person":
        people = (value for value in values if isinstance(value, Person))
        for contact in {contact.id for person in people for contact in person.contacts}:
            yield Behind("contact", contact, place)


def _visitor_in(value: Value | None) -> Visitor | None:
    found = value.visitor if isinstance(value, Cookie) else value
    return found if isinstance(found, Visitor) else None


def touched_by(view: View, piece: Evidence) -> frozenset[Key]:
    """The keys by which a step is found again when one of them changes."""
    keys = {key for key in (*view.reads, *view.writes) if key[0] not in ("link", "bar")}
    if isinstance(piece, Identify | ContactUpsert):
        keys = {key for key in keys if not is_proxied(key)}
        keys.update(("identifier", identifier) for identifier in piece.identifiers)
    return frozenset(keys)
