"""What clients send, validated once, at the edge; both GraphQL and /v1 build these values.

Limits are stated here and nowhere else. A violation is a ``pydantic.ValidationError`` whose
locations are the field names that the client used (camelCase).
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from graphid.identity.identifiers import MAX_TYPE, MAX_VALUE
from graphid.identity.patterns import is_unicode
from graphid.identity.values import Assurance

MAX_ID = 256
"""The longest message, cookie, device, session, chat or source id, in characters."""

MAX_REASON = 1_000
"""The longest reason for an operator's act, in characters."""

MAX_TEXT = 16_384
"""The longest chat message, in characters."""

MAX_URL = 4_096
MAX_NAME = 512
MAX_IDENTIFIERS = 50
"""Identifiers in one message."""

MAX_PROPERTIES = 32_768
"""The largest ``properties`` or ``custom`` object, in characters of its JSON."""

MAX_CODE = 4_096
"""The longest authorization code, in characters."""

MAX_TOKEN = 16_384
"""The longest ID token or signed identity, in characters."""

MAX_AGE = 10 * 365 * 86_400
"""The longest ``maxAge``, in seconds."""

MAX_DEPTH = 16
"""The deepest nesting of ``properties`` or ``custom``."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def _clean(text: str) -> str:
    if text.isascii() and text.isprintable() and text == text.strip(" "):
        return text  # nearly all ids: what follows looks at each character
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise ValueError("must not hold control characters")
    if text != text.strip():
        raise ValueError("must not begin or end with white space")
    return text


def _plausible(at: datetime) -> datetime:
    if at < EARLIEST:
        raise ValueError(f"must not be before {EARLIEST:%Y-%m-%d}")
    return at.astimezone(UTC)


def _storable(text: str) -> str:
    if not is_unicode(text):
        raise ValueError("must be valid Unicode")
    return text


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return _storable(text)


def bounded(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Properties, as they are. Raises ValueError where they are too large, or too deep."""
    size, depth = 0, 1
    holders: list[Any] = [value]
    while holders:
        inner: list[Any] = []
        for holder in holders:
            if isinstance(holder, dict):
                children = holder.values()
                for key in holder:
                    size += len(_storable(key)) + 4
            else:
                children = holder
                size += 2
            if children and depth == MAX_DEPTH:
                raise ValueError(f"must not be nested deeper than {MAX_DEPTH}")
            for child in children:
                if isinstance(child, str):
                    size += len(_storable(child)) + 2
                elif isinstance(child, dict | list):
                    inner.append(child)
                elif isinstance(child, float) and not isfinite(child):
                    raise ValueError("must not hold numbers larger than a double can be")
                else:
                    size += 8
            if size > MAX_PROPERTIES:
                raise ValueError(f"must not be larger than {MAX_PROPERTIES} characters")
        holders = inner
        depth += 1
    return value


Id = Annotated[str, Field(min_length=1, max_length=MAX_ID), AfterValidator(_clean)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_storable)]
Url = Annotated[str, Field(max_length=MAX_URL), AfterValidator(_storable)]
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(_storable)]
Time = Annotated[AwareDatetime, AfterValidator(_plausible)]
Reason = Annotated[str, Field(max_length=MAX_REASON), AfterValidator(_said)]
Token = Annotated[str, Field(min_length=1, max_length=MAX_TOKEN)]
Properties = Annotated[dict[str, JsonValue], AfterValidator(bounded)]
IdentifierType = Annotated[
    str, Field(min_length=1, max_length=MAX_TYPE, pattern=r"^[A-Za-z][A-Za-z0-9_.\-]*$")
]


class _Value(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        strict=False,
    )


class Author(StrEnum):
    CUSTOMER = "CUSTOMER"
    AGENT = "AGENT"
    SYSTEM = "SYSTEM"


