"""What can be asked of the fold as it was.

``Versions`` answers from the versions of each key, ``Replay`` by folding evidence anew. Whoever
asks does not know the difference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

from graphid.identity.state import Link, LinkKind, Person, Review, Visitor
from graphid.identity.values import IdentifierKey, Place

Spot = tuple[str, Place]
"""A cookie, and a place on it."""


class Named(NamedTuple):
    """A person, and the contact that it is named for."""

    name: str
    person: Person


class Past(Protocol):
    """The fold as it was. What was not there then is missing from the answers.

    Every method may raise DatabaseUnavailable, Busy or TooLarge.
    """

    async def people(self, contacts: Collection[str]) -> Mapping[str, Named]:
        """Whose each contact was."""
        ...

    async def holders(
        self, identifiers: Collection[IdentifierKey]
    ) -> Mapping[IdentifierKey, tuple[str, ...]]:
        """The contacts, all of one person, that held each identifier."""
        ...

    async def visitors_at(self, spots: Collection[Spot]) -> Mapping[Spot, Visitor]:
        """Whose interval covered each spot; of a cookie that nothing is known of, the visitor that
        it is born with."""
        ...

    async def visitors_of(self, contacts: Collection[str]) -> Collection[Visitor]:
        """The visitors whom these contacts owned."""
        ...

    async def visitors_on(
        self, cookies: Collection[str], limit: int
    ) -> Mapping[str, list[Visitor]]:
        """Each cookie's visitors, newest first, ``limit`` at least."""
        ...

    async def links(self, ids: Collection[str]) -> Collection[Link]:
        """The links of these ids."""
        ...

    async def links_at(self, contacts: Collection[str]) -> Collection[Link]:
        """All links at these contacts, in whatever state."""
        ...

    async def links_from(self, visitors: Collection[str]) -> Collection[Link]:
        """All links that went out from these visitors, in whatever state."""
        ...

    async def reviews(self, ids: Collection[str]) -> Collection[Review]:
        """The reviews of these ids."""
        ...

    async def reviews_about(self, contacts: Collection[str]) -> Collection[Review]:
        """The reviews that concern any of these contacts."""
        ...


async def without_strangers(past: Past, links: Iterable[Link]) -> list[Link]:
    """Links without those that keep somebody apart from whom nobody had met by then: a judgement
    is about all time, and may name who comes later."""
    links = list(links)
    ends = {
        end
        for link in links
        if link.kind is LinkKind.NOT_SAME_AS
        for end in (link.source, link.target)
    }
    met = await past.people(ends) if ends else {}
    return [
        link
        for link in links
        if link.kind is not LinkKind.NOT_SAME_AS or (link.source in met and link.target in met)
    ]
