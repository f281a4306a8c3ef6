"""What clients send: the inputs of the schema, and how they become messages."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import strawberry
from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel

from graphid.api.problems import first_fault
from graphid.api.scalars import JSON
from graphid.auth.key_text import KeyKind
from graphid.auth.providers import ClientAuthMethod
from graphid.identity.values import Assurance
from graphid.service.keymaking import SigningMethod
from graphid.service.messages import Author

M = TypeVar("M", bound=BaseModel)


@strawberry.input(description="An identifier as it is known; it is normalised here.")
class IdentifierInput:
    type: str
    value: str


@strawberry.input(
    description="The payload of a browser's identify call. What the policy names in "
    "`trait_identifiers` is read as an identifier; the rest are traits."
)
class TraitsInput:
    email: str | None = strawberry.UNSET
    phone: str | None = strawberry.UNSET
    first_name: str | None = strawberry.UNSET
    last_name: str | None = strawberry.UNSET
    custom: JSON | None = strawberry.UNSET


@strawberry.input(
    description="Where an event happened. messageId is the idempotency key; the server mints one "
    "where it is absent."
)
class ContextInput:
    cookie_id: strawberry.ID
    message_id: strawberry.ID | None = strawberry.UNSET
    device_id: strawberry.ID | None = strawberry.UNSET
    session_id: strawberry.ID | None = strawberry.UNSET
    occurred_at: datetime | None = strawberry.UNSET


@strawberry.input(description="A page was seen.")
class PageInput:
    context: ContextInput
    url: str
    title: str | None = strawberry.UNSET
    referrer: str | None = strawberry.UNSET
    properties: JSON | None = strawberry.UNSET


@strawberry.input(description="Something happened that the site has a name for.")
class TrackInput:
    context: ContextInput
    name: str
    properties: JSON | None = strawberry.UNSET


@strawberry.input(
    description="Somebody says who they are. idToken: of a configured OIDC provider. "
    "signedIdentity: a JWT signed with the site's own key, its `sub` is the user_id. Either "
    "vouches only for what it names itself. assurance: may only lower what the key gives."
)
class IdentifyInput:
    context: ContextInput
    traits: TraitsInput | None = strawberry.UNSET
    identifiers: list[IdentifierInput] | None = strawberry.UNSET
    id_token: str | None = strawberry.UNSET
    signed_identity: str | None = strawberry.UNSET
    assurance: Assurance | None = strawberry.UNSET


@strawberry.input(description="The human on a cookie leaves.")
class LogoutInput:
    context: ContextInput


@strawberry.input(description="A conversation begins.")
class StartChatInput:
    context: ContextInput
    chat_id: strawberry.ID | None = strawberry.UNSET
    channel: str | None = "web"


@strawberry.input(
    description="cookieId: required from a publishable key, and must be the chat's cookie; such a "
    "key may send as CUSTOMER only."
)
class ChatMessageInput:
    chat_id: strawberry.ID
    author: Author
    text: str
    message_id: strawberry.ID | None = strawberry.UNSET
    cookie_id: strawberry.ID | None = strawberry.UNSET
    occurred_at: datetime | None = strawberry.UNSET


@strawberry.input(description="A conversation ends.")
class EndChatInput:
    chat_id: strawberry.ID
    message_id: strawberry.ID | None = strawberry.UNSET
    cookie_id: strawberry.ID | None = strawberry.UNSET
    occurred_at: datetime | None = strawberry.UNSET


@strawberry.input(
    description="The hand-off of an authorization code that the frontend got from the identity "
    "provider. iss: which provider, where several are configured."
)
class AuthenticateChatInput:
    chat_id: strawberry.ID
    auth_code: str
    redirect_uri: str
    message_id: strawberry.ID | None = strawberry.UNSET
    cookie_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="Required from a publishable key, and must be the chat's cookie.",
    )
    code_verifier: str | None = strawberry.UNSET
    nonce: str | None = strawberry.UNSET
    max_age: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Seconds since the login at the provider, at most: `max_age` of the request.",
    )
    iss: str | None = strawberry.UNSET


@strawberry.input(
    description="messageId: where absent, a hash of source, sourceId, occurredAt and content. "
    "deleted: the source has removed the record; what it said is ended, what others said stays."
)
class ContactInput:
    source: str
    source_id: strawberry.ID
    identifiers: list[IdentifierInput]
    message_id: strawberry.ID | None = strawberry.UNSET
    deleted: bool | None = False
    traits: TraitsInput | None = strawberry.UNSET
    curated: bool | None = False
    occurred_at: datetime | None = strawberry.UNSET


@strawberry.input(
    description="How much may be asked with a key. requestsPerSecond: 1 to 100,000; "
    "eventsPerSecond: 1 to 1,000,000; concurrentRequests: 1 to 10,000; costPerMinute: 25,000 to "
    "1,000,000,000."
)
class KeyLimitsInput:
    requests_per_second: int | None = strawberry.UNSET
    events_per_second: int | None = strawberry.UNSET
    concurrent_requests: int | None = strawberry.UNSET
    cost_per_minute: int | None = strawberry.UNSET


@strawberry.input(
    description="name: up to 100 characters. scopes: as `event:write`; a publishable key has "
    "`event:write` and `chat:write` where none are named, and may hold no other. origins: up to "
    "100, as `https://shop.example`; left out, pages of any. signingPublicKey: PEM, for signing "
    "PUBLIC_KEY."
)
class CreateKeyInput:
    name: str
    kind: KeyKind
    scopes: list[str] | None = strawberry.UNSET
    origins: list[str] | None = strawberry.UNSET
    limits: KeyLimitsInput | None = strawberry.UNSET
    expires_at: datetime | None = strawberry.UNSET
    signing: SigningMethod | None = strawberry.UNSET
    signing_public_key: str | None = strawberry.UNSET


@strawberry.input(description="A claim of a provider's tokens that is an identifier.")
class IdentifierClaimInput:
    claim: str = strawberry.field(description="Its name: up to 128 characters.")
    type: str = strawberry.field(
        description="The identifier type that it fills: any but `email`, `phone` and those that "
        "begin with `oidc.`."
    )


@strawberry.input(
    description="An OpenID Connect provider, and how far it is believed. What is left out is the "
    "default; of a provider that is replaced only the client secret stays."
)
class OidcProviderInput:
    issuer: str = strawberry.field(
        description="As the provider itself writes it, compared character by character: "
        "`https://`, or `http://` on the service's own machine; up to 512 characters."
    )
    client_id: str = strawberry.field(
        description="What graphid is called there: the audience of its tokens. 1 to 255 characters "
        "of printable ASCII."
    )
    client_secret: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="1 to 1,024 characters, told to nobody again. Left out: the one that is kept, "
        "unless authMethod is NONE; where there is none, a public client, whose codes need their "
        "verifier (PKCE).",
    )
    auth_method: ClientAuthMethod | None = strawberry.field(
        default=strawberry.UNSET,
        description="Left out: CLIENT_SECRET_BASIC with a secret, NONE without.",
    )
    algorithms: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="How its tokens may be signed, of the RS, PS, ES and EdDSA kinds; left out: "
        "RS256 and ES256.",
    )
    leeway: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Seconds by which its clock may differ from ours: 0 to 300; left out: 30.",
    )
    redirect_uris: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Where codes may have been sent, character by character: up to 100. Without "
        "any, no code is exchanged.",
    )
    hosts: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Hosts beside the issuer's own that its keys and its token endpoint may be on: "
        "up to 20.",
    )
    require_nonce: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether a token is taken only with the nonce of its login; left out: no.",
    )
    max_age: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Seconds since the human last showed who they are, at most: 1 to 31,622,400; "
        "left out: any.",
    )
    subject_type: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The identifier type of its subjects; left out: one that is made of the "
        "issuer, as `oidc.login.example.com`, and is no other's.",
    )
    email_claim: str | None = strawberry.field(
        default="email",
        description="Taken as `email` where the claim of this name and `_verified` is true; null: "
        "never.",
    )
    phone_claim: str | None = strawberry.field(
        default="phone_number",
        description="Taken as `phone` where the claim of this name and `_verified` is true; null: "
        "never.",
    )
    identifiers: list[IdentifierClaimInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Further claims that are identifiers: up to 20."
    )


def message_of(kind: type[M], sent: Any) -> M:
    """The message that an input is. Raises ``errors.InvalidInput``, naming the field."""
    try:
        return kind.model_validate(_plain(sent))
    except ValidationError as error:
        raise first_fault(error) from None


def _plain(value: Any) -> Any:
    """Inputs as objects with the client's own names; what is null was not sent."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((name, getattr(value, field)) for field, name in _names(type(value)))
        return {
            name: _plain(item)
            for name, item in fields
            if item is not strawberry.UNSET and item is not None
        }
    # Only our own lists hold inputs: what is inside of JSON stays as it was sent.
    if isinstance(value, list) and value and dataclasses.is_dataclass(value[0]):
        return [_plain(item) for item in value]
    return value


@cache
def _names(kind: Any) -> tuple[tuple[str, str], ...]:
    """The fields of an input, each with the client's own name."""
    return tuple((field.name, to_camel(field.name)) for field in dataclasses.fields(kind))
