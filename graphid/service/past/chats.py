"""Chats as they were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from graphid.graph.database import Readable
from graphid.graph.queries import query
from graphid.identity.values import Kind
from graphid.service.chats import ChatRecord, Chats, ChatsWanted, chat_of
from graphid.service.pages import Page, page_of
from graphid.service.past.moment import Moment
from graphid.service.visitors import END, at_moment

READ_CHATS = query("past/read_chats")
LIST_CHATS = query("past/list_chats")

_detail = msgspec.json.Decoder(dict[str, Any])


class PastChats(Chats):
    """Reads chats as they were: what had not begun is missing, and what ended later is open."""

    def __init__(self, database: Readable, moment: Moment) -> None:
        super().__init__(database, lambda: moment.now, moment.horizon)
        self._moment = moment

    async def by_id(self, ids: Iterable[str]) -> dict[str, ChatRecord]:
        """The chats of these ids, as many as there were."""
        rows = await self._database.read_rows(
            READ_CHATS, ids=list(ids), horizon=self._moment.as_row()
        )
        return {row["chat"]["id"]: _chat(row["chat"], row["endedAt"], row["badge"]) for row in rows}

    async def pages(self, wanted: Sequence[ChatsWanted]) -> list[Page[ChatRecord]]:
        """For each of these, a page of chats, newest first."""
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
            horizon=self._moment.as_row(),
            now=at_moment(self._moment.now) + Kind.EVENT.value,
            limit=max(one.request.limit for one in wanted) + 1,
        )
        found = {row["key"]: [_chat(*chat) for chat in row["chats"]] for row in rows}
        return [
            page_of(found[key][: one.request.limit + 1], one.request, lambda chat: chat.position)
            for key, one in enumerate(wanted)
        ]


def _chat(row: Mapping[str, Any], ended_at: int | None, badge: Sequence[Any] | None) -> ChatRecord:
    chat = replace(chat_of(row), ended_at=ended_at)
    if badge is None:
        return replace(chat, vouched_for=None, authenticated_at=None, issuer=None, subject=None)
    position, at, detail = badge
    told = _detail.decode(detail or "{}")
    return replace(
        chat,
        vouched_for=position,
        authenticated_at=at,
        issuer=told.get("issuer"),
        subject=told.get("subject"),
    )
