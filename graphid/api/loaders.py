"""Loaders: what the fields of one request need, asked for together, once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from graphid.api.batching import Loader
from graphid.identity.values import Micros, Place
from graphid.service.chats import ChatRecord, MessageRecord
from graphid.service.devices import CookieRecord, DeviceRecord, UseRecord
from graphid.service.joins import JoinRecord
from graphid.service.journey import EventRecord, PageWanted
from graphid.service.ledger import RecordedOperation
from graphid.service.lines import Line, LinesWanted
from graphid.service.links import LinkRecord, LinksWanted, NamedIdentifier, ReviewRecord
from graphid.service.masked_reads import MaskedReads
from graphid.service.pages import Page, PageRequest
from graphid.service.people import ContactRecord, PersonRecord
from graphid.service.reads import Reads
from graphid.service.sessions import SessionRecord
from graphid.service.statements import About, Stated
from graphid.service.visitors import Owner, VisitorRecord
from graphid.service.visits import VisitsWanted

K = TypeVar("K")
V = TypeVar("V")

MOST_CONTACT_LINKS = 100
MOST_USES = 200
MOST_COOKIE_VISITORS = 200


def _by_key(read: Callable[[list[K]], Awaitable[dict[K, V]]]) -> Callable[..., Any]:
    """A batch function from a reader that answers a dictionary; what is missing is None."""

    async def load(keys: list[K]) -> list[V | None]:
        found = await read(list(dict.fromkeys(keys)))
        return [found.get(key) for key in keys]

    return load


class PersonByIdLoader(Loader[str, PersonRecord | None]):
    """People by any id ever given out."""

    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.people.by_id))


class ContactByFormerIdLoader(Loader[str, ContactRecord | None]):
    """What the ids of contacts that are made no more mean now."""

    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.people.contacts))


class SeenByPersonLoader(Loader[str, tuple[Micros, Micros] | None]):
    """When a person was first and last seen."""

    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.lines.seen))


class VisitorByIdLoader(Loader[str, VisitorRecord | None]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.visitors.by_id))


class OwnerByPlaceLoader(Loader[tuple[str, Place], Owner | None]):
    """Whose a place on a cookie is."""

    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.visitors.owners))


class EventByMessageIdLoader(Loader[str, EventRecord | None]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.journeys.by_message_id))


class StatedLoader(Loader[About, Stated | None]):
    """What identifies and records of sources said of contacts."""

    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.statements.of))


class JoinByIdLoader(Loader[str, JoinRecord | None]):
    """Joins and splits by the id of their line."""

    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.joins.by_id))


class LinesPageLoader(Loader[LinesWanted, Page[Line]]):
    """Pages of people's journeys."""

    def __init__(self, reads: Reads) -> None:
        super().__init__(reads.lines.pages)


class JourneyPageLoader(Loader[PageWanted, Page[EventRecord]]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(reads.journeys.pages, is_kept=False)


class SessionByIdLoader(Loader[str, SessionRecord | None]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.sessions.by_id))


class SessionByVisitorLoader(Loader[tuple[str, VisitorRecord], SessionRecord | None]):
    """A visitor's part of a stored session."""

    def __init__(self, reads: Reads) -> None:
        async def load(keys: list[tuple[str, VisitorRecord]]) -> list[SessionRecord | None]:
            cuts = {f"{stored}~{visitor.id}": (stored, visitor) for stored, visitor in keys}
            found = await reads.sessions.of_cuts(cuts)
            return [found.get(f"{stored}~{visitor.id}") for stored, visitor in keys]

        super().__init__(load, same=lambda key: (key[0], key[1].id))


class SessionPageLoader(Loader[VisitsWanted, Page[SessionRecord]]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(reads.visits.sessions, is_kept=False)


class ChatByIdLoader(Loader[str, ChatRecord | None]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.chats.by_id))


