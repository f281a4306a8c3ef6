"""The fold as of a place, as it is known now: from the versions that the graph keeps of each key.

The graph as it is now says which keys to look at: whoever was anybody's, at whatever place, has
left a node or a link there. What they were then, the versions say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from graphid.graph.database import Readable
from graphid.graph.memory import LOAD_VERSIONS, as_text, decode, from_text, links_decoder
from graphid.graph.past.past import Named, Spot, without_strangers
from graphid.graph.queries import Query, query
from graphid.identity.ids import Ids
from graphid.identity.state import (
    Cookie,
    Identifier,
    Key,
    Link,
    LinkKind,
    Person,
    Review,
    Value,
    Visitor,
)
from graphid.identity.values import IdentifierKey, Place

LIST_MEMBERS = query("past/list_members")
LIST_CANDIDATES = query("past/list_candidates")
LIST_OWNED = query("past/list_owned")
LIST_VISITORS = query("past/list_visitors")
LIST_LINKS = query("past/list_links")
LIST_VISITOR_LINKS = query("past/list_visitor_links")
FIND_LINKS = query("past/find_links")
READ_WRITTEN = query("past/read_written")
LIST_REVIEWS = query("past/list_reviews")

CANDIDATES = 5
"""How many visitors are looked at to find the one who covered a place. It is the first but where
an operator cut somebody later."""

MOST_NAMES = 100
"""How many times a person may have been merged into another, one after the other."""


class Versions:
    """A :class:`graphid.graph.past.past.Past`: what was written before ``place``.

    What it read once it does not read again.
    """

    def __init__(self, database: Readable, ids: Ids, place: Place) -> None:
        self._database = database
        self._ids = ids
        self._place = place
        self._values: dict[Key, Value | None] = {}
        self._turn = asyncio.Lock()

    async def _read(self, keys: Iterable[Key]) -> None:
        wanted = {key for key in keys if key not in self._values}
        if not wanted:
            return
        async with self._turn:  # others ask for the same
            wanted -= self._values.keys()
            if wanted:
                await self._load(wanted)

    async def _load(self, keys: Collection[Key]) -> None:
        asked = [{"key": as_text(key), "place": self._place} for key in sorted(keys)]
        (row,) = await self._database.read_rows(LOAD_VERSIONS, named={"asked": asked})
        self._values |= dict.fromkeys(keys)
        for text, _, _, value in row["versions"]:
            key = from_text(text)
            self._values[key] = decode(key, value)

    # ------------------------------------------------------------------ people

    async def people(self, contacts: Collection[str]) -> dict[str, Named]:
        found: dict[str, Named] = {}
        reached = {contact: contact for contact in contacts}
        for hop in range(MOST_NAMES):
            if not reached:
                break
            if hop == 1:
                # Whoever was one then is one now, so these are all the names on the way.
                rows = await self._database.read_rows(LIST_MEMBERS, ids=sorted(reached))
                await self._read(("person", member) for member in rows[0]["members"])
            await self._read(("person", name) for name in reached.values())
            ahead: dict[str, str] = {}
            for contact, name in reached.items():
                person = self._values["person", name]
                if isinstance(person, Person):
                    if person.merged_into is None:
                        found[contact] = Named(name, person)
                    else:
                        ahead[contact] = person.merged_into
            reached = ahead
        return found

    async def holders(
        self, identifiers: Collection[IdentifierKey]
    ) -> dict[IdentifierKey, tuple[str, ...]]:
        await self._read(("identifier", identifier) for identifier in identifiers)
        return {
            identifier: held.contacts
            for identifier in identifiers
            if isinstance(held := self._values["identifier", identifier], Identifier)
            and held.contacts
        }

    # ------------------------------------------------------------------ visitors

    async def visitors_at(self, spots: Collection[Spot]) -> dict[Spot, Visitor]:
        await self._read(("cookie", cookie) for cookie, _ in spots)
        found: dict[Spot, Visitor] = {}
        bounds: dict[Spot, Place] = {}
        for spot in spots:
            visitor = self._open(spot[0])
            if visitor.start <= spot[1]:
                found[spot] = visitor
            else:
                bounds[spot] = visitor.start
        while bounds:
            begun = await self._candidates(bounds)
            await self._read(("visitor", id) for some in begun.values() for id, _ in some)
            ahead: dict[Spot, Place] = {}
            for spot in bounds:
                some = begun.get(spot, [])
                closed = (self._values["visitor", id] for id, _ in some)
                first = next((v for v in closed if isinstance(v, Visitor)), None)
                if first is not None:
                    found[spot] = first
                elif len(some) == CANDIDATES:
                    ahead[spot] = some[-1][1]  # all of these were cut off later
            bounds = ahead
        await self._step_on(found)
        return found

    async def _candidates(
        self, bounds: Mapping[Spot, Place]
    ) -> dict[Spot, list[tuple[str, Place]]]:
        rows = await self._database.read_rows(
            LIST_CANDIDATES,
            places=[
                {"cookie": cookie, "position": place, "before": before}
                for (cookie, place), before in bounds.items()
            ],
            limit=CANDIDATES,
        )
        return {
            (row["cookie"], row["position"]): [(id, start) for id, start in row["visitors"]]
            for row in rows
        }

    async def _step_on(self, found: dict[Spot, Visitor]) -> None:
        """From visitors who had ended by their spot to those who followed: who was cut off then,
        and is part of the one before now."""
        while behind := {
            spot: visitor
            for spot, visitor in found.items()
            if visitor.end is not None and visitor.end <= spot[1]
        }:
            await self._read(("visitor", self._following(v)) for v in behind.values())
            for spot, visitor in behind.items():
                following = self._values["visitor", self._following(visitor)]
                if not isinstance(following, Visitor) or following.start <= visitor.start:
                    following = self._open(spot[0])
                found[spot] = following

    def _following(self, visitor: Visitor) -> str:
        return self._ids.visitor(visitor.cookie, visitor.ended_by or "")

    def _open(self, cookie: str) -> Visitor:
        """Who had the cookie."""
        found = self._values["cookie", cookie]
        if isinstance(found, Cookie):
            return found.visitor
        return Visitor(id=self._ids.birth(cookie), cookie=cookie)

    async def visitors_of(self, contacts: Collection[str]) -> list[Visitor]:
        (row,) = await self._database.read_rows(LIST_OWNED, ids=list(contacts), place=self._place)
        named = [(id, cookie) for id, cookie in row["visitors"]]
        cookies = {cookie for _, cookie in named}
        await self._read([*(("visitor", id) for id, _ in named), *(("cookie", c) for c in cookies)])
        visitors = [self._open(cookie) for cookie in cookies]
        visitors += [
            visitor
            for id, _ in named
            if isinstance(visitor := self._values["visitor", id], Visitor)
        ]
        wanted = set(contacts)
        return list({v.id: v for v in reversed(visitors) if v.owner in wanted}.values())

    async def visitors_on(self, cookies: Collection[str], limit: int) -> dict[str, list[Visitor]]:
        (row,) = await self._database.read_rows(
            LIST_VISITORS, ids=list(cookies), place=self._place, limit=limit
        )
        wanted: set[str] = set(row["visitors"])
        await self._read(("cookie", cookie) for cookie in cookies)
        found = {visitor.id: visitor for cookie in cookies for visitor in [self._open(cookie)]}
        while wanted:
            await self._read(("visitor", id) for id in wanted)
            closed = [v for id in wanted if isinstance(v := self._values["visitor", id], Visitor)]
            met = wanted | found.keys()
            found = {visitor.id: visitor for visitor in closed} | found
            wanted = {self._following(visitor) for visitor in closed} - met
        ordered = sorted(found.values(), key=lambda visitor: visitor.start, reverse=True)
        return {cookie: [v for v in ordered if v.cookie == cookie] for cookie in cookies}

    # ------------------------------------------------------------------ links

    async def links(self, ids: Collection[str]) -> list[Link]:
        return await self._links(FIND_LINKS, ids)

    async def links_at(self, contacts: Collection[str]) -> list[Link]:
        return await self._links(LIST_LINKS, contacts)

    async def links_from(self, visitors: Collection[str]) -> list[Link]:
        return await self._links(LIST_VISITOR_LINKS, visitors)

    async def _links(self, statement: Query, ids: Collection[str]) -> list[Link]:
        rows = await self._database.read_rows(statement, ids=list(ids), place=self._place)
        standing = await self._standing(rows)
        writers = {
            row["id"]: row["writer"]
            for row in rows
            if row["id"] not in standing and row["writer"] is not None
        }
        written: dict[str, dict[str, Link]] = {}
        if writers:
            told = await self._database.read_rows(READ_WRITTEN, ids=sorted(set(writers.values())))
            for one in told:
                written[one["id"]] = {
                    link.id: link for link in links_decoder.decode(one["links"] or "[]")
                }
        over = [
            link
            for id, writer in writers.items()
            if (link := written.get(writer, {}).get(id)) is not None
        ]
        return await without_strangers(self, [*standing.values(), *over])

    async def _standing(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Link]:
        """Of these links those that the values hold, as they hold them."""
        wanted = {row["id"] for row in rows}
        visitors = [
            (row["source"], row["cookie"]) for row in rows if row["kind"] == LinkKind.IDENTIFIED_AS
        ]
        await self._read(
            [
                *(("visitor", id) for id, _ in visitors),
                *(("cookie", cookie) for _, cookie in visitors),
            ]
        )
        links: list[Link | None] = [self._open(cookie).link for _, cookie in visitors]
        links += [
            visitor.link
            for id, _ in visitors
            if isinstance(visitor := self._values["visitor", id], Visitor)
        ]
        contacts = {row["source"] for row in rows if row["kind"] != LinkKind.IDENTIFIED_AS}
        for _, person in (await self.people(contacts)).values():
            for contact in person.contacts:
                links += [hold.link for hold in contact.holds.values()]
                links += contact.same_as
        return {link.id: link for link in links if link is not None and link.id in wanted}

    # ------------------------------------------------------------------ reviews

    async def reviews(self, ids: Collection[str]) -> list[Review]:
        await self._read(("review", id) for id in ids)
        found = (self._values["review", id] for id in ids)
        return [review for review in found if isinstance(review, Review)]

    async def reviews_about(self, contacts: Collection[str]) -> list[Review]:
        (row,) = await self._database.read_rows(LIST_REVIEWS, ids=list(contacts))
        return await self.reviews(row["reviews"])
