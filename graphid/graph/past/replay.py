"""The fold of what was recorded by a moment: what reaches whom is asked for, folded anew.

A step depends on the keys that it reads, and those on whatever could have written them. So the
evidence is gathered for the keys that are asked for, folded, and gathered for the keys that these
steps met, until they meet no new one: then the values are those of the fold of all evidence.

What could have written a key is found by what never changes, where it was given and whom it names,
and by the links that it ever made, which the graph keeps; of what was taken back since, nothing may
be left there, so that is found by the judgements that took it back. A device that is known to be
shared is so for good: of its evidence no more is gathered than shows that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, cast

from graphid.errors import TooLarge
from graphid.graph.database import Readable
from graphid.graph.evidence import PolicyOf
from graphid.graph.following import touched_by
from graphid.graph.memory import as_text, evidence_decoder, from_text, roots_of
from graphid.graph.past.past import Named, Spot, without_strangers
from graphid.graph.queries import query
from graphid.graph.remembered import NEVER
from graphid.identity.fold import Resolved, sort, step
from graphid.identity.ids import Ids
from graphid.identity.policy import Policy
from graphid.identity.state import (
    Device,
    Identifier,
    Key,
    Link,
    Review,
    Visitor,
    device_key,
)
from graphid.identity.values import (
    ContactUpsert,
    Erase,
    Evidence,
    IdentifierKey,
    Identify,
    KeepApart,
    Micros,
    Place,
    Restore,
    Vacancy,
    judged_at,
)
from graphid.identity.view import View

FIND_EVIDENCE = query("past/find_evidence")
READ_EVIDENCE = query("past/read_evidence")
LIST_DEVICE_EVIDENCE = query("past/list_device_evidence")
LIST_RESTORES = query("past/list_restores")

FIRST_PAGE = 20
"""How many pieces of a device's evidence are gathered first; then twice as many each time."""

MOST_COOKIES = 20_000
"""Of a device whose evidence can be gathered."""

MOST_RESTORES = 10_000
"""How many acts may have been taken back since, in the whole graph."""

BEHIND: Place = ":"
"""Sorts after every place."""


@dataclass
class _OnDevice:
    """How much of a device's evidence is gathered: up to a place, or all."""

    upto: Place = NEVER
    page: int = FIRST_PAGE
    is_whole: bool = False


