"""The fold of all evidence, in memory: what the graph is compared with, and mended after.

It reads nothing of the graph but evidence. As the graph does, it keeps the versions of each key
and who touched it, so that what arrives meanwhile is followed forward and not folded anew.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from graphid.graph.evidence import PolicyOf
from graphid.graph.following import Following, touched_by
from graphid.graph.memory import evidence_decoder
from graphid.graph.remembered import (
    ABSENT,
    NEVER,
    Behind,
    Mark,
    Present,
    Stored,
    Version,
    is_proxied,
)
from graphid.identity.fold import step
from graphid.identity.ids import Ids
from graphid.identity.state import (
    Contact,
    Cookie,
    Key,
    KeyKind,
    Link,
    Person,
    Value,
    Visitor,
)
from graphid.identity.values import Erase, Evidence, Place
from graphid.identity.view import View

V = TypeVar("V")


class History:
    """A key: what was written of it and where, and who touched it, each in the fold's order.

    ``met``, ``is_met`` and ``rested`` are for whoever goes through the graph: how many of its
    touches were met there, whether its State was, and the last mark that rests on it.
    """

    __slots__ = ("is_met", "key", "met", "rested", "touched", "versions")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.versions: list[tuple[Place, Value | None]] = []
        self.touched: list[Place] = []
        self.met = 0
        self.is_met = False
        self.rested = NEVER

    @property
    def present(self) -> Present:
        wrote, value = self.versions[-1] if self.versions else (NEVER, None)
        return Present(value, wrote, self.touched[-1] if self.touched else NEVER)

    def before(self, place: Place) -> Version:
        """As of a place."""
        index = bisect_left(self.versions, place, key=_place_of) - 1
        return Version(NEVER, None) if index < 0 else Version(*self.versions[index])

    def at(self, place: Place) -> tuple[Place, Value | None] | None:
        """What was written at a place."""
        index = bisect_left(self.versions, place, key=_place_of)
        found = index < len(self.versions) and self.versions[index][0] == place
        return self.versions[index] if found else None


class Told(NamedTuple):
    """A piece of evidence with its body, and the body's size as the database counts it."""

    piece: Evidence
    body: str
    size: int


class Taken(NamedTuple):
    """A piece of evidence, as it was stepped. ``body`` is the piece as JSON, which is smaller.
    Another policy or ``size`` of the stored body means that it says something else."""

    id: str
    body: bytes
    policy: int
    size: int
    touched: tuple[History, ...]
    links: tuple[Link, ...]


