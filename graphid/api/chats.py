"""Chats in the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from graphid.api.context import Info
from graphid.api.cursors import forwards
from graphid.api.links import LazyPerson
from graphid.api.loaders import (
    ChatByIdLoader,
    MessagePageLoader,
    OwnerByPlaceLoader,
)
from graphid.api.nodes import Node, PageInfo, computed, cursors_of, found, page_info
from graphid.api.scalars import Timestamp
from graphid.service.chats import ChatRecord, MessageRecord, is_authenticated
from graphid.service.messages import Author
from graphid.service.pages import Page
from graphid.service.receipts import Receipt

if TYPE_CHECKING:
    from graphid.api.visits import Session

CHATS = "chats"
MESSAGES = "messages"


@strawberry.type(description="One message of a chat.")
class ChatMessage:
    message_id: strawberry.ID = strawberry.field(description="The sender's, or ours.")
    author: Author = strawberry.field(description="Who wrote it.")
    text: str = strawberry.field(description="As it was written.")
    occurred_at: Timestamp = strawberry.field(description="When.")

    @classmethod
    def of(cls, record: MessageRecord) -> ChatMessage:
        return cls(
            message_id=strawberry.ID(record.message_id),
            author=Author(record.author),
            text=record.text,
            occurred_at=Timestamp(record.occurred_at),
        )


@strawberry.type(description="A message in a list.")
class ChatMessageEdge:
    cursor: str = strawberry.field(description="For `after`.")
    node: ChatMessage = strawberry.field(description="The message.")


@strawberry.type(description="A page of a chat's messages.")
class ChatMessageConnection:
    edges: list[ChatMessageEdge] = strawberry.field(description="The messages, oldest first.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def of(cls, page: Page[MessageRecord]) -> ChatMessageConnection:
        cursors = cursors_of(MESSAGES, page)
        return cls(
            edges=[
                ChatMessageEdge(cursor=cursor, node=ChatMessage.of(message))
                for cursor, message in zip(cursors, page.items, strict=True)
            ],
            page_info=page_info(page, cursors),
        )


@strawberry.type(description="A conversation begun by a visitor.")
class Chat(Node):
    started_at: Timestamp = strawberry.field(description="When it began.")
    record: strawberry.Private[ChatRecord | None]
    """None: it was just begun, and is read only if somebody asks for more than was sent."""

    async def _stored(self, info: Info) -> ChatRecord:
        if self.record is None:
            self.record = found(await info.context.load(ChatByIdLoader).load(self.id))
        return self.record

    @computed(
        "True while the chat's visitor is the one whom a provider vouched for in this chat; after "
        "a logout or a switch the badge is gone, and the next three stay as history. A publishable "
        "key that begins a chat again reads nothing: it is told false, whatever became of the chat."
    )
    async def authenticated(self, info: Info) -> bool:
        if self.record is None or self.record.vouched_for is None:
            return False
        load = info.context.load(OwnerByPlaceLoader)
        cookie, now = self.record.cookie, info.context.reads.chats.now()
        places = (self.record.vouched_for, self.record.place_of_owner(now))
        then, since = map(found, await load.load_many([(cookie, place) for place in places]))
        return is_authenticated(then, since)

    @computed("When that was; to a publishable key that begins a chat again, null.")
    def authenticated_at(self) -> Timestamp | None:
        at = None if self.record is None else self.record.authenticated_at
        return None if at is None else Timestamp(at)

    @computed("Where it is held, as `web`.")
    async def channel(self, info: Info) -> str:
        return (await self._stored(info)).channel

    @computed("The session that it began in.")
    async def session(
        self, info: Info
    ) -> Annotated[Session, strawberry.lazy("graphid.api.visits")] | None:
        from graphid.api.visits import Session  # noqa: PLC0415 - each names the other

        stored = await self._stored(info)
        if stored.session is None:
            return None
        place = (stored.cookie, stored.position)
        owner = found(await info.context.load(OwnerByPlaceLoader).load(place))
        return Session.of_part(stored.session, owner.record)

    @computed("Owner of the chat's visitor now, or at its end.")
    async def person(self, info: Info) -> LazyPerson:
        from graphid.api.people import person_by_id  # noqa: PLC0415 - each names the other

        stored = await self._stored(info)
        place = stored.place_of_owner(info.context.reads.chats.now())
        owner = await info.context.load(OwnerByPlaceLoader).load((stored.cookie, place))
        return await person_by_id(info, found(owner).person)

    @computed("When it ended, if it has.")
    async def ended_at(self, info: Info) -> Timestamp | None:
        ended = (await self._stored(info)).ended_at
        return None if ended is None else Timestamp(ended)

    @computed("The provider that vouched.")
    async def issuer(self, info: Info) -> str | None:
        return (await self._stored(info)).issuer

    @computed("Whom the provider vouched for.")
    async def subject(self, info: Info) -> str | None:
        return (await self._stored(info)).subject

    @computed("What was said, oldest first.")
    async def messages(
        self, info: Info, first: int | None = 100, after: str | None = strawberry.UNSET
    ) -> ChatMessageConnection:
        request = forwards(MESSAGES, first, after or None, default=100)
        load = info.context.load(MessagePageLoader)
        return ChatMessageConnection.of(await load.load((self.id, request)))

    @classmethod
    def of(cls, record: ChatRecord) -> Chat:
        return cls(
            id=strawberry.ID(record.id),
            started_at=Timestamp(record.started_at),
            record=record,
        )

    @classmethod
    def of_receipt(cls, receipt: Receipt) -> Chat:
        """What its beginner knows of it without a look at the graph."""
        return cls(
            id=strawberry.ID(receipt.chat_id or ""),
            started_at=Timestamp(receipt.occurred_at),
            record=None,
        )


@strawberry.type(description="A chat in a list.")
class ChatEdge:
    cursor: str = strawberry.field(description="For `after`.")
    node: Chat = strawberry.field(description="The chat.")


@strawberry.type(description="A page of chats.")
class ChatConnection:
    edges: list[ChatEdge] = strawberry.field(description="The chats, newest first.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def of(cls, page: Page[ChatRecord]) -> ChatConnection:
        cursors = cursors_of(CHATS, page)
        return cls(
            edges=[
                ChatEdge(cursor=cursor, node=Chat.of(chat))
                for cursor, chat in zip(cursors, page.items, strict=True)
            ],
            page_info=page_info(page, cursors),
        )


async def chat_by_id(info: Info, id: str) -> Chat | None:
    record = await info.context.load(ChatByIdLoader).load(id)
    return None if record is None else Chat.of(record)