class Replay:
    """A :class:`graphid.graph.past.past.Past`: what was recorded by ``recorded``.

    ``place``: and stands before that in the fold. ``most``: how many pieces of evidence may be
    folded; past that, everything raises TooLarge.
    """

    def __init__(
        self,
        database: Readable,
        policy_of: PolicyOf,
        ids: Ids,
        *,
        recorded: Micros,
        place: Place = BEHIND,
        most: int,
    ) -> None:
        self._database = database
        self._policy_of = policy_of
        self._ids = ids
        self._horizon = {"place": place, "recorded": recorded}
        self._recorded = recorded
        self._place = place
        self._most = most
        self._turn = asyncio.Lock()
        self._pieces: dict[str, Evidence] = {}
        self._asked: set[Key] = set()
        self._devices: dict[Key, _OnDevice] = {}
        self._undone: list[tuple[frozenset[Key], Evidence]] | None = None
        self._policies: dict[int, Policy] = {}
        self._fold = _Fold(Resolved({}, ids))

    # ------------------------------------------------------------------ gathering

    async def _reach(self, keys: Iterable[Key]) -> Resolved:
        """The fold, of all that bears on these keys."""
        async with self._turn:
            asked = set(self._asked)
            try:
                wanted = set(keys) - asked
                while wanted or await self._look_on_devices():
                    self._asked |= wanted
                    more = await self._gather(wanted) if wanted else set()
                    self._fold = await self._folded()
                    wanted = (self._fold.met | more) - self._asked
            except BaseException:
                # Of what was asked for now, only a part may be there.
                self._asked = asked
                raise
            return self._fold.resolved

    async def _gather(self, keys: set[Key]) -> set[Key]:
        """Take in what could have written these keys; returns keys that are about the same."""
        named: dict[str, set[str]] = {
            name: set() for name in ("touched", "cookies", "contacts", "visitors")
        }
        for kind, id in keys:
            named["touched"].add(f"{kind}:{id}")
            match kind:
                case "cookie":
                    named["cookies"].add(id)
                case "visitor":
                    named["visitors"].add(id)
                case "person":
                    named["contacts"].add(id)
                    named["touched"].add(f"judged:{id}")
                case "identifier":
                    # Who is named for it, and what was judged of it before anybody was.
                    contact = self._ids.contact(id)
                    self._asked.add(("person", contact))
                    named["contacts"].add(contact)
                    named["touched"] |= {f"judged:{id}", f"person:{contact}"}
                case "device" if not id.startswith("device:"):
                    self._asked.add(("cookie", id.removeprefix("cookie:")))
                    named["cookies"].add(id.removeprefix("cookie:"))
        named["touched"] -= {as_text(key) for key in keys if key[0] == "device"}
        (row,) = await self._database.read_rows(
            FIND_EVIDENCE,
            named={name: sorted(ids) for name, ids in named.items()},
            horizon=self._horizon,
            limit=self._most + 1,
        )
        if len(row["evidence"]) > self._most:
            raise self._too_large()
        await self._take(await self._bodies(row["evidence"]))
        await self._take_undone()
        more: set[Key] = {("identifier", identifier) for identifier in row["identifiers"]}
        return more | {("cookie", cookie) for cookie in row["cookies"]}

    async def _bodies(self, ids: Iterable[str]) -> list[Evidence]:
        wanted = sorted(id for id in set(ids) if id not in self._pieces)
        if not wanted:
            return []
        (row,) = await self._database.read_rows(READ_EVIDENCE, ids=wanted)
        return [evidence_decoder.decode(body) for body in row["bodies"]]

    async def _take(self, pieces: Iterable[Evidence]) -> None:
        """Take in what counted then; of what takes back, look at what it took."""
        taken_back: set[str] = set()
        for piece in pieces:
            if self._counts(piece):
                self._pieces[piece.id] = piece
            if isinstance(piece, KeepApart | Restore):
                taken_back.update(piece.withdraws)
        if len(self._pieces) > self._most:
            raise self._too_large()
        taken_back -= self._pieces.keys()
        if taken_back:
            await self._take(p for p in await self._bodies(taken_back) if self._counts(p))

    def _counts(self, piece: Evidence) -> bool:
        """Whether it was recorded by then. What is erased is erased at all times."""
        if isinstance(piece, Erase):
            return True
        return piece.recorded_at <= self._recorded and piece.place < self._place

    async def _take_undone(self) -> None:
        """Take in what stood then, and was taken back since, of whom the keys are about."""
        if self._undone is None:
            self._undone = await self._taken_back_since()
        for roots, piece in self._undone:
            if piece.id not in self._pieces and not self._asked.isdisjoint(roots):
                await self._take([piece])

    async def _taken_back_since(self) -> list[tuple[frozenset[Key], Evidence]]:
        (row,) = await self._database.read_rows(
            LIST_RESTORES,
            after=judged_at(self._recorded + 1, "", withdraws=True),
            before=judged_at(0, ""),
            limit=MOST_RESTORES + 1,
        )
        if len(row["restores"]) > MOST_RESTORES:
            raise TooLarge(
                f"More than {MOST_RESTORES} acts of operators were taken back since: what was "
                "known then cannot be worked out any more.",
                path=["asKnownAt"],
            )
        restores = [cast(Restore, evidence_decoder.decode(body)) for body in row["restores"]]
        pieces = await self._bodies({id for restore in restores for id in restore.withdraws})
        return [
            (frozenset(map(from_text, roots_of(piece, self._ids))), piece)
            for piece in pieces
            if self._counts(piece)
        ]

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"More than {self._most} pieces of evidence bear on what was known of this person "
            "then; the limit is refold.max_evidence of the policy.",
            path=["asKnownAt"],
        )

    # ------------------------------------------------------------------ devices

    async def _look_on_devices(self) -> bool:
        """Gather more of the evidence on devices of which too little is known; whether any was."""
        pieces = len(self._pieces)
        for key, last in self._fold.devices.items():
            reading = self._devices.setdefault(key, _OnDevice())
            shared_at = self._fold.shared.get(key, BEHIND)
            while not reading.is_whole and reading.upto < min(shared_at, last):
                await self._read_on(key, reading)
                if len(self._pieces) > pieces:
                    break  # it may be known to be shared by now
        return len(self._pieces) > pieces

    async def _read_on(self, key: Key, reading: _OnDevice) -> None:
        (row,) = await self._database.read_rows(
            LIST_DEVICE_EVIDENCE,
            id=key[1].removeprefix("device:"),
            after=reading.upto,
            horizon=self._horizon,
            most=MOST_COOKIES,
            limit=reading.page,
        )
        if row["rows"] is None:
            raise TooLarge(
                f"A device that bears on this person has more than {MOST_COOKIES} cookies: what "
                "was known then is not worked out.",
                path=["asKnownAt"],
            )
        reading.is_whole = len(row["rows"]) < reading.page
        reading.page *= 2
        if row["rows"]:
            reading.upto = row["rows"][-1][1]
        found = await self._bodies(id for id, _ in row["rows"])
        await self._take(
            piece
            for piece in found
            if isinstance(piece, Identify | Vacancy)
            and ("device", device_key(piece.device, piece.cookie)) == key
        )

    # ------------------------------------------------------------------ folding

    async def _folded(self) -> _Fold:
        pieces = sort(self._pieces.values())
        for version in {piece.policy for piece in pieces} - self._policies.keys():
            self._policies[version] = await self._policy_of(version)
        fold = _Fold(Resolved(self._policies, self._ids))
        for piece in pieces:
            fold.take(piece)
        return fold

    # ------------------------------------------------------------------ answers

    async def people(self, contacts: Collection[str]) -> dict[str, Named]:
        resolved = await self._reach(("person", contact) for contact in contacts)
        return {
            contact: Named(*resolved.person_of(contact))
            for contact in contacts
            if ("person", contact) in resolved.state
        }

    async def holders(
        self, identifiers: Collection[IdentifierKey]
    ) -> dict[IdentifierKey, tuple[str, ...]]:
        resolved = await self._reach(("identifier", identifier) for identifier in identifiers)
        return {
            identifier: held.contacts
            for identifier in identifiers
            if isinstance(held := resolved.state.get(("identifier", identifier)), Identifier)
            and held.contacts
        }

    async def visitors_at(self, spots: Collection[Spot]) -> dict[Spot, Visitor]:
        resolved = await self._reach(("cookie", cookie) for cookie, _ in spots)
        return {spot: resolved.visitor_at(*spot) for spot in spots}

    async def visitors_of(self, contacts: Collection[str]) -> list[Visitor]:
        await self._reach(("person", contact) for contact in contacts)
        wanted = set(contacts)
        return [visitor for visitor in self._fold.visitors() if visitor.owner in wanted]

    async def visitors_on(self, cookies: Collection[str], limit: int) -> dict[str, list[Visitor]]:
        resolved = await self._reach(("cookie", cookie) for cookie in cookies)
        return {cookie: resolved.visitors_of(cookie)[::-1] for cookie in cookies}

    async def links(self, ids: Collection[str]) -> list[Link]:
        wanted = set(ids)
        return await self._chosen(link for link in self._fold.links() if link.id in wanted)

    async def links_at(self, contacts: Collection[str]) -> list[Link]:
        await self._reach(("person", contact) for contact in contacts)
        wanted = set(contacts)
        return await self._chosen(
            link for link in self._fold.links() if link.source in wanted or link.target in wanted
        )

    async def links_from(self, visitors: Collection[str]) -> list[Link]:
        await self._reach(("visitor", visitor) for visitor in visitors)
        wanted = set(visitors)
        return await self._chosen(link for link in self._fold.links() if link.source in wanted)

    async def _chosen(self, links: Iterable[Link]) -> list[Link]:
        return await without_strangers(self, list(links))

    async def reviews(self, ids: Collection[str]) -> list[Review]:
        wanted = set(ids)
        return [review for review in self._fold.reviews() if review.id in wanted]

    async def reviews_about(self, contacts: Collection[str]) -> list[Review]:
        await self._reach(("person", contact) for contact in contacts)
        wanted = set(contacts)
        return [r for r in self._fold.reviews() if not wanted.isdisjoint(r.contacts)]


