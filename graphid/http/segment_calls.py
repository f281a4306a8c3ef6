"""Segment's calls in our words: one call in, one message out. Pure.

What the SDKs of Segment and its kin send is documented by them ("HTTP Tracking API"); this
module says what each part of it means here. A call that cannot be read raises InvalidInput
whose ``path`` is the field as the client named it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from graphid.errors import InvalidInput
from graphid.service.messages import MAX_ID, Identify, Message, Page, Track

JsonObject = Mapping[str, Any]

TRUSTED_SKEW = timedelta(minutes=1)
"""A client's clock that is off by no more is taken at its word; latency looks the same."""

NAMED_TRAITS = ("email", "phone", "firstName", "lastName")
PAGE_KEYS = frozenset({"url", "title", "referrer"})

_FIELDS = {
    ("context", "messageId"): ("messageId",),
    ("context", "cookieId"): ("anonymousId",),
    ("context", "deviceId"): ("context", "device", "id"),
    ("context", "sessionId"): ("context", "sessionId"),
    ("context", "occurredAt"): ("timestamp",),
    ("url",): ("properties", "url"),
    ("title",): ("properties", "title"),
    ("referrer",): ("properties", "referrer"),
    ("traits", "custom"): ("traits",),
    ("identifiers",): ("userId",),
}
"""Where a field of ours comes from, for error messages."""


class Clock:
    """The client's clock against ours, as one request shows it. ``sent_at``: when it was sent, by
    the client's; None where that is not said, and then the client is taken at its word."""

    def __init__(self, sent_at: datetime | None, received_at: datetime) -> None:
        self.sent_at = sent_at
        self.received_at = received_at
        skew = received_at - sent_at if sent_at else timedelta()
        self._correction = skew if abs(skew) > TRUSTED_SKEW else timedelta()

    def of(self, call: JsonObject) -> Clock:
        """The clock of one call of a batch, which may say by itself when it was sent, where the
        batch says nothing."""
        if self.sent_at is not None or "sentAt" not in call:
            return self
        return Clock(sent_at_of(call), self.received_at)

    @property
    def is_wrong(self) -> bool:
        """Whether it is off by more than what latency looks like."""
        return bool(self._correction)

    def corrected(self, at: datetime) -> datetime:
        """When it was by our clock: ``received - (sent - at)`` where theirs is plainly wrong."""
        try:
            return at + self._correction
        except OverflowError:
            return at


def sent_at_of(body: JsonObject) -> datetime | None:
    """When the client says that it sent this; one that cannot be read corrects nothing, nor does
    the year 1, which is what some languages write where no time was set."""
    try:
        at = read_time(body["sentAt"], "sentAt")
    except (KeyError, InvalidInput):
        return None
    return at if at.year > 1 else None


CookieOf = Callable[[str, str, str | None], str]
"""The cookie of a call that names a user and no cookie: user, kind and message id of the call."""


def translate(
    call: JsonObject,
    *,
    clock: Clock,
    cookie_of: CookieOf,
    context: JsonObject | None = None,
    others: Sequence[str] = (),
) -> Message:
    """The message that a call means.

    ``cookie_of`` makes the cookie of a call of a user without ``anonymousId``; ``context`` is
    the batch's, and stands where the call's own says nothing; ``others``: what it could be too,
    for whoever wrote its type wrongly. Raises InvalidInput.
    """
    kind = call.get("type")
    if not isinstance(kind, str) or kind not in _CALLS:
        raise InvalidInput(f"must be one of {', '.join([*_CALLS, *others])}", path=["type"])
    common = _Common(call, clock.of(call), cookie_of, context or {})
    fields = {"context": common.where(), **_CALLS[kind](call, common)}
    message = _TYPES.get(kind, Track)
    try:
        return message.model_validate(fields)
    except ValidationError as error:
        raise _named(error, kind) from None


class _Common:
    """What every call holds."""

    def __init__(
        self,
        call: JsonObject,
        clock: Clock,
        cookie_of: CookieOf,
        batch_context: JsonObject,
    ) -> None:
        self.context = {**batch_context, **_object(call, "context")}
        self.user_id = _id(call, "userId")
        self._is_empty = call.get("userId") == ""
        self._anonymous_id = _id(call, "anonymousId")
        self._kind: str = call["type"]
        self._message_id = _id(call, "messageId")
        self._at = _time(call, "timestamp") or _time(call, "originalTimestamp")
        self._clock = clock
        self._cookie_of = cookie_of

    def who(self) -> dict[str, Any]:
        """The user that is said with an event."""
        return {"user_id": self.user_id, "names_nobody": self.names_nobody}

    @property
    def names_nobody(self) -> bool:
        """Whether it says that nobody is logged in: by an empty user id, as RudderStack's SDKs send
        it, beside an anonymous id."""
        return self.user_id is None and self._anonymous_id is not None and self._is_empty

    def where(self) -> dict[str, Any]:
        """Our context of the call."""
        cookie = self._anonymous_id
        if cookie is None:
            if self.user_id is None:
                raise InvalidInput("anonymousId or userId is needed", path=["anonymousId"])
            cookie = self._cookie_of(self.user_id, self._kind, self._message_id)
        device = _object(self.context, "device", "context")
        return {
            "messageId": self._message_id,
            "cookieId": cookie,
            "deviceId": _id(device, "id", "context", "device"),
            "sessionId": _id(self.context, "sessionId", "context"),
            "occurredAt": self._clock.corrected(self._at) if self._at else None,
            "clientClock": self._clock_said(),
        }

    def _clock_said(self) -> dict[str, Any] | None:
        if self._at is None or not self._clock.is_wrong:
            return None
        return {"timestamp": self._at, "sentAt": self._clock.sent_at}


