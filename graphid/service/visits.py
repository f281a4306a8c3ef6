"""Sessions and chats of people, newest first.

Of a person's visitors those are looked at that can hold the page, by when something can have
happened of them last; only where others may hold some of it, too, more of them are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from graphid.graph.database import Readable
from graphid.graph.queries import query
from graphid.identity.values import Micros, moment
from graphid.service.chats import ChatRecord, Chats, ChatsWanted
from graphid.service.pages import Page, PageRequest
from graphid.service.sessions import SessionRecord, Sessions
from graphid.service.visitors import FOREVER, Slice, asked_of, slices_of, visitor_of

LIST_LATEST = query("people/list_latest")

MORE_VISITORS = 8
"""How many times as many visitors are looked at where those were too few."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VisitsWanted:
    """A page of a person's sessions, or chats; ``is_open``: of chats, None: ended ones too."""

    person: str
    request: PageRequest
    is_open: bool | None = None


@dataclass(frozen=True, slots=True)
class Latest:
    """What a person owns of some of their visitors; ``rest``: nothing of the others is later."""

    slices: Sequence[Slice] = ()
    rest: Micros | None = None


class Visits:
    """Reads what people own, sessions and chats."""

    def __init__(self, database: Readable, sessions: Sessions, chats: Chats) -> None:
        self._database = database
        self._sessions = sessions
        self._chats = chats

    async def sessions(self, wanted: Sequence[VisitsWanted]) -> list[Page[SessionRecord]]:
        """For each of these, a page of sessions."""

        async def read(parts: Mapping[int, Sequence[Slice]]) -> list[Page[SessionRecord]]:
            return await self._sessions.pages(
                [(slices, wanted[key].request) for key, slices in parts.items()]
            )

        until = [_started(one.request.after) for one in wanted]
        return await self._pages(wanted, until, read, lambda session: session.started_at)

    async def chats(self, wanted: Sequence[VisitsWanted]) -> list[Page[ChatRecord]]:
        """For each of these, a page of chats."""

        async def read(parts: Mapping[int, Sequence[Slice]]) -> list[Page[ChatRecord]]:
            return await self._chats.pages(
                [
                    ChatsWanted(slices, wanted[key].request, wanted[key].is_open)
                    for key, slices in parts.items()
                ]
            )

        until = [moment(after) if (after := one.request.after) else FOREVER for one in wanted]
        return await self._pages(
            wanted, until, read, lambda chat: moment(chat.position), are_chats=True
        )

    async def _pages(
        self,
        wanted: Sequence[VisitsWanted],
        until: Sequence[Micros],
        read: Callable[[Mapping[int, Sequence[Slice]]], Awaitable[list[Page[T]]]],
        at: Callable[[T], Micros],
        *,
        are_chats: bool = False,
    ) -> list[Page[T]]:
        found: dict[int, Page[T]] = {}
        pending = list(range(len(wanted)))
        visitors = max((one.request.limit for one in wanted), default=0) + 1
        while pending:
            asked = [
                asked_of(wanted[key].person)
                | {"key": key, "untilAt": until[key], "chats": are_chats}
                for key in pending
            ]
            latest = await self._latest(asked, wanted, visitors)
            pages = await read({key: latest[key].slices for key in pending})
            found |= {
                key: page
                for key, page in zip(pending, pages, strict=True)
                if (rest := latest[key].rest) is None
                # Strictly: of what happened at one time nobody knows here which comes first.
                or (page.has_next and at(page.items[-1]) > rest)
            }
            pending = [key for key in pending if key not in found]
            visitors *= MORE_VISITORS
        return [found[key] for key in range(len(wanted))]

    async def _latest(
        self, asked: Sequence[dict[str, object]], wanted: Sequence[VisitsWanted], visitors: int
    ) -> dict[object, Latest]:
        rows = await self._database.read_rows(LIST_LATEST, people=asked, visitors=visitors)
        parts: dict[object, list[Slice]] = {one["key"]: [] for one in asked}
        rests: dict[object, Micros | None] = {}
        for row in rows:
            key = row["key"]
            person = wanted[key].person
            rests[key] = row["rest"]
            parts[key] += [one for one in slices_of(visitor_of(row)) if one.person == person]
        return {key: Latest(slices, rests.get(key)) for key, slices in parts.items()}


def _started(after: str | None) -> Micros:
    """When the session began that a page follows."""
    return FOREVER if after is None else int(after.partition(":")[0])
