"""The OpenID Connect providers whose word counts, as an operator sets them up."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from graphid.auth.addresses import MAX_ADDRESS, InvalidAddress, host_of, is_host
from graphid.auth.compact import refused
from graphid.auth.public_keys import ALGORITHMS
from graphid.errors import InvalidInput

MAX_TYPE = 64
"""Characters of an identifier type, at most."""
MAX_LEEWAY = 300
"""Seconds by which the clock of a provider may differ from ours, at most."""
MAX_AGE = 366 * 24 * 3600
"""Seconds since a login, at most."""
MAX_SECRET = 1024
"""Characters of a client secret, at most."""
DERIVED = "oidc."
"""Begins the type of a provider's subjects where none is set, so nothing else may begin so."""
OF_CONTACTS = frozenset({"email", "phone"})
"""Types that only a claim that is marked as verified may fill."""

_PLAIN = re.compile(r"[A-Za-z0-9.\-]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


class ClientAuthMethod(StrEnum):
    """How graphid shows a provider its client secret. The values are those of discovery."""

    CLIENT_SECRET_BASIC = "client_secret_basic"
    CLIENT_SECRET_POST = "client_secret_post"
    NONE = "none"


def type_of(issuer: str) -> str:
    """The identifier type of an issuer's subjects: readable, and never another issuer's.

    Where the address is not fit for a type as it is, a hash of it is the end of the type.
    """
    host = issuer.removeprefix("https://")
    plain = f"{DERIVED}{host}"
    if host != issuer and _PLAIN.fullmatch(host) and len(plain) <= MAX_TYPE:
        return plain
    # A plain type has no underscore in it, so one with a hash is never one without.
    mark = f"_{hashlib.sha256(issuer.encode('utf-8')).hexdigest()[:16]}"
    readable = re.sub(r"[^A-Za-z0-9.\-]", "_", host.removeprefix("http://"))
    return f"{DERIVED}{readable}"[: MAX_TYPE - len(mark)] + mark


def _issuer(value: str) -> str:
    try:
        host_of(value)
    except InvalidAddress as error:
        raise PydanticCustomError("issuer", "{reason}", {"reason": str(error)}) from None
    if "?" in value:
        raise PydanticCustomError("issuer", "must not have a query")
    return value


def _host(value: str) -> str:
    if not is_host(value):
        raise PydanticCustomError("host", "must be a host in lower case, with a port if need be")
    return value


def _printable(value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise PydanticCustomError("characters", "must be printable ASCII")
    return value


def _redirect(value: str) -> str:
    if not _SCHEME.match(value) or "#" in value:
        raise PydanticCustomError("redirect", "must be an absolute address without a fragment")
    return value


def _algorithm(value: str) -> str:
    if value not in ALGORITHMS:
        names = ", ".join(sorted(ALGORITHMS))
        raise PydanticCustomError("algorithm", "must be one of {names}", {"names": names})
    return value


def _vouched_type(value: str) -> str:
    if value in OF_CONTACTS:
        raise PydanticCustomError(
            "contacts", "must not be email or phone: those need a claim that says it is verified"
        )
    return value


Issuer = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_issuer)]
Type = Annotated[
    str,
    Field(max_length=MAX_TYPE, pattern=r"^[A-Za-z][A-Za-z0-9_.\-]*$"),
    AfterValidator(_vouched_type),
]
ClientId = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_printable)]
Host = Annotated[str, AfterValidator(_host)]
Claim = Annotated[str, Field(min_length=1, max_length=128)]
Redirect = Annotated[
    str, Field(max_length=MAX_ADDRESS), AfterValidator(_printable), AfterValidator(_redirect)
]