def _identify(call: JsonObject, common: _Common) -> dict[str, Any]:
    # RudderStack's SDKs have them in the context, and Segment's beside the user id.
    said = {**_object(common.context, "traits", "context"), **_object(call, "traits")}
    # GraphQL's clients keep their own traits under "custom"; here they lie beside the others.
    own = said.pop("custom", None)
    custom = dict(own) if isinstance(own, dict) else {} if own is None else {"custom": own}
    # What is no text is no name or address: it stays among the others, where it is judged as one.
    texts = {name: _as_text(said[name], name) for name in NAMED_TRAITS if name in said}
    named = {name: text for name, text in texts.items() if text is None or isinstance(text, str)}
    custom.update({name: value for name, value in said.items() if name not in named})
    traits = {**named, "custom": custom or None}
    user = common.user_id
    return {
        "traits": traits if any(value is not None for value in traits.values()) else None,
        "identifiers": () if user is None else ({"type": "user_id", "value": user},),
        "names_nobody": common.names_nobody,
    }


def _page(call: JsonObject, common: _Common) -> dict[str, Any]:
    return {**page_of(call, common.context), **common.who()}


def page_of(call: JsonObject, context: JsonObject) -> dict[str, Any]:
    """What a page view says of the page. Raises InvalidInput."""
    properties = dict(_object(call, "properties"))
    around = _object(context, "page", "context")
    for name in ("name", "category"):
        if call.get(name) is not None:
            properties.setdefault(name, call[name])
    told = {key: properties.pop(key, None) or around.get(key) for key in PAGE_KEYS}
    return {
        "url": told["url"] or properties.get("path") or "",
        "title": _text(told["title"] or call.get("name") or None),
        "referrer": told["referrer"] or None,
        "properties": properties or None,
    }


def _track(call: JsonObject, common: _Common) -> dict[str, Any]:
    return {
        "name": call.get("event", ""),
        "properties": _object(call, "properties") or None,
        **common.who(),
    }


def _screen(call: JsonObject, common: _Common) -> dict[str, Any]:
    return {**screen_of(call), **common.who()}


def screen_of(call: JsonObject) -> dict[str, Any]:
    """What a view of an app's screen says of the screen. Raises InvalidInput."""
    properties = dict(_object(call, "properties"))
    if call.get("category") is not None:
        properties.setdefault("category", call["category"])
    return {
        "name": _text(call.get("name") or call.get("category") or "Screen"),
        "call": "screen",
        "properties": properties or None,
    }


def _alias(call: JsonObject, common: _Common) -> dict[str, Any]:
    return {
        "name": "Alias",
        "call": "alias",
        "properties": {"previousId": _id(call, "previousId"), "userId": common.user_id},
        **common.who(),
    }


def _group(call: JsonObject, common: _Common) -> dict[str, Any]:
    return {
        "name": "Group",
        "call": "group",
        "properties": {"groupId": _id(call, "groupId"), "traits": dict(_object(call, "traits"))},
        **common.who(),
    }


_CALLS: dict[str, Callable[[JsonObject, _Common], dict[str, Any]]] = {
    "identify": _identify,
    "track": _track,
    "page": _page,
    "screen": _screen,
    "alias": _alias,
    "group": _group,
}

_TYPES: dict[str, type[Page | Track | Identify]] = {"identify": Identify, "page": Page}


def _object(holder: JsonObject, name: str, *above: str) -> JsonObject:
    value = holder.get(name)
    if value is None or value == []:  # PHP's object without anything in it
        return {}
    if not isinstance(value, dict):
        raise InvalidInput("must be an object", path=[*above, name])
    return value


def _id(holder: JsonObject, name: str, *above: str) -> str | None:
    """An id as text; an empty one is none. SDKs of typed languages send numbers as well."""
    value = holder.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise InvalidInput("must be text or a whole number", path=[*above, name])
    value = value.strip()
    if len(value) > MAX_ID:
        raise InvalidInput(f"must have at most {MAX_ID} characters", path=[*above, name])
    return value or None


def _as_text(value: Any, name: str) -> Any:
    """A trait that is text; a telephone number may come as a number."""
    return _text(value) if name == "phone" else value


def _text(value: Any) -> Any:
    """Text that may come as a whole number; anything else as it is."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _time(holder: JsonObject, name: str) -> datetime | None:
    value = holder.get(name)
    return None if value is None else read_time(value, name)


def read_time(value: Any, name: str) -> datetime:
    """A time as ISO 8601 text; without an offset it is UTC. Raises InvalidInput."""
    try:
        at = datetime.fromisoformat(value)  # more digits than a microsecond has are cut
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput("must be a time in ISO 8601", path=[name]) from None


def _named(error: ValidationError, kind: str) -> InvalidInput:
    """The first fault, under the name that the client used."""
    fault = error.errors(include_url=False, include_input=False)[0]
    where = tuple(str(part) for part in fault["loc"])
    path = next((_FIELDS[where[:n]] for n in (2, 1) if where[:n] in _FIELDS), where)
    if kind == "track" and path == ("name",):
        path = ("event",)
    if where[:1] == ("user_id",) or where[:1] == ("userId",):
        path = ("userId",)
    return InvalidInput(fault["msg"].removeprefix("Value error, "), path=path)
