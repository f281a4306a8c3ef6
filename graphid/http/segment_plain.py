"""The calls that nearly all traffic is: a page, a screen or a tracked event, with an id, a cookie
and a time of its own.

What ``segment_calls`` and the limits of ``service/messages.py`` make of such a call is made here at
once, in a fraction of the time. Of any other call, also of one with a fault, nothing is said: who
asks looks closer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from graphid.errors import InvalidInput
from graphid.http.segment_calls import JsonObject, page_of, read_time, screen_of
from graphid.service.messages import (
    EARLIEST,
    MAX_ID,
    MAX_NAME,
    MAX_PROPERTIES,
    MAX_URL,
    Plain,
    bounded,
)

SMALL = MAX_PROPERTIES // 4
"""Bytes of a call whose flat properties cannot be too large: a byte counts as four at most."""


def plain_of(said: JsonObject, size: int | None = None) -> Plain | None:
    """The event that a call is, of valid JSON of so many bytes where that is known; None where
    more is needed to tell."""
    kind: Any = said.get("type")
    told_by = _CALLS.get(kind) if isinstance(kind, str) else None
    if told_by is None:
        return None
    context: Any = said.get("context", _NOTHING)
    if not isinstance(context, dict):
        return None
    device = context.get("device", _NOTHING)
    if not isinstance(device, dict):
        return None
    id, cookie = said.get("messageId"), said.get("anonymousId")
    device_id, session, user = device.get("id"), context.get("sessionId"), said.get("userId")
    if not (_is_id(id) and _is_id(cookie)):
        return None
    if not (_may_be_id(device_id) and _may_be_id(session) and _may_be_id(user)):
        return None
    try:
        at = read_time(said.get("timestamp"), "timestamp")
        detail = told_by(said, context)
        if detail is None or at < EARLIEST:
            return None
        _require_bounded(detail["properties"], size)
    except (ValueError, InvalidInput):
        return None
    return Plain(kind, id, cookie, device_id, session, at, detail, user)


_NOTHING: dict[str, Any] = {}


def _page(said: JsonObject, context: JsonObject) -> dict[str, Any] | None:
    detail = page_of(said, context)
    url, title, referrer = detail["url"], detail["title"], detail["referrer"]
    is_sound = _is_text(url, MAX_URL) and (title is None or _is_text(title, MAX_NAME))
    return detail if is_sound and (referrer is None or _is_text(referrer, MAX_URL)) else None


def _screen(said: JsonObject, _: JsonObject) -> dict[str, Any] | None:
    detail = screen_of(said)
    return detail if _is_text(detail["name"], MAX_NAME) else None


def _track(said: JsonObject, _: JsonObject) -> dict[str, Any] | None:
    name, properties = said.get("event"), said.get("properties")
    if not name or not _is_text(name, MAX_NAME):
        return None
    if properties is not None and not isinstance(properties, dict):
        return None
    return {"name": name, "properties": properties or None}


_CALLS: Mapping[str, Callable[[JsonObject, JsonObject], dict[str, Any] | None]] = {
    "page": _page,
    "screen": _screen,
    "track": _track,
}


def _is_id(value: Any) -> TypeGuard[str]:
    """Whether it is an id that needs no second look: in ASCII, without white space around it."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_ID
        and value.isascii()
        and value.isprintable()
        and value[0] != " " != value[-1]
    )


def _may_be_id(value: Any) -> TypeGuard[str | None]:
    return value is None or _is_id(value)


def _is_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most


def _require_bounded(properties: dict[str, Any] | None, size: int | None) -> None:
    if properties is not None and (
        size is None
        or size > SMALL
        or any(isinstance(value, dict | list) for value in properties.values())
    ):
        bounded(properties)