class ChatPageLoader(Loader[VisitsWanted, Page[ChatRecord]]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(reads.visits.chats)


class MessagePageLoader(Loader[tuple[str, PageRequest], Page[MessageRecord]]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(reads.chats.messages)


class DeviceByIdLoader(Loader[str, DeviceRecord | None]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.devices.by_id))


class CookieByIdLoader(Loader[str, CookieRecord | None]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.devices.cookies))


class VisitorsByCookieLoader(Loader[str, list[VisitorRecord] | None]):
    """The latest visitors of a cookie."""

    def __init__(self, reads: Reads) -> None:
        async def load(ids: list[str]) -> dict[str, list[VisitorRecord]]:
            return await reads.devices.visitors_of_cookies(ids, limit=MOST_COOKIE_VISITORS)

        super().__init__(_by_key(load))


class UsesByDeviceLoader(Loader[tuple[str, Micros | None], list[UseRecord] | None]):
    """Uses of a device, the latest, or the latest by a time."""

    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.devices.uses_of_devices))


class PeopleCountByDeviceLoader(Loader[str, int | None]):
    """How many people identified themselves on a device."""

    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.devices.count_people))


class PersonByMomentLoader(Loader[tuple[str, Micros], str | None]):
    """Who used a device at a moment."""

    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.devices.people_at))


class UsesByPersonLoader(Loader[str, list[UseRecord] | None]):
    def __init__(self, reads: Reads) -> None:
        async def load(people: list[str]) -> dict[str, list[UseRecord]]:
            return await reads.devices.uses_of_people(people, limit=MOST_USES)

        super().__init__(_by_key(load))


class LinkByIdLoader(Loader[str, LinkRecord | None]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.links.by_id))


class SeveredByVisitorLoader(Loader[str, LinkRecord | None]):
    """What was last withdrawn of a visitor."""

    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.links.severed))


class OperationByEvidenceLoader(Loader[str, RecordedOperation | None]):
    """Operations; None for other evidence."""

    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.ledger.by_id))


class LinksByPersonLoader(Loader[LinksWanted, list[LinkRecord]]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(reads.links.of_people)


class LinksByContactLoader(Loader[str, list[LinkRecord] | None]):
    def __init__(self, reads: Reads) -> None:
        async def load(ids: list[str]) -> dict[str, list[LinkRecord]]:
            return await reads.links.of_contacts(ids, limit=MOST_CONTACT_LINKS)

        super().__init__(_by_key(load))


class IdentifierByIdLoader(Loader[str, NamedIdentifier | None]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.links.identifiers))


class ReviewByIdLoader(Loader[str, ReviewRecord | None]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.links.reviews))


class ReviewsByPersonLoader(Loader[str, list[ReviewRecord] | None]):
    def __init__(self, reads: Reads) -> None:
        super().__init__(_by_key(reads.links.reviews_of))


L = TypeVar("L")


@dataclass
class Loaders:
    """The loaders of one request, each made when it is first asked for.

    ``masked``: what masks all that is loaded, for a caller who may not see identifiers.
    """

    reads: Reads
    masked: MaskedReads | None = None

    def __post_init__(self) -> None:
        self._made: dict[type[Any], Any] = {}

    def __call__(self, kind: Callable[[Reads], L]) -> L:
        """The request's loader of that class."""
        made = self._made.get(kind)  # type: ignore[call-overload]
        if made is None:
            made = self._made[kind] = kind(self.reads)  # type: ignore[index]
            if self.masked is not None and isinstance(made, Loader):
                made.read = _masking(made.read, self.masked)
        loader: L = made
        return loader

    def forget(self) -> None:
        """Read again from here on: something was written."""
        self._made.clear()


def _masking(load: Callable[[list[Any]], Awaitable[Any]], masked: MaskedReads) -> Any:
    """A batch function that answers what another does, masked."""

    async def load_masked(keys: list[Any]) -> Any:
        return await masked.shown(await load(keys))

    return load_masked