class Provider(BaseModel):
    """One provider, and how far it is believed. Immutable; the secret does not show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: Issuer
    """As the provider itself writes it; compared character by character."""
    client_id: ClientId
    """What graphid is called there: the audience of its tokens."""
    client_secret: SecretStr | None = None
    """None: a public client, whose codes need a verifier (PKCE)."""
    auth_method: ClientAuthMethod = Field(
        default_factory=lambda data: "client_secret_basic" if data.get("client_secret") else "none",
        validate_default=True,
    )
    """How the secret is shown when a code is exchanged."""
    algorithms: Annotated[
        tuple[Annotated[str, AfterValidator(_algorithm)], ...], Field(min_length=1, max_length=20)
    ] = ("RS256", "ES256")
    """How its tokens may be signed."""
    leeway: int = Field(default=30, ge=0, le=MAX_LEEWAY)
    """Seconds by which its clock may differ from ours."""
    redirect_uris: Annotated[tuple[Redirect, ...], Field(max_length=100)] = ()
    """Where codes may have been sent, character by character. Without any, no code is exchanged."""
    hosts: Annotated[tuple[Host, ...], Field(max_length=20)] = ()
    """Hosts beside the issuer's own that its keys and its token endpoint may be on."""
    require_nonce: bool = False
    """Whether a token is taken only with the nonce of its login."""
    max_age: int | None = Field(default=None, ge=1, le=MAX_AGE)
    """Seconds since the human last showed who they are, at most. None: any."""
    subject_type: Type = Field(
        default_factory=lambda data: type_of(data.get("issuer", "")), validate_default=True
    )
    """The identifier type of its subjects."""
    email_claim: Claim | None = "email"
    """Taken where the claim of this name and ``_verified`` is true. None: not asked for."""
    phone_claim: Claim | None = "phone_number"
    """Taken where the claim of this name and ``_verified`` is true. None: not asked for."""
    identifiers: Annotated[Mapping[Claim, Type], Field(max_length=20)] = {}
    """Further claims that are identifiers, and the type of each."""

    @field_validator("auth_method")
    @classmethod
    def _fits_the_secret(cls, value: ClientAuthMethod, info: ValidationInfo) -> ClientAuthMethod:
        secret = info.data.get("client_secret")
        if "client_secret" in info.data and (value == "none") != (secret is None):
            raise PydanticCustomError("auth_method", "must be none, if there is no client_secret")
        return value

    @field_validator("client_secret")
    @classmethod
    def _holds_something(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value():
            raise PydanticCustomError("secret", "must not be empty")
        if value is not None and len(value) > MAX_SECRET:
            raise PydanticCustomError(
                "secret", "must have at most {most} characters", {"most": MAX_SECRET}
            )
        return value

    @field_validator("subject_type")
    @classmethod
    def _own_type(cls, value: str, info: ValidationInfo) -> str:
        if value.startswith(DERIVED) and value != type_of(info.data.get("issuer", "")):
            raise _reserved()
        return value

    @field_validator("identifiers")
    @classmethod
    def _own_types(cls, value: Mapping[str, str], info: ValidationInfo) -> Mapping[str, str]:
        types = [info.data.get("subject_type"), *value.values()]
        if len(set(types)) != len(types):
            raise PydanticCustomError("types", "must not give one type twice, nor the subject's")
        if any(type.startswith(DERIVED) for type in value.values()):
            raise _reserved()
        return value

    @cached_property
    def allowed_hosts(self) -> frozenset[str]:
        """Every host that may be called for it."""
        return frozenset((host_of(self.issuer), *self.hosts))


def _reserved() -> PydanticCustomError:
    return PydanticCustomError(
        "reserved",
        "must not begin with {prefix}: so the types of other issuers do",
        {"prefix": DERIVED},
    )


class Providers:
    """The providers that are set up, by issuer."""

    def __init__(self, providers: Iterable[Provider] = ()) -> None:
        """Raises InvalidInput where two have one issuer."""
        self._by_issuer: dict[str, Provider] = {}
        for provider in providers:
            if provider.issuer in self._by_issuer:
                raise InvalidInput("Two providers have the same issuer.", path=("issuer",))
            self._by_issuer[provider.issuer] = provider

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._by_issuer.values())

    def __len__(self) -> int:
        return len(self._by_issuer)

    def get(self, issuer: str) -> Provider | None:
        """The provider with this issuer, if there is one."""
        return self._by_issuer.get(issuer)

    def of(self, issuer: str | None = None) -> Provider:
        """The provider with this issuer; without one, the only provider. Raises Refused."""
        if not self._by_issuer:
            raise refused("No identity provider is set up.")
        if issuer is not None:
            if (found := self._by_issuer.get(issuer)) is None:
                raise refused("No identity provider with this issuer is set up.")
            return found
        if len(self._by_issuer) > 1:
            raise refused("Several identity providers are set up: name the issuer.")
        return next(iter(self))


Path = tuple[str, ...]


def read_provider(
    document: Mapping[str, Any], *, spelled: Callable[[Path], Path] = lambda path: path
) -> Provider:
    """The provider that a document describes, its keys named as the fields of ``Provider``.

    ``spelled``: a path in the document as whoever sent it knows it. Raises InvalidInput that tells
    every fault with its field; no value is repeated in it.
    """
    try:
        return Provider.model_validate(document)
    except ValidationError as error:
        told = error.errors(include_url=False, include_input=False, include_context=False)
        faults = [(spelled(tuple(map(str, item["loc"]))), item["msg"]) for item in told]
    (path, first), *others = faults
    also = "".join(f"; also {'.'.join(at)}: {reason}" for at, reason in others)
    raise InvalidInput(f"{first}{also}.", path=path)
