"""Links and reviews as they were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphid.graph.database import Readable
from graphid.graph.past.past import Past
from graphid.identity.ids import Ids, contact_named_by
from graphid.identity.state import Link, LinkKind, LinkState
from graphid.service.links import MOST_REVIEWS, LinkRecord, Links, LinksWanted, ReviewRecord
from graphid.service.past.projecting import link_record, review_record


class PastLinks(Links):
    """Reads links and reviews as they were."""

    def __init__(self, database: Readable, past: Past, ids: Ids) -> None:
        super().__init__(database)
        self._past = past
        self._ids = ids

    async def by_id(self, ids: Iterable[str]) -> dict[str, LinkRecord]:
        """The links of these ids, as many as there were."""
        return {link.id: self._record(link) for link in await self._past.links(list(ids))}

    async def of_people(self, wanted: Sequence[LinksWanted]) -> list[list[LinkRecord]]:
        """For each of these, the links that made the person, newest first."""
        members = await self._members({one.person for one in wanted})
        contacts = {contact for some in members.values() for contact in some}
        links = _newest(await self._past.links_at(contacts)) if contacts else []
        visitors = {one.person for one in wanted} - members.keys()
        withdrawn = _newest(await self._past.links_from(visitors)) if visitors else []
        found = []
        for one in wanted:
            own = members.get(one.person)
            theirs = (
                [link for link in links if _makes(link, own)]
                if own is not None
                else [w for w in withdrawn if w.source == one.person and _is_severed(w)]
            )
            kept = [link for link in theirs if not one.states or link.state.value in one.states]
            found.append([self._record(link) for link in kept[: one.limit]])
        return found

    async def of_contacts(self, ids: Iterable[str], *, limit: int) -> dict[str, list[LinkRecord]]:
        """Each contact's links, newest first."""
        wanted = list(ids)
        links = _newest(await self._past.links_at(wanted))
        return {
            id: [self._record(link) for link in links if id in (link.source, link.target)][:limit]
            for id in wanted
        }

    async def severed(self, visitors: Iterable[str]) -> dict[str, LinkRecord]:
        """What was last withdrawn of each visitor."""
        links = filter(_is_severed, await self._past.links_from(list(visitors)))
        latest = sorted(links, key=lambda link: (-(link.retracted_at or 0), link.id), reverse=True)
        return {link.source: self._record(link) for link in latest}

    async def reviews(self, ids: Iterable[str]) -> dict[str, ReviewRecord]:
        """The reviews of these ids, as many as there were."""
        found = await self._past.reviews(list(ids))
        return {review.id: review_record(review) for review in found}

    async def reviews_of(self, people: Iterable[str]) -> dict[str, list[ReviewRecord]]:
        """The reviews that concerned each person, the latest first."""
        members = await self._members(set(people))
        contacts = {contact for some in members.values() for contact in some}
        filed = sorted(
            map(review_record, await self._past.reviews_about(contacts)),
            key=lambda review: (-review.recorded_at, review.id),
        )
        return {
            person: [review for review in filed if not own.isdisjoint(review.contacts)][
                :MOST_REVIEWS
            ]
            for person, own in members.items()
        }

    async def _members(self, people: Iterable[str]) -> dict[str, set[str]]:
        """The contacts of each; those that no contact names are missing."""
        named = {person: c for person in people if (c := contact_named_by(person)) is not None}
        found = await self._past.people(set(named.values())) if named else {}
        return {
            person: {c.id for c in found[contact].person.contacts} if contact in found else set()
            for person, contact in named.items()
        }

    def _record(self, link: Link) -> LinkRecord:
        return link_record(link, self._ids)


def _newest(links: Iterable[Link]) -> list[Link]:
    return sorted(links, key=lambda link: (-link.at, link.id))


def _is_severed(link: Link) -> bool:
    return link.state is LinkState.SEVERED


def _makes(link: Link, contacts: set[str]) -> bool:
    """Whether it is one of those that make whoever has these contacts, or keep others apart."""
    if link.kind is LinkKind.IDENTIFIED_AS:
        return link.target in contacts
    if link.kind is LinkKind.NOT_SAME_AS and link.target in contacts:
        return True
    return link.source in contacts
