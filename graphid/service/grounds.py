"""What joins and what parts two things, as the graph has it: bounded reads for who asks why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from graphid.graph.database import Readable
from graphid.graph.queries import query
from graphid.identity.chains import Join
from graphid.identity.state import Opening
from graphid.identity.values import IdentifierKey, Micros

READ_JOINS = query("reasons/read_joins")
FIND_VISITS = query("reasons/find_visits")
LIST_VISITS = query("reasons/list_visits")
LIST_WITHDRAWN = query("reasons/list_withdrawn")
LIST_REVIEWS = query("reasons/list_reviews")
FIND_BOUNDARIES = query("reasons/find_boundaries")

MOST_VISITS = 1000
"""Of a cookie, a device or a person with more visits, the latest are looked at, where not certain
people's are asked for."""

MOST_REASONS = 10
"""How many links that were withdrawn, reviews and boundaries are told, the latest of each."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A cookie or a device: where somebody was. The other one is None."""

    cookie: str | None = None
    device: str | None = None


class Visits(NamedTuple):
    """Visits in one place, by whose they are. ``are_all``: there are no others."""

    joins: dict[str, list[Join]]
    are_all: bool


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Between which two withdrawn links are asked for: see ``reasons/list_withdrawn``."""

    one: str | None
    other: str | None
    visitors: Sequence[str] = ()
    identifier: str | None = None
    cookie: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where on a browser one's visit ended and the other's began, and with what."""

    at: Micros
    opening: Opening


class Grounds:
    """Reads what joins and what parts."""

    def __init__(self, database: Readable) -> None:
        self.rows = database

    async def of_people(
        self, people: Collection[str], identifiers: Collection[str]
    ) -> dict[str, list[Join]]:
        """What joins the contacts of each person, with those identifiers (ids of nodes)."""
        named = {"people": list(people), "identifiers": list(identifiers)}
        rows = await self.rows.read_rows(READ_JOINS, named=named)
        return _by_person(rows[0]["joins"])

    async def visits(self, people: Collection[str], spot: Spot) -> dict[str, list[Join]]:
        """Each person's visits on a cookie or a device: all of them."""
        named = {"people": list(people), **asdict(spot)}
        rows = await self.rows.read_rows(FIND_VISITS, named=named)
        return _by_person(rows[0]["joins"])

    async def latest_visits(self, spot: Spot) -> Visits:
        """The latest visits on a cookie or a device, a device's on the cookies used last."""
        named = {"limit": MOST_VISITS, **asdict(spot)}
        rows = await self.rows.read_rows(LIST_VISITS, named=named)
        return Visits(_by_person(rows[0]["joins"]), rows[0]["looked"] < MOST_VISITS)

    async def withdrawn(self, between: Withdrawn) -> list[str]:
        """Ids of links between two that were withdrawn, the latest first."""
        named = {**asdict(between), "limit": MOST_REASONS}
        rows = await self.rows.read_rows(LIST_WITHDRAWN, named=named)
        links: list[str] = rows[0]["links"]
        return links

    async def reviews(
        self, one: str, other: str | None, identifier: IdentifierKey | None
    ) -> list[str]:
        """Ids of the open reviews about a person and another, or an identifier."""
        named = {"one": one, "other": other, "identifier": identifier, "limit": MOST_REASONS}
        rows = await self.rows.read_rows(LIST_REVIEWS, named=named)
        reviews: list[str] = rows[0]["reviews"]
        return reviews

    async def boundaries(self, one: str, other: str) -> tuple[list[Boundary], bool]:
        """Where two people followed each other on a browser, the latest first; and whether a
        device has both."""
        named = {"one": one, "other": other, "limit": MOST_VISITS, "most": MOST_REASONS}
        rows = await self.rows.read_rows(FIND_BOUNDARIES, named=named)
        found = [Boundary(at, Opening(opening)) for at, opening in rows[0]["boundaries"]]
        return found, rows[0]["shared"]


def _by_person(joins: Iterable[Sequence[Any]]) -> dict[str, list[Join]]:
    found: dict[str, list[Join]] = {}
    for person, *join in joins:
        found.setdefault(person, []).append(Join(*join))
    return found
