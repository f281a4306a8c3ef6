"""Lines of NDJSON: each is one Segment call, or one contact.

A call is what the SDKs send, with its own ``timestamp``, which is taken as it is: who wrote the
file has put its clock right. A contact is ``{"type": "contact"}`` with the fields of
``saveContact``. ``docs/files.md`` says it for who writes such files.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from pydantic import ValidationError

from graphid.errors import InvalidInput
from graphid.http.json_text import parse_json
from graphid.http.segment_calls import Clock, CookieOf, JsonObject, read_time, translate
from graphid.http.segment_plain import plain_of
from graphid.identity.ids import Ids
from graphid.identity.values import Assurance
from graphid.service.files.lines import TOO_LONG
from graphid.service.files.reading import Twins
from graphid.service.messages import Contact, Message

_decode: Callable[[bytes], Any] = msgspec.json.Decoder().decode
_AS_SENT = Clock(None, datetime.now(UTC))

CONTACT = "contact"
"""The type of a line that is no call."""

_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG = b"0" * 18
"""A number past 64 bits is read as over HTTP: what has so many digits needs care."""


class SegmentLines:
    """Reads lines.

    ``cookie_of`` makes the cookie of a call that names a user and none; ``at``: when that
    happened which says no time, None for when it is read; ``id_of``: the message id of a line that
    names none.
    """

    lines = 1
    is_between = True

    def __init__(
        self,
        cookie_of: CookieOf,
        *,
        at: datetime | None = None,
        id_of: Callable[[bytes], str] | None = None,
    ) -> None:
        self._cookie_of = cookie_of
        self._at = at
        self._id_of = id_of or Twins().id_of

    def read(self, line: bytes | None) -> Message | None:
        if line is None:
            raise InvalidInput(TOO_LONG)
        if line.isspace():
            return None
        said = parse_line(line)
        plain = plain_of(said, len(line))
        if plain is not None:
            return plain
        if said.get("type") == CONTACT:
            return _contact(said, self._at or datetime.now(UTC))
        said.pop("sentAt", None)  # it corrects nothing
        if _is_nameless(said):
            said = {**said, "messageId": self._id_of(line)}
        if not (said.get("timestamp") or said.get("originalTimestamp")):
            said = {**said, "timestamp": (self._at or datetime.now(UTC)).isoformat()}
        return translate(said, clock=_AS_SENT, cookie_of=self._cookie_of, others=[CONTACT])

    def end(self) -> None:
        return None


def parse_line(line: bytes) -> dict[str, Any]:
    """The object that a line holds. Raises InvalidInput, which names the column."""
    try:
        said = parse_json(line) if _LONG in line.translate(_ZEROS) else _decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, InvalidInput):
        said = _parse_strictly(line)
    if not isinstance(said, dict):
        raise InvalidInput("must be an object", path=[])
    return said


def _parse_strictly(line: bytes) -> Any:
    """What the quick parser refused. Raises InvalidInput, in nearly all cases."""
    try:
        json.loads(line.rstrip(b"\r\n"))
    except UnicodeDecodeError as error:
        raise InvalidInput(f"is not UTF-8: byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise InvalidInput(f"is not JSON: column {error.colno}: {error.msg}") from None
    except RecursionError:
        pass
    try:
        return parse_json(line)
    except InvalidInput as error:
        raise InvalidInput(error.message.removeprefix("The body ")) from None


def _is_nameless(said: JsonObject) -> bool:
    id = said.get("messageId")
    return not (id.strip() if isinstance(id, str) else id)


def _contact(said: JsonObject, at: datetime) -> Contact:
    fields = {name: value for name, value in said.items() if name != "type"}
    if "timestamp" in fields:
        fields.setdefault("occurredAt", fields.pop("timestamp"))
    if fields.get("occurredAt") is None:
        fields["occurredAt"] = at
    else:
        fields["occurredAt"] = read_time(fields["occurredAt"], "occurredAt")
    fields.setdefault("identifiers", [])
    try:
        return Contact.model_validate(fields)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        message = fault["msg"].removeprefix("Value error, ")
        raise InvalidInput(message, path=[str(part) for part in fault["loc"]]) from None


def cookie_rule(ids: Ids, assurance: Assurance) -> CookieOf:
    """How calls that name a user and no cookie get one, as over HTTP: what is only claimed, as with
    a publishable key; what is asserted, as with a secret one."""

    def cookie_of(user: str, kind: str, message: str | None) -> str:
        if assurance >= Assurance.ASSERTED:
            return ids.cookie_of_server(user)
        return ids.cookie_of_browser(user, message if kind == "identify" else None)

    return cookie_of


@dataclass(frozen=True)
class LinesOf:
    """Makes readers of lines, in whatever process."""

    assurance: Assurance
    at: datetime

    def __call__(self, ids: Ids, id_of: Callable[[bytes], str]) -> SegmentLines:
        return SegmentLines(cookie_rule(ids, self.assurance), at=self.at, id_of=id_of)
