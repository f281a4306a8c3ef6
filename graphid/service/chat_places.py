"""Which chat a message means, and on which cookie it lies.

A chat belongs to the cookie that began it, and where a publishable key began it, among such keys
to that one: another site's key does not reach it, whatever cookie it names. Where a browser names a
chat id that another's chat has, it gets one of its own, so that it cannot touch, or learn of,
somebody else's. A secret key reaches every chat.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from graphid.errors import GraphidError, InvalidInput, NotFound
from graphid.graph.database import Unit
from graphid.graph.queries import query
from graphid.identity.ids import Ids
from graphid.identity.values import Micros
from graphid.service.messages import Author, ChatLine, ChatMessage, Message, Sender, StartChat

FIND_CHATS = query("chats/find_chats")
TAKE_CHATS = query("chats/take_chats")
FIND_COOKIES = query("erasures/find_cookies")


@dataclass(frozen=True)
class ChatPlace:
    """A chat, its cookie, and the device that it was begun on; ``was_begun``: by an earlier
    message. Or the problem with it."""

    chat: str = ""
    cookie: str = ""
    device: str | None = None
    was_begun: bool = False
    started_at: Micros | None = None
    problem: GraphidError | None = None


@dataclass(frozen=True)
class _Known:
    """``started_by``: the publishable key that began it; None where a secret one did."""

    cookie: str
    started_by: str | None
    started_at: Micros | None = None
    device: str | None = None


class ChatPlaces:
    """Finds the chats that one list of messages names."""

    def __init__(self, sender: Sender, ids: Ids) -> None:
        self._sender = sender
        self._ids = ids
        self._known: dict[str, _Known] = {}

    async def find(
        self, unit: Unit, messages: Sequence[tuple[Message, str]], *, lock: bool
    ) -> dict[str, ChatPlace]:
        """The place of each chat message, by message id.

        ``lock``: and lock the chats for the rest of the transaction, which may write then what lies
        in them: none of them goes before that is committed.
        """
        wanted = sorted({chat for message, id in messages for chat in self._names(message, id)})
        if not wanted:
            return {}
        if lock:
            (row,) = await unit.rows(TAKE_CHATS, ids=wanted)
        else:
            (row,) = await unit.rows(FIND_CHATS, ids=wanted)
        self._known = {
            id: _Known(cookie, by, at, device) for id, cookie, by, at, device in row["chats"]
        }
        places: dict[str, ChatPlace] = {}
        for message, id in messages:
            if isinstance(message, StartChat):
                places.setdefault(id, self._begin(message, id))
            elif isinstance(message, ChatLine):
                places.setdefault(id, self._continue(message))
        lost = {id for id, place in places.items() if isinstance(place.problem, NotFound)}
        return places | await self._erased(unit, messages, lost) if lost else places

    async def _erased(
        self, unit: Unit, messages: Sequence[tuple[Message, str]], lost: Collection[str]
    ) -> dict[str, ChatPlace]:
        """Where those of the lost lines lay that were erased together with their chats."""
        rows = await unit.rows(FIND_COOKIES, ids=sorted(lost))
        cookies = {row["id"]: row["cookie"] for row in rows}
        return {
            id: ChatPlace(message.chat_id, cookies[id])
            for message, id in messages
            if isinstance(message, ChatLine)
            and id in cookies
            and message.cookie_id in self._may_name(cookies[id])
        }

    def _names(self, message: Message, id: str) -> list[str]:
        if isinstance(message, StartChat):
            own = self._own(message.context.cookie_id, message.chat_id or id)
            return [own] if message.chat_id is None else [message.chat_id, own]
        if isinstance(message, ChatLine):
            if message.cookie_id is None:
                return [message.chat_id]
            return [message.chat_id, self._own(message.cookie_id, message.chat_id)]
        return []

    def _own(self, cookie: str, named: str) -> str:
        """The sender's own chat on a cookie, of those that are named so."""
        return self._ids.chat(cookie, named, self._started_by)

    @property
    def _started_by(self) -> str | None:
        return self._sender.name if self._sender.is_browser else None

    def _reaches(self, known: _Known, cookie: str | None) -> bool:
        """Whether the sender, who names this cookie or none, may touch a chat."""
        if self._sender.is_browser and known.started_by not in (None, self._sender.name):
            return False
        return cookie in self._may_name(known.cookie)

    def _may_name(self, cookie: str) -> tuple[str | None, ...]:
        """What the sender may give as the cookie of what lies on this one: a secret key, none."""
        return (cookie,) if self._sender.is_browser else (cookie, None)

    def _begin(self, message: StartChat, id: str) -> ChatPlace:
        cookie = message.context.cookie_id
        for chat in self._names(message, id):
            known = self._known.get(chat)
            if known is None:
                self._known[chat] = _Known(cookie, self._started_by)
                return ChatPlace(chat, cookie)
            if self._reaches(known, cookie):
                return ChatPlace(chat, cookie, was_begun=True, started_at=known.started_at)
        raise AssertionError("a chat named for its cookie and key is another's")

    def _continue(self, message: ChatLine) -> ChatPlace:
        if self._sender.is_browser:
            if message.cookie_id is None:
                problem = InvalidInput("is required from a publishable key", path=["cookieId"])
                return ChatPlace(problem=problem)
            if isinstance(message, ChatMessage) and message.author is not Author.CUSTOMER:
                problem = InvalidInput("must be CUSTOMER from a publishable key", path=["author"])
                return ChatPlace(problem=problem)
        for chat in self._names(message, ""):
            known = self._known.get(chat)
            if known is not None and self._reaches(known, message.cookie_id):
                return ChatPlace(chat, known.cookie, known.device)
        return ChatPlace(problem=NotFound("There is no such chat on this cookie."))