class Sender(BaseModel):
    """Who sent a message, as its key says.

    ``assurance`` is the most that its evidence may have. ``is_browser``: a publishable key,
    which may learn nothing about anybody. ``name`` goes into provenance.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    assurance: Assurance
    is_browser: bool


class ClientClock(_Value):
    """What a client said of the time, by a clock that was plainly wrong: when it happened, and
    when it was sent."""

    timestamp: AwareDatetime
    sent_at: AwareDatetime


class Context(_Value):
    """Where an event happened. ``message_id`` is the idempotency key."""

    message_id: Id | None = None
    cookie_id: Id
    device_id: Id | None = None
    session_id: Id | None = None
    occurred_at: Time | None = None
    client_clock: ClientClock | None = Field(default=None, exclude=True)
    """Kept where ``occurred_at`` is not what the client said, but was made of it."""


class ClaimedIdentifier(_Value):
    """An identifier as sent; its value is normalised, and judged, by resolution."""

    type: IdentifierType
    value: Annotated[str, Field(max_length=MAX_VALUE)]


class Traits(_Value):
    """What is said of a person."""

    email: Annotated[str, Field(max_length=MAX_VALUE), AfterValidator(_storable)] | None = None
    phone: Annotated[str, Field(max_length=MAX_VALUE), AfterValidator(_storable)] | None = None
    first_name: Annotated[str, Field(max_length=MAX_NAME), AfterValidator(_storable)] | None = None
    last_name: Annotated[str, Field(max_length=MAX_NAME), AfterValidator(_storable)] | None = None
    custom: Properties | None = None


Identifiers = Annotated[tuple[ClaimedIdentifier, ...], Field(max_length=MAX_IDENTIFIERS)]


class Use(_Value):
    """Of what may be used once: ``key`` stands for it, ``by`` for whoever uses it and may again."""

    key: str
    by: str


class Proof(_Value):
    """What a provider, or the key of the site itself, vouched for: it, and nothing sent beside it.

    ``issuer`` and ``subject`` say who vouched for whom; ``uses`` is used up by taking it in.
    """

    issuer: str
    subject: str
    identifiers: Identifiers
    traits: Traits | None = None
    uses: tuple[Use, ...] = Field(default=(), exclude=True)


class Page(_Value):
    kind: Literal["page"] = "page"
    context: Context
    url: Url
    title: Annotated[str, Field(max_length=MAX_NAME), AfterValidator(_storable)] | None = None
    referrer: Url | None = None
    properties: Properties | None = None
    user_id: Id | None = Field(default=None, exclude=True)
    """Said with the event, as SDKs do: an identify with that one identifier besides."""
    names_nobody: bool = Field(default=False, exclude=True)
    """It says with the event that nobody is logged in (see ``service.departures``)."""


class Track(_Value):
    """A tracked event; ``call`` is what the SDK called (track, screen, group, alias)."""

    kind: Literal["track"] = "track"
    context: Context
    name: Name
    call: Literal["track", "screen", "group", "alias"] = "track"
    properties: Properties | None = None
    user_id: Id | None = Field(default=None, exclude=True)
    names_nobody: bool = Field(default=False, exclude=True)


class Plain(NamedTuple):
    """A page, a screen or a tracked event (``call``) that was seen at a glance to be within all
    limits: what the Page or the Track of the same content says, at a fraction of the cost.

    It has an id and a time of its own. ``detail``: what the journey tells of it, with None where it
    says nothing.
    """

    call: Literal["page", "screen", "track"]
    message_id: str
    cookie: str
    device: str | None
    session: str | None
    at: datetime
    detail: dict[str, Any]
    user_id: str | None = None

    @property
    def kind(self) -> Literal["page", "track"]:
        """As of other messages."""
        return "page" if self.call == "page" else "track"


class Identify(_Value):
    kind: Literal["identify"] = "identify"
    context: Context
    traits: Traits | None = None
    identifiers: Identifiers = ()
    assurance: Assurance | None = None
    """May lower what the sender gives, never raise it."""
    id_token: Token | None = Field(default=None, exclude=True)
    signed_identity: Token | None = Field(default=None, exclude=True)
    proof: Proof | None = None
    """What one of the two proves, once it was validated; no client says it."""
    names_nobody: bool = Field(default=False, exclude=True)
    """It says besides that nobody was logged in (see ``service.departures``)."""


class Logout(_Value):
    kind: Literal["logout"] = "logout"
    context: Context


class StartChat(_Value):
    kind: Literal["startChat"] = "startChat"
    context: Context
    chat_id: Id | None = None
    channel: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_clean)] = "web"


class ChatMessage(_Value):
    """``cookie_id``: required of a browser, and must be the chat's."""

    kind: Literal["chatMessage"] = "chatMessage"
    message_id: Id | None = None
    chat_id: Id
    cookie_id: Id | None = None
    author: Author
    text: Text
    occurred_at: Time | None = None


class EndChat(_Value):
    kind: Literal["endChat"] = "endChat"
    message_id: Id | None = None
    chat_id: Id
    cookie_id: Id | None = None
    occurred_at: Time | None = None


class ChatAuthentication(_Value):
    """A provider vouched for whoever holds a chat's cookie, in that chat."""

    kind: Literal["chatAuthentication"] = "chatAuthentication"
    message_id: Id
    chat_id: Id
    cookie_id: Id | None = None
    proof: Proof
    occurred_at: None = None
    """It happens when it is validated."""


class AuthenticateChat(_Value):
    """The hand-off of an authorization code; becomes a ChatAuthentication once it is redeemed."""

    message_id: Id | None = None
    chat_id: Id
    cookie_id: Id | None = None
    auth_code: Annotated[str, Field(min_length=1, max_length=MAX_CODE), AfterValidator(_storable)]
    redirect_uri: Annotated[str, Field(min_length=1, max_length=MAX_URL)]
    code_verifier: Annotated[str, Field(min_length=43, max_length=128)] | None = None
    nonce: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] | None = None
    max_age: Annotated[int, Field(ge=0, le=MAX_AGE)] | None = None
    """Seconds that the login at the provider may lie back."""
    iss: Annotated[str, Field(min_length=1, max_length=MAX_URL)] | None = None


class Contact(_Value):
    kind: Literal["contact"] = "contact"
    message_id: Id | None = None
    source: Id
    source_id: Id
    identifiers: Identifiers
    traits: Traits | None = None
    curated: bool = False
    deleted: bool = False
    occurred_at: Time | None = None


ChatLine = ChatMessage | EndChat | ChatAuthentication
"""What names a chat that was begun before."""

Validated = Page | Track | Identify | Logout | StartChat | ChatLine | Contact
"""What pydantic has looked at."""

Message = Validated | Plain


class Terms(_Value):
    """What an operator says with every act.

    ``operation_id`` makes it one act however often it is sent. ``dry_run``: only tell what it
    would do. ``graph_version``: do it only if the graph is as a preview showed it.
    """

    reason: Reason
    operation_id: Id | None = None
    dry_run: bool = False
    graph_version: str | None = None
