"""What is checked of every proven token, and what is read of it, whoever signed it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeGuard

from joserfc.errors import ClaimError, ExpiredTokenError, MissingClaimError
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

from graphid.auth.compact import Claims, refused

MAX_SUBJECT = 255
"""Characters of a ``sub``, at most; they are printable ASCII (OpenID Connect Core, section 2)."""
MAX_NAME = 512
"""Characters of a name of a human, at most; longer ones are left out."""
MAX_VALUE = 512
"""Characters of an identifier, at most."""
LAST_SECOND = 253_402_300_799
"""The last that a calendar has: of the year 9999."""

LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
"""Names a logout token, which the same key signs for the same audience."""

Identifiers = tuple[tuple[str, str], ...]
"""Types and values, as the token says them."""

_FAULTS: Mapping[str, str] = {
    "iss": "The token is from another issuer.",
    "aud": "The token is for another audience.",
    "nbf": "The token is not valid yet.",
    "iat": "The token was issued in the future.",
}


def check_registered(
    claims: Claims,
    *,
    now: float,
    leeway: int,
    issuer: str,
    audience: str,
    essential: Iterable[str],
) -> None:
    """Issuer, audience and times, where the token says them; ``essential`` ones it must say.

    ``now``: seconds since 1970. ``leeway``: seconds by which clocks may differ. Raises Refused.
    """
    events = claims.values.get("events")
    if isinstance(events, dict) and LOGOUT in events:
        raise refused("The token is a logout token.")
    for name in ("exp", "iat", "nbf"):
        time_of(claims, name)
    options: dict[str, ClaimsOption] = {"iss": {"value": issuer}, "aud": {"value": audience}}
    for name in essential:
        options[name] = {**options.get(name, {}), "essential": True}
    registry = JWTClaimsRegistry(now=int(now), leeway=leeway, **options)
    try:
        registry.validate(dict(claims.values))
    except MissingClaimError as error:
        raise refused(f"The token lacks {error.claim.replace(',', ', ')}.") from None
    except ExpiredTokenError:
        raise refused("The token has expired.") from None
    except ClaimError as error:
        fault = f"The token's {error.claim} is not valid."
        raise refused(_FAULTS.get(error.claim, fault)) from None


def time_of(claims: Claims, name: str) -> datetime | None:
    """A claim that is a time, or absent. Raises Refused for anything else."""
    value = claims.values.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused(f"The token's {name} is not a time.")
    if not 0 <= value <= LAST_SECOND:
        raise refused(f"The token's {name} is not a time.")
    return datetime.fromtimestamp(value, UTC)


def required_time(claims: Claims, name: str) -> datetime:
    """A time that these claims were checked to say."""
    found = time_of(claims, name)
    assert found is not None
    return found


def subject_of(claims: Claims) -> str:
    """The ``sub`` of claims that were checked to say one. Raises Refused for an unusable one.

    Spaces around it are refused: identifiers are trimmed, and two subjects must not become one.
    """
    subject: str = claims.values["sub"]
    if len(subject) > MAX_SUBJECT:
        raise refused(f"The token's sub is longer than {MAX_SUBJECT} characters.")
    if not (subject.isascii() and subject.isprintable() and subject == subject.strip()):
        raise refused("The token's sub is not plain text.")
    return subject


def verified_contacts(claims: Claims, *, email: str | None, phone: str | None) -> Identifiers:
    """The e-mail address and the phone number, each only where the token says that it is verified.

    ``email`` and ``phone`` name the claims; None: it is not asked for. Raises Refused.
    """
    named = (("email", email), ("phone", phone))
    return tuple(
        (type, value)
        for type, name in named
        if name is not None
        and claims.values.get(f"{name}_verified") is True
        and (value := identifier_of(claims, name)) is not None
    )


def identifier_of(claims: Claims, name: str) -> str | None:
    """A claim that is an identifier: text, or a whole number; None where it is absent.

    Raises Refused for anything else: what is mapped wrongly must not pass for absent.
    """
    value = claims.values.get(name)
    if value is None:
        return None
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not 0 < len(text) <= MAX_VALUE:
        raise refused(f"The token's {name} is not an identifier.")
    if not text.isprintable() or text != text.strip():
        raise refused(f"The token's {name} is not an identifier.")
    return text


def names_of(claims: Claims) -> tuple[tuple[str, str], ...]:
    """First and last name, as traits; what is no name is left out."""
    named = (("firstName", "given_name"), ("lastName", "family_name"))
    found = ((trait, claims.values.get(name)) for trait, name in named)
    return tuple((trait, value) for trait, value in found if is_name(value))


def is_name(value: object) -> TypeGuard[str]:
    """True for text that can be shown as somebody's name."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_NAME:
        return False
    return value.isprintable()