class Folded:
    """All evidence that it was given, stepped in the order of the fold.

    ``fold`` takes what comes in order, ``follow`` whatever comes.
    """

    def __init__(self, policy_of: PolicyOf, ids: Ids) -> None:
        self.ids = ids
        self.taken: dict[Place, Taken] = {}
        self._policy_of = policy_of
        self._histories: dict[Key, History] = {}
        self._links: dict[str, list[tuple[Place, Link]]] = {}
        self._links_of: dict[str, list[str]] = {}
        self._cookies: dict[str, str] = {}
        self._places: dict[str, Place] = {}
        self._last: Place = NEVER

    def __len__(self) -> int:
        """How many pieces of evidence it holds."""
        return len(self.taken)

    # ------------------------------------------------------------------ taking in

    async def fold(self, told: Iterable[Told]) -> set[Place]:
        """Take evidence in that comes in the order of the fold.

        What is behind its time is followed forward: the places of all that was stepped again.
        """
        late: list[Told] = []
        for one in told:
            piece = one.piece
            if piece.place <= self._last or isinstance(piece, Erase):
                late.append(one)
                continue
            policy = await self._policy_of(piece.policy)
            view = View(self)
            step(view, piece, policy, self.ids)
            changes = view.changes()
            links = tuple(link for link in changes.values() if isinstance(link, Link))
            writes = {key: value for key, value in changes.items() if key[0] != "link"}
            touched = touched_by(view, piece).union(writes)
            self._take(one, touched, writes, links)
        return await self.follow(late) if late else set()

    async def follow(
        self, told: Collection[Told], *, restated: Collection[Told] = (), gone: Iterable[Place] = ()
    ) -> set[Place]:
        """Take in evidence of any place, and what follows from it: the places of all steps.

        ``restated``: pieces that it holds, which say something else now, or are stamped with
        another version of the policy. ``gone``: places of evidence that is no more.
        """
        said = {one.piece.place: one for one in (*told, *restated)}
        new = [one.piece for one in told]
        withdrawn = set(gone)
        for piece in new:
            if isinstance(piece, Erase):
                known = (self._places.get(id) for id in piece.withdraws)
                withdrawn.update(place for place in known if place is not None)
        following = Following(self, self._policy_of, self.ids)
        await following.run(
            new,
            withdrawn=withdrawn,
            restated={one.piece.place: one.piece for one in restated},
        )
        for place, stepped in following.steps.items():
            former = None if stepped.before is None else self._forget(place)
            if stepped.outcome is None:
                continue
            one = said.get(place)
            if one is None:
                assert former is not None, "what is stepped again was taken in once"
                one = Told(stepped.piece, former.body.decode(), former.size)
            self._take(one, stepped.touched, stepped.writes, tuple(stepped.links.values()))
        return set(following.steps)

    def _take(
        self,
        told: Told,
        touched: Collection[Key],
        writes: Mapping[Key, Value | None],
        links: tuple[Link, ...],
    ) -> None:
        piece, place = told.piece, told.piece.place
        histories = []
        for key in touched:
            history = self._histories.get(key)
            if history is None:
                history = self._histories[key] = History(key)
            histories.append(history)
            _insert(history.touched, place)
            if key in writes:
                value = writes[key]
                _insert_at(history.versions, (place, value))
                if isinstance(value, Cookie):
                    self._cookies[value.visitor.id] = key[1]
        for link in links:
            versions = self._links.get(link.id)
            if versions is None:
                versions = self._links[link.id] = []
                self._links_of.setdefault(link.source, []).append(link.id)
            _insert_at(versions, (place, link))
        self.taken[place] = Taken(
            piece.id, told.body.encode(), piece.policy, told.size, tuple(histories), links
        )
        self._places[piece.id] = place
        self._last = max(self._last, place)

    def _forget(self, place: Place) -> Taken:
        taken = self.taken.pop(place)
        del self._places[taken.id]
        for history in taken.touched:
            history.touched.remove(place)
            if (written := history.at(place)) is not None:
                history.versions.remove(written)
        for link in taken.links:
            versions = self._links[link.id]
            del versions[bisect_left(versions, place, key=_place_of)]
        return taken

    # ------------------------------------------------------------------ what is so

    def history(self, key: Key) -> History:
        """All that is known of a key."""
        return self._histories.get(key) or History(key)

    def rest(self, key: Key, place: Place) -> None:
        """A mark rests on a key."""
        if (history := self._histories.get(key)) is not None:
            history.rested = max(history.rested, place)

    def of_kind(self, kind: KeyKind) -> Iterator[History]:
        """Every key of a kind."""
        return (h for key, h in self._histories.items() if key[0] == kind)

    def histories(self) -> Iterator[History]:
        """Every key."""
        return iter(self._histories.values())

    def value(self, key: Key) -> Value | None:
        """A key's latest value."""
        return self.history(key).present.value

    get = value

    def peek(self, key: Key) -> Value | None:
        # As of an event of long ago no link is at hand: each that is put is told of.
        return None if key[0] == "link" else self.value(key)

    def place_of(self, evidence: str) -> Place | None:
        """Where a piece of evidence stands; None where it is not known, or is withdrawn."""
        return self._places.get(evidence)

    def visitor(self, id: str) -> Visitor | None:
        """A visitor, open or closed; None where the fold makes none of that id."""
        closed = self.value(("visitor", id))
        if isinstance(closed, Visitor):
            return closed
        cookie = self.value(("cookie", self._cookies.get(id, "")))
        return cookie.visitor if isinstance(cookie, Cookie) and cookie.visitor.id == id else None

    def visitors(self) -> Iterator[Visitor]:
        """Every visitor of every cookie that evidence names."""
        for key, history in self._histories.items():
            if key[0] in ("visitor", "cookie"):
                value = history.present.value
                visitor = value.visitor if isinstance(value, Cookie) else value
                if isinstance(visitor, Visitor):
                    yield visitor

    def names(self, contact: str) -> list[str]:
        """The names of people that lead from a contact to its person, whose name is the last;
        empty where there is no such contact."""
        names: list[str] = []
        name: str | None = contact
        while name is not None:
            person = self.value(("person", name))
            if not isinstance(person, Person):
                return []
            names.append(name)
            name = person.merged_into
        return names

    def contact(self, id: str) -> tuple[Contact, str] | None:
        """A contact and its person's name; None where the fold makes none of that id."""
        names = self.names(id)
        person = self.value(("person", names[-1])) if names else None
        if not isinstance(person, Person):
            return None
        found = next((contact for contact in person.contacts if contact.id == id), None)
        return None if found is None else (found, names[-1])

    def contacts(self) -> Iterator[Contact]:
        """Every contact."""
        for history in self.of_kind("person"):
            person = history.present.value
            if isinstance(person, Person):
                yield from person.contacts

    def link(self, id: str) -> Link | None:
        """A link as it is in the end; None where the fold does not make it."""
        versions = self._links.get(id)
        return versions[-1][1] if versions else None

    def links_of(self, source: str) -> list[Link]:
        """The links that go out from a visitor or a contact."""
        return [link for id in self._links_of.get(source, ()) if (link := self.link(id))]

    def links(self) -> Iterator[Link]:
        """Every link that the fold makes."""
        return (versions[-1][1] for versions in self._links.values() if versions)

    # ------------------------------------------------------------------ as a store to follow in

    async def present(self, keys: Collection[Key]) -> Mapping[Key, Present]:
        return {key: self._present(key) for key in keys}

    def _present(self, key: Key) -> Present:
        history = self._histories.get(key)
        return ABSENT if history is None else history.present

    async def versions(
        self, asked: Collection[tuple[Key, Place]]
    ) -> Mapping[tuple[Key, Place], Version]:
        return {(key, place): self.history(key).before(place) for key, place in asked}

    async def stored(
        self, places: Collection[Place]
    ) -> tuple[Mapping[Place, Stored], Mapping[Key, Present]]:
        found = {place: self._stored(place) for place in places if place in self.taken}
        keys = {key for stored in found.values() for key in stored.touched}
        return found, await self.present(keys)

    def _stored(self, place: Place) -> Stored:
        taken = self.taken[place]
        return Stored(
            evidence_decoder.decode(taken.body),
            frozenset(history.key for history in taken.touched),
            self.writes_at(place),
            {link.id: link for link in taken.links},
        )

    def writes_at(self, place: Place) -> dict[Key, Value | None]:
        """What was written at a place."""
        return {
            history.key: written[1]
            for history in self.taken[place].touched
            if (written := history.at(place)) is not None
        }

    async def readers(self, changed: Collection[tuple[Key, Place]]) -> Collection[Place]:
        places: set[Place] = set()
        for key, place in changed:
            if is_proxied(key):
                places.update(await self.touching([("identifier", key[1])]))
            history = self.history(key)
            until = next((at for at, _ in history.versions if at > place), ":")
            places.update(at for at in history.touched if place < at <= until)
        return places

    async def touching(self, keys: Collection[Key]) -> Collection[Place]:
        return {place for key in keys for place in self.history(key).touched}

    async def marks(self, asked: Collection[Behind]) -> Collection[Mark]:
        return ()  # it holds evidence; what only says again what is so is compared with it


def _place_of(version: tuple[Place, object]) -> Place:
    return version[0]


def _insert(places: list[Place], place: Place) -> None:
    if not places or places[-1] < place:
        places.append(place)
    else:
        insort(places, place)


def _insert_at(versions: list[tuple[Place, V]], version: tuple[Place, V]) -> None:
    if not versions or versions[-1][0] < version[0]:
        versions.append(version)
    else:
        insort(versions, version, key=_place_of)