class _Fold:
    """A fold, and the keys that its steps met.

    ``devices``: the last place at which each was met; ``shared``: where it became so.
    """

    def __init__(self, resolved: Resolved) -> None:
        self.resolved = resolved
        self.met: set[Key] = set()
        self.devices: dict[Key, Place] = {}
        self.shared: dict[Key, Place] = {}

    def take(self, piece: Evidence) -> None:
        """One step on."""
        resolved = self.resolved
        view = View(resolved.state)
        step(view, piece, resolved.policies[piece.policy], resolved.ids)
        changes = view.changes()
        resolved.state.take_in(changes)
        touched = set(touched_by(view, piece))
        if isinstance(piece, Identify | ContactUpsert):
            touched.update(("bar", resolved.ids.bar(i)) for i in piece.identifiers)
        self.met |= touched
        for key in touched:
            if key[0] == "device" and key[1].startswith("device:"):
                self.devices[key] = piece.place
                value = changes.get(key)
                if isinstance(value, Device) and value.shared:
                    self.shared.setdefault(key, piece.place)

    def _values(self, kind: type[Any]) -> Iterable[Any]:
        return [value for value in self.resolved.state.values() if isinstance(value, kind)]

    def links(self) -> Iterable[Link]:
        """Every link that was made."""
        return cast(Iterable[Link], self._values(Link))

    def reviews(self) -> Iterable[Review]:
        """Every review that was filed."""
        return cast(Iterable[Review], self._values(Review))

    def visitors(self) -> list[Visitor]:
        """Every visitor of the cookies that were met."""
        cookies = {key[1] for key in self.resolved.state if key[0] == "cookie"}
        return [visitor for cookie in cookies for visitor in self.resolved.visitors_of(cookie)]
