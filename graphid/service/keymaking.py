"""Making, rotating and revoking the keys that the graph keeps.

A secret is told once, to whoever has it made, and cannot be read again by anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from graphid.auth.key_text import KeyKind, KeyText, SecretHash, is_key_id
from graphid.auth.keys import Caller
from graphid.auth.limits import BOUNDS
from graphid.auth.origins import origin_of
from graphid.auth.pem import MAX_PEM, read_public_pem
from graphid.auth.scopes import BROWSER, Scope
from graphid.errors import InvalidInput, NotFound, Refused
from graphid.graph.access_keys import AccessKey, KeyVersion
from graphid.identity.ids import Ids
from graphid.identity.values import SECOND, Micros
from graphid.service.messages import Id, Reason, Time
from graphid.service.pages import Page, PageRequest, page_of
from graphid.service.recording import micros

MAX_NAME = 100
"""The longest name of a key, in characters."""
MAX_ORIGINS = 100
"""Origins of one key."""
MAX_ORIGIN = 300
"""The longest origin, in characters: that of the longest host name, with scheme and port."""
MAX_SECRETS = 5
"""Secrets of one key that are taken at one time."""
OVERLAP = 24 * 3_600
"""Seconds for which a former secret is still taken, where nothing is said."""
MAX_OVERLAP = 30 * 24 * 3_600

HS256 = "HS256"

NOT_HELD = "Nobody may hand on a scope that they do not hold themselves."


class SigningMethod(StrEnum):
    """How a site signs the identities that it vouches for."""

    HS256 = "HS256"
    """With a secret that it shares with us."""
    PUBLIC_KEY = "PUBLIC_KEY"
    """With a key of its own, whose public half it tells us."""


class _Wanted(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )


def _within(field: str) -> Any:
    _, least, most = BOUNDS[field]
    return Field(default=None, ge=least, le=most)


class KeyLimits(_Wanted):
    """As ``auth.limits.Limits``."""

    requests_per_second: int | None = _within("requests_per_second")
    events_per_second: int | None = _within("events_per_second")
    concurrent_requests: int | None = _within("concurrent_requests")
    cost_per_minute: int | None = _within("cost_per_minute")


Origin = Annotated[str, Field(max_length=MAX_ORIGIN), AfterValidator(origin_of)]
Pem = Annotated[str, Field(max_length=MAX_PEM)]


class CreateKey(_Wanted):
    """What a new key is to be.

    ``scopes``: of a publishable key all that it may hold, where nothing is said. ``origins``:
    None for pages of any. ``signing_public_key``: PEM, for signing with a key of the site's own.
    """

    name: Annotated[Id, Field(max_length=MAX_NAME)]
    kind: KeyKind
    scopes: tuple[Scope, ...] | None = None
    origins: Annotated[tuple[Origin, ...], Field(min_length=1, max_length=MAX_ORIGINS)] | None = (
        None
    )
    limits: KeyLimits | None = None
    expires_at: Time | None = None
    signing: SigningMethod | None = None
    signing_public_key: Pem | None = None


class RotateKey(_Wanted):
    """``overlap``: seconds for which the former secrets are taken beside the new one; 0: not at
    all. ``signing_public_key``: the site's next one; None: it keeps the one that it has."""

    overlap: Annotated[int, Field(ge=0, le=MAX_OVERLAP)] = OVERLAP
    signing_public_key: Pem | None = None


class RevokeKey(_Wanted):
    """Why, for those who look at the key later."""

    reason: Reason | None = None


@dataclass(frozen=True)
class IssuedKey:
    """A key with what is told of it once: its text, and the secret to sign identities with."""

    key: AccessKey
    text: str = field(repr=False)
    signing_secret: str | None = field(repr=False)


class KeepsKeys(Protocol):
    """``graph.access_keys.AccessKeys``, as far as making keys needs it."""

    async def newest(self, limit: int, after: str | None) -> list[AccessKey]: ...
    async def create(self, key: AccessKey) -> None: ...
    async def change(self, id: str, changed: Callable[[AccessKey], AccessKey]) -> AccessKey: ...


