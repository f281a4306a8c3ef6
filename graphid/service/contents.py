"""What a message says, apart from who sent it and when."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from graphid.service.messages import (
    ChatAuthentication,
    ChatMessage,
    Contact,
    Identify,
    Message,
    Page,
    Plain,
    Proof,
    StartChat,
    Track,
    Traits,
    Validated,
)

_json = msgspec.json.Encoder(order="sorted")


def detail_of(message: Message) -> dict[str, Any]:
    """What a line of the journey tells beside when and where."""
    match message:
        case Plain():
            said: dict[str, Any] = message.detail
        case Page():
            said = {
                "url": message.url,
                "title": message.title,
                "referrer": message.referrer,
                "properties": message.properties,
            }
        case Track():
            call = None if message.call == "track" else message.call
            said = {"name": message.name, "properties": message.properties, "call": call}
        case Identify():
            said = {"traits": _traits(message.traits), **_voucher(message.proof)}
        case ChatAuthentication():
            said = _voucher(message.proof)
        case StartChat():
            said = {"channel": message.channel}
        case ChatMessage():
            said = {"author": message.author.value, "text": message.text}
        case _:
            said = {}
    return {name: value for name, value in said.items() if value is not None}


def _traits(traits: Traits | None) -> dict[str, Any] | None:
    return None if traits is None else traits.model_dump(by_alias=True, exclude_none=True)


def _voucher(proof: Proof | None) -> dict[str, Any]:
    """Who vouched, and for whom."""
    return {} if proof is None else {"issuer": proof.issuer, "subject": proof.subject}


def digest_of(message: Message) -> str:
    """What tells whether a message id came again with other content; times are no part of it."""
    match message:
        case Plain():
            content = message.detail | _of_plain(message)
        case Page():
            content = {
                "url": message.url,
                "title": message.title,
                "referrer": message.referrer,
                "properties": message.properties,
                **_of_event(message),
            }
        case Track():
            content = {
                "name": message.name,
                "call": message.call,
                "properties": message.properties,
                **_of_event(message),
            }
        case _:
            content = content_of(message)
    return blake2b(_json.encode(content), digest_size=12).hexdigest()


def content_of(message: Validated) -> dict[str, Any]:
    """What a digest is made of; of pages and tracked events, nearly all there is, ``digest_of``
    says the same without asking pydantic."""
    content = message.model_dump(mode="json", exclude={"message_id", "occurred_at"})
    context = content.get("context")
    if isinstance(context, dict):
        content["context"] = {
            name: value
            for name, value in context.items()
            if name not in ("message_id", "occurred_at")
        }
    return content


def _of_event(message: Page | Track) -> dict[str, Any]:
    context = message.context
    return {
        "kind": message.kind,
        "context": {
            "cookie_id": context.cookie_id,
            "device_id": context.device_id,
            "session_id": context.session_id,
        },
    }


def _of_plain(message: Plain) -> dict[str, Any]:
    context = {
        "cookie_id": message.cookie,
        "device_id": message.device,
        "session_id": message.session,
    }
    if message.call == "page":
        return {"kind": "page", "context": context}
    return {"kind": "track", "call": message.call, "context": context}


def contact_id_of(message: Contact) -> str:
    """The message id of a contact that came without one: of what it says, and since when."""
    said = f"{digest_of(message)}{message.occurred_at}"
    return blake2b(said.encode(), digest_size=16).hexdigest()
