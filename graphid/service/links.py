"""Links and reviews: the joins that make people, and what waits for a human."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from graphid.graph.database import Readable
from graphid.graph.queries import query
from graphid.identity.state import Link, LinkKind
from graphid.identity.values import IdentifierKey, Micros
from graphid.service.pages import Page, PageRequest, page_of
from graphid.service.visitors import END, link_of

READ_LINKS = query("links/read_links")
LIST_LINKS = query("links/list_links")
LIST_CONTACT_LINKS = query("links/list_contact_links")
READ_SEVERED = query("links/read_severed")
READ_IDENTIFIERS = query("links/read_identifiers")
READ_REVIEWS = query("reviews/read_reviews")
LIST_NEWEST_REVIEWS = query("reviews/list_newest")
LIST_REVIEWS = query("reviews/list_reviews")

MOST_REVIEWS = 100
"""How many of a person's reviews are read, the latest."""


class NamedIdentifier(msgspec.Struct, frozen=True):
    """An identifier's node."""

    id: str
    type: str
    value: str


class LinkRecord(msgspec.Struct, frozen=True):
    """A link as it is stored; ``identifier`` is what a HAS_IDENTIFIER leads to."""

    link: Link
    identifier: NamedIdentifier | None = None


class ReviewRecord(msgspec.Struct, frozen=True):
    """Something for a human to decide. ``contacts`` stand for the people whom it concerns."""

    id: str
    kind: str
    state: str
    contacts: tuple[str, ...]
    identifier: IdentifierKey | None
    evidence: str
    reason: str
    recorded_at: Micros
    position: str
    """Sorts reviews as they were filed."""


@dataclass(frozen=True, slots=True)
class LinksWanted:
    """A person's links: those of some states (empty: all), the newest ``limit``."""

    person: str
    states: tuple[str, ...]
    limit: int


class Links:
    """Reads links, identifiers and reviews."""

    def __init__(self, database: Readable) -> None:
        self._database = database

    async def by_id(self, ids: Iterable[str]) -> dict[str, LinkRecord]:
        """The links of these ids, as many as there are."""
        rows = await self._database.read_rows(READ_LINKS, ids=list(ids))
        return {record.link.id: record for row in rows if (record := _link(row["found"]))}

    async def of_people(self, wanted: Sequence[LinksWanted]) -> list[list[LinkRecord]]:
        """For each of these, the links that make the person, newest first."""
        rows = await self._database.read_rows(
            LIST_LINKS,
            people=[
                {"key": key, "id": one.person, "states": list(one.states)}
                for key, one in enumerate(wanted)
            ],
            limit=max(one.limit for one in wanted),
        )
        found: list[list[LinkRecord]] = [[] for _ in wanted]
        for row in rows:
            found[row["key"]].append(_link(row["found"]))
        return [links[: one.limit] for links, one in zip(found, wanted, strict=True)]

    async def of_contacts(self, ids: Iterable[str], *, limit: int) -> dict[str, list[LinkRecord]]:
        """Each contact's links, newest first."""
        rows = await self._database.read_rows(LIST_CONTACT_LINKS, ids=list(ids), limit=limit)
        found: dict[str, list[LinkRecord]] = {}
        for row in rows:
            found.setdefault(row["of"], []).append(_link(row["found"]))
        return found

    async def severed(self, visitors: Iterable[str]) -> dict[str, LinkRecord]:
        """What was last withdrawn of each visitor."""
        rows = await self._database.read_rows(READ_SEVERED, ids=list(visitors))
        return {row["visitor"]: _link(row["found"]) for row in rows}

    async def identifiers(self, ids: Iterable[str]) -> dict[str, NamedIdentifier]:
        """The identifiers of these node ids, as many as there are."""
        rows = await self._database.read_rows(READ_IDENTIFIERS, ids=list(ids))
        return {row["id"]: NamedIdentifier(row["id"], row["type"], row["value"]) for row in rows}

    async def reviews(self, ids: Iterable[str]) -> dict[str, ReviewRecord]:
        """The reviews of these ids, as many as there are."""
        rows = await self._database.read_rows(READ_REVIEWS, ids=list(ids))
        return {row["review"]["id"]: _review(row["review"]) for row in rows}

    async def reviews_of(self, people: Iterable[str]) -> dict[str, list[ReviewRecord]]:
        """The reviews that concern each person, the latest first."""
        rows = await self._database.read_rows(LIST_REVIEWS, ids=list(people), limit=MOST_REVIEWS)
        found: dict[str, list[ReviewRecord]] = {}
        for row in rows:
            found.setdefault(row["of"], []).append(_review(row["review"]))
        return found

    async def newest_reviews(
        self, states: Sequence[str], request: PageRequest
    ) -> Page[ReviewRecord]:
        """A page of the reviews of some states, the latest first. A key is a position."""
        rows = await self._database.read_rows(
            LIST_NEWEST_REVIEWS,
            states=list(states),
            before=request.after or END,
            limit=request.limit + 1,
        )
        reviews = [_review(row["review"]) for row in rows]
        return page_of(reviews, request, lambda review: review.position)


def _link(row: Mapping[str, Any]) -> LinkRecord:
    link = link_of(row["link"], row["kind"], row["from"], row["to"])
    if link.kind is not LinkKind.HAS_IDENTIFIER:
        return LinkRecord(link)
    return LinkRecord(link, NamedIdentifier(row["to"], row["type"], row["value"]))


def _review(row: Mapping[str, Any]) -> ReviewRecord:
    return ReviewRecord(
        id=row["id"],
        kind=row["kind"],
        state=row.get("state") or "OPEN",
        contacts=tuple(row["contacts"]),
        identifier=row.get("identifier"),
        evidence=row["evidence"],
        reason=row.get("reason") or "",
        recorded_at=row["recordedAt"],
        position=row["position"],
    )