class Keymaker:
    """Makes keys for callers, and ends them.

    ``clock`` answers microseconds since 1970 UTC; ``on_change`` is told the id of a key that was
    made or changed. Every method may raise DatabaseUnavailable or Busy.
    """

    def __init__(
        self,
        keys: KeepsKeys,
        ids: Ids,
        clock: Callable[[], Micros],
        *,
        on_change: Callable[[str], None] = lambda id: None,
    ) -> None:
        self._keys = keys
        self._ids = ids
        self._clock = clock
        self._on_change = on_change

    async def newest(self, request: PageRequest) -> Page[AccessKey]:
        """A page of all keys, the latest first. A page's key is a position."""
        found = await self._keys.newest(request.limit + 1, request.after)
        return page_of(found, request, lambda key: key.position)

    async def create(self, wanted: CreateKey, by: Caller) -> IssuedKey:
        """A new key. Raises InvalidInput; Refused for a scope that ``by`` does not hold."""
        at = self._clock()
        scopes = _scopes(wanted)
        require_held(scopes, by)
        if wanted.expires_at is not None and micros(wanted.expires_at) <= at:
            raise InvalidInput("expiresAt: must be in the future.", path=["expiresAt"])
        signing, public_key = _signing(wanted)
        text = KeyText.new(wanted.kind)
        key = AccessKey(
            id=text.id,
            kind=wanted.kind.value,
            name=wanted.name,
            scopes=scopes,
            versions=(_version(1, text, public_key),),
            created_at=at,
            created_by=by.name,
            origins=None if wanted.origins is None else tuple(dict.fromkeys(wanted.origins)),
            limits=None if wanted.limits is None else wanted.limits.model_dump(exclude_none=True),
            signing=signing,
            expires_at=None if wanted.expires_at is None else micros(wanted.expires_at),
        )
        await self._keys.create(key)
        return self._issued(key, text)

    async def rotate(self, id: str, wanted: RotateKey, by: Caller) -> IssuedKey:
        """Another secret for the key; the former ones are taken for the overlap.

        With it comes another secret to sign with, or the site's next public key. Raises NotFound,
        InvalidInput, and Refused for a key that has ended, for one with a scope that ``by`` does
        not hold, and where too many secrets would be taken at once.
        """
        _require_key(id)
        text = KeyText.new(KeyKind.SECRET, id)
        hashed = _version(0, text, None)

        def rotated(key: AccessKey) -> AccessKey:
            at = self._clock()
            _require_alive(key, at)
            require_held(key.scopes, by)
            newest = replace(
                hashed,
                number=key.versions[0].number + 1,
                public_key=_next_public_key(key, wanted.signing_public_key),
            )
            former = _ending(key.versions, at, at + wanted.overlap * SECOND)
            return replace(key, versions=(newest, *former), rotated_at=at)

        key = await self._keys.change(id, rotated)
        return self._issued(key, replace(text, kind=KeyKind(key.kind)))

    async def revoke(self, id: str, wanted: RevokeKey, by: Caller) -> AccessKey:
        """The key, which opens nothing any more. Who first revoked it, and why, stays.

        Raises NotFound.
        """
        _require_key(id)

        def revoked(key: AccessKey) -> AccessKey:
            if key.revoked_at is not None:
                return key
            at = self._clock()
            return replace(key, revoked_at=at, revoked_by=by.name, reason=wanted.reason)

        key = await self._keys.change(id, revoked)
        self._on_change(id)
        return key

    def _issued(self, key: AccessKey, text: KeyText) -> IssuedKey:
        self._on_change(key.id)
        is_shared = key.signing == HS256
        number = key.versions[0].number
        secret = self._ids.signing_secret(key.id, number) if is_shared else None
        return IssuedKey(key, str(text), secret)


def require_held(scopes: Iterable[str], by: Caller) -> None:
    """Raises Refused, naming each scope that the caller does not hold."""
    missing = [scope for scope in scopes if scope not in by.scopes]
    if missing:
        reasons = [f"You do not hold {scope}." for scope in missing]
        raise Refused(NOT_HELD, reasons=reasons)


def _version(number: int, text: KeyText, public_key: str | None) -> KeyVersion:
    hashed = SecretHash.of(text.secret)
    return KeyVersion(number, hashed.salt, hashed.digest, public_key=public_key)


def _ending(versions: Iterable[KeyVersion], at: Micros, until: Micros) -> list[KeyVersion]:
    """Former versions, which are taken until then at the latest; without those that are over."""
    former = [
        replace(version, until=min(version.until or until, until))
        for version in versions
        if version.until is None or version.until > at
    ]
    if len(former) >= MAX_SECRETS and until > at:
        raise Refused(
            "This key has too many secrets that are still taken.",
            reasons=[
                f"A key has at most {MAX_SECRETS} at one time: wait for the overlap of one to "
                "end, or rotate with an overlap of 0, which ends them all."
            ],
        )
    return former


def _scopes(wanted: CreateKey) -> tuple[str, ...]:
    if wanted.scopes is None and wanted.kind is KeyKind.PUBLISHABLE:
        asked: Iterable[Scope] = BROWSER
    else:
        asked = wanted.scopes or ()
    if not asked:
        raise InvalidInput("scopes: a key must hold at least one.", path=["scopes"])
    if wanted.kind is KeyKind.PUBLISHABLE and not BROWSER.issuperset(asked):
        may = " and ".join(sorted(BROWSER))
        raise InvalidInput(f"scopes: a publishable key may only hold {may}.", path=["scopes"])
    return tuple(scope.value for scope in Scope if scope in asked)


def _signing(wanted: CreateKey) -> tuple[str | None, str | None]:
    """The algorithm, and the public key where the site signs with a key of its own."""
    if wanted.signing is SigningMethod.PUBLIC_KEY:
        if wanted.signing_public_key is None:
            raise _bad_public_key("must be given for signing PUBLIC_KEY")
        return _public_key(wanted.signing_public_key)
    if wanted.signing_public_key is not None:
        raise _bad_public_key("is for signing PUBLIC_KEY only")
    return (HS256 if wanted.signing is SigningMethod.HS256 else None), None


def _next_public_key(key: AccessKey, pem: str | None) -> str | None:
    if pem is None:
        return key.versions[0].public_key
    if key.versions[0].public_key is None:
        raise _bad_public_key("is for keys with signing PUBLIC_KEY only")
    algorithm, public_key = _public_key(pem)
    if algorithm != key.signing:
        raise _bad_public_key(f"must be a key for {key.signing}, as the former one")
    return public_key


def _public_key(pem: str) -> tuple[str, str]:
    try:
        return read_public_pem(pem)
    except ValueError as error:
        raise _bad_public_key(str(error)) from None


def _bad_public_key(reason: str) -> InvalidInput:
    return InvalidInput(f"signingPublicKey: {reason}.", path=["signingPublicKey"])


def _require_key(id: str) -> None:
    if not is_key_id(id):
        raise NotFound("There is no key of this id.", path=["id"])


def _require_alive(key: AccessKey, at: Micros) -> None:
    ended = (
        "was revoked"
        if key.revoked_at is not None
        else "has expired"
        if key.expires_at is not None and key.expires_at <= at
        else None
    )
    if ended is not None:
        raise Refused("This key has ended.", reasons=[f"It {ended}: make another one."])
