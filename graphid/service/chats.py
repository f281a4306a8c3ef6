"""Chats and what was said in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from graphid.graph.database import Readable
from graphid.graph.queries import query
from graphid.identity.attribution import Basis
from graphid.identity.values import Kind, Micros, Place
from graphid.service.pages import Page, PageRequest, page_of
from graphid.service.visitors import END, NOW, Horizon, Owner, Slice, at_moment

READ_CHATS = query("chats/read_chats")
LIST_CHATS = query("chats/list_chats")
LIST_MESSAGES = query("chats/list_messages")

_detail = msgspec.json.Decoder(dict[str, Any])


class ChatRecord(msgspec.Struct, frozen=True):
    """A conversation. ``position``: the place of its start on its cookie; ``vouched_for``: that of
    the last identify in it by which a provider vouched, None where none did."""

    id: str
    channel: str
    cookie: str
    session: str | None
    position: Place
    started_at: Micros
    ended_at: Micros | None
    vouched_for: Place | None
    authenticated_at: Micros | None
    issuer: str | None
    subject: str | None

    def place_of_owner(self, now: Micros) -> Place:
        """Where on its cookie to ask whose the chat is: at its end, or now."""
        at = now if self.ended_at is None else self.ended_at
        return at_moment(at) + Kind.EVENT.value


def is_authenticated(then: Owner, now: Owner) -> bool:
    """Whether a chat still has its badge. ``then``: whose its cookie was when a provider vouched;
    ``now``: whose it is, or was when the chat ended.

    It is the same visitor, and what made it that person's stands.
    """
    return then.attribution.basis is Basis.AUTHENTICATED and (then.record.id, then.person) == (
        now.record.id,
        now.person,
    )


class MessageRecord(msgspec.Struct, frozen=True):
    message_id: str
    cookie: str
    position: Place
    occurred_at: Micros
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class ChatsWanted:
    """A page of the chats of whoever owns the slices; ``is_open`` None: ended ones too."""

    slices: Sequence[Slice]
    request: PageRequest
    is_open: bool | None = None


class Chats:
    """Reads chats. ``clock`` tells the microseconds since 1970."""

    def __init__(
        self, database: Readable, clock: Callable[[], Micros], horizon: Horizon = NOW
    ) -> None:
        self._database = database
        self._clock = clock
        self._horizon = horizon

    def now(self) -> Micros:
        return self._clock()

    async def by_id(self, ids: Iterable[str]) -> dict[str, ChatRecord]:
        """The chats of these ids, as many as there are."""
        rows = await self._database.read_rows(READ_CHATS, ids=list(ids))
        return {row["chat"]["id"]: chat_of(row["chat"]) for row in rows}

    async def pages(self, wanted: Sequence[ChatsWanted]) -> list[Page[ChatRecord]]:
        """For each of these, a page of chats, newest first."""
        if not any(one.slices for one in wanted):
            return [page_of((), one.request, lambda chat: chat.position) for one in wanted]
        rows = await self._database.read_rows(
            LIST_CHATS,
            pages=[
                {
                    "key": key,
                    "slices": [
                        {"cookie": part.cookie, "low": part.low, "high": part.high}
                        for part in one.slices
                    ],
                    "before": one.request.after or END,
                    "open": one.is_open is not False,
                    "ended": one.is_open is not True,
                }
                for key, one in enumerate(wanted)
            ],
            now=at_moment(self._clock()) + Kind.EVENT.value,
            limit=max(one.request.limit for one in wanted) + 1,
        )
        found = {row["key"]: [chat_of(chat) for chat in row["chats"]] for row in rows}
        return [
            page_of(found[key][: one.request.limit + 1], one.request, lambda chat: chat.position)
            for key, one in enumerate(wanted)
        ]

    async def messages(
        self, wanted: Sequence[tuple[str, PageRequest]]
    ) -> list[Page[MessageRecord]]:
        """For each chat, a page of its messages, oldest first."""
        rows = await self._database.read_rows(
            LIST_MESSAGES,
            chats=[
                {
                    "key": key,
                    "id": chat,
                    "after": request.after or "",
                    "until": self._horizon.place,
                    "received": self._horizon.received,
                }
                for key, (chat, request) in enumerate(wanted)
            ],
            limit=max(request.limit for _, request in wanted) + 1,
        )
        found = {row["key"]: [_message(m) for m in row["messages"]] for row in rows}
        return [
            page_of(
                found.get(key, [])[: request.limit + 1], request, lambda message: message.position
            )
            for key, (_, request) in enumerate(wanted)
        ]


def chat_of(row: Mapping[str, Any]) -> ChatRecord:
    """A chat from its node's properties."""
    return ChatRecord(
        id=row["id"],
        channel=row.get("channel") or "web",
        cookie=row["cookie"],
        session=row.get("session"),
        position=row["position"],
        started_at=row["startedAt"],
        ended_at=row.get("endedAt"),
        vouched_for=row.get("vouchedFor"),
        authenticated_at=row.get("authenticatedAt"),
        issuer=row.get("issuer"),
        subject=row.get("subject"),
    )


def _message(row: Sequence[Any]) -> MessageRecord:
    message_id, cookie, position, occurred_at, detail = row
    said = _detail.decode(detail or "{}")
    return MessageRecord(
        message_id,
        cookie,
        position,
        occurred_at,
        said.get("author", "SYSTEM"),
        said.get("text", ""),
    )
