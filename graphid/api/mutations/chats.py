"""Mutations: chats."""

from __future__ import annotations

from typing import Annotated

import strawberry

from graphid.api.chats import Chat, chat_by_id
from graphid.api.context import Info
from graphid.api.inputs import ChatMessageInput, EndChatInput, StartChatInput
from graphid.api.mutations.submitting import (
    EventAccepted,
    accepted,
    or_invalid,
    or_not_found,
    submit,
)
from graphid.api.nodes import computed, found
from graphid.api.problems import InvalidInput, NotFound
from graphid.service import messages


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


async def _start(info: Info, sent: StartChatInput) -> ChatStarted:
    receipt = await submit(info, messages.StartChat, sent)
    chat = Chat.of_receipt(receipt)
    if receipt.duplicate and not info.context.caller.is_browser:
        # It may have been authenticated since; a browser is told what it sent itself.
        chat = found(await chat_by_id(info, chat.id))
    return ChatStarted(chat=chat, duplicate=receipt.duplicate)
