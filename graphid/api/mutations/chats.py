"""Mutations: chats."""

from __future__ import annotations

from typing import Annotated

import strawberry

from graphid import errors
from graphid.api.chats import Chat, chat_by_id
from graphid.api.context import Info
from graphid.api.inputs import (
    AuthenticateChatInput,
    ChatMessageInput,
    EndChatInput,
    StartChatInput,
    message_of,
)
from graphid.api.links import LazyPerson, Link, links_by_id
from graphid.api.mutations.recorded import or_failed
from graphid.api.mutations.submitting import (
    EventAccepted,
    accepted,
    or_invalid,
    or_not_found,
    or_refused_or_not_found,
    submit,
)
from graphid.api.nodes import computed, found
from graphid.api.problems import InvalidInput, NotFound, Refused
from graphid.service import messages
from graphid.service.audit.entries import Outcome


@strawberry.type(description="The conversation began.")
class ChatStarted:
    chat: Chat = strawberry.field(description="The chat.")
    duplicate: bool = strawberry.field(description="Whether it was known already.")


StartChatResult = Annotated[ChatStarted | InvalidInput, strawberry.union("StartChatResult")]
SendChatMessageResult = Annotated[
    EventAccepted | InvalidInput | NotFound, strawberry.union("SendChatMessageResult")
]
EndChatResult = Annotated[
    EventAccepted | InvalidInput | NotFound, strawberry.union("EndChatResult")
]


@strawberry.type(description="A provider vouched for whoever holds the chat's cookie.")
class ChatAuthenticated:
    chat: Chat = strawberry.field(description="The chat, with its badge.")
    made: strawberry.Private[tuple[str, ...]]

    @computed("Owner of the chat's visitor, now.")
    async def person(self, info: Info) -> LazyPerson:
        return await self.chat.person(info)

    @computed("The links that the login made, raised or took over.")
    async def links(self, info: Info) -> list[Link]:
        return await links_by_id(info, self.made)


AuthenticateChatResult = Annotated[
    ChatAuthenticated | InvalidInput | NotFound | Refused,
    strawberry.union("AuthenticateChatResult"),
]


@strawberry.type
class ChatMutations:
    @computed("A visitor begins a conversation.")
    async def start_chat(self, info: Info, input: StartChatInput) -> StartChatResult:
        return await or_invalid(_start(info, input))

    @computed("Somebody says something in a chat.")
    async def send_chat_message(self, info: Info, input: ChatMessageInput) -> SendChatMessageResult:
        return await or_not_found(accepted(info, messages.ChatMessage, input))

    @computed("A conversation is over.")
    async def end_chat(self, info: Info, input: EndChatInput) -> EndChatResult:
        return await or_not_found(accepted(info, messages.EndChat, input))

    @computed(
        "A provider is asked to vouch for whoever holds the chat's cookie: it redeems the code "
        "that the frontend got, and from then on the chat is authenticated. Where it does not "
        "vouch, the chat goes on as it was. The same code again is answered as it was."
    )
    async def authenticate_chat(
        self, info: Info, input: AuthenticateChatInput
    ) -> AuthenticateChatResult:
        return await or_refused_or_not_found(_authenticate(info, input))


async def _authenticate(info: Info, sent: AuthenticateChatInput) -> ChatAuthenticated:
    context, action = info.context, info.field_name
    asked = message_of(messages.AuthenticateChat, sent)
    try:
        with or_failed(context, action):
            done = await context.services.vouching.authenticate_chat(asked, context.caller)
    except errors.Refused:
        if not context.caller.is_browser:
            # Anybody may try with a key that everybody may have.
            await context.record(action, outcome=Outcome.REFUSED)
        raise
    context.forget()
    await context.record(action, subjects=done.contacts)
    return ChatAuthenticated(chat=found(await chat_by_id(info, done.chat)), made=done.links)


async def _start(info: Info, sent: StartChatInput) -> ChatStarted:
    receipt = await submit(info, messages.StartChat, sent)
    chat = Chat.of_receipt(receipt)
    if receipt.duplicate and not info.context.caller.is_browser:
        # It may have been authenticated since. Whether that stands depends on what others did and
        # operators judged, so a browser is told what it sent itself.
        chat = found(await chat_by_id(info, chat.id))
    return ChatStarted(chat=chat, duplicate=receipt.duplicate)
