"""The one place where identifiers are normalised.

E-mail: trimmed, lower case. Phone: E.164. Everything: Unicode NFC, trimmed. Custom ids keep
their case. Placeholders are values that software sends when it has none; they name nobody.
"""

from __future__ import annotations

import unicodedata

import phonenumbers

from graphid.identity.values import IdentifierKey

MAX_TYPE = 64
"""The longest identifier type, in characters."""

MAX_VALUE = 512
"""The longest identifier value, in characters, before and after normalisation."""

SHORTEST_RUN = 4
"""Fewer of one digit, other than zeros, may be a short account number."""

PLACEHOLDERS = frozenset(
    [
        "null",
        "nil",
        "none",
        "undefined",
        "unknown",
        "anonymous",
        "guest",
        "n/a",
        "na",
        "nan",
        "test",
        "true",
        "false",
        "void",
        "empty",
        "0",
        "-1",
        "-",
        "--",
        ".",
        "?",
        "{}",
        "[]",
        "(null)",
        "<null>",
        "(none)",
        "not_set",
        "notset",
        "test@test.com",
        "no@email.com",
        "none@none.com",
        "null@null.com",
        "noemail@noemail.com",
        "unknown@unknown.com",
        "anonymous@anonymous.com",
        "guest@guest.com",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ]
) | {"", "[object object]", "not set", "(not set)", "no email"}
"""Refused for every type, compared without regard to case. Published in docs/policy.md."""


class InvalidIdentifier(ValueError):
    """The value cannot be an identifier of its type; the message says why, without the value."""


def is_one_digit_repeated(value: str) -> bool:
    """True for runs of one digit: ``000``, ``1111111``. ``77`` may be somebody's account."""
    digits = value.removeprefix("+")
    if not digits.isdigit() or len(set(digits)) != 1:
        return False
    return len(digits) >= SHORTEST_RUN or digits.startswith("0")


def normalise(type: str, value: str, *, region: str | None = None) -> IdentifierKey:
    """The identifier as ``type:value``.

    ``region`` is the two-letter country whose numbers may come without country code.
    Raises :class:`InvalidIdentifier`.
    """
    text = unicodedata.normalize("NFC", value).strip()
    if not text:
        raise InvalidIdentifier("is blank")
    if len(text) > MAX_VALUE:
        raise InvalidIdentifier(f"is longer than {MAX_VALUE} characters")
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise InvalidIdentifier("holds a control character")
    if type == "email":
        return f"email:{_email(text)}"
    if type == "phone":
        return f"phone:{_phone(text, region)}"
    return f"{type}:{text}"


def _email(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain or any(c.isspace() for c in text):
        # A placeholder ("undefined") is told from a slip by the caller, who looks at the list.
        if text.casefold() in PLACEHOLDERS:
            return text.casefold()
        raise InvalidIdentifier("is not an e-mail address")
    return text.lower()


def _phone(text: str, region: str | None) -> str:
    if text.casefold() in PLACEHOLDERS or is_one_digit_repeated(text):
        return text.casefold()
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        hint = "" if region or text.startswith("+") else "; it needs its country code"
        raise InvalidIdentifier(f"is not a phone number{hint}") from error
    if not phonenumbers.is_possible_number(number):
        raise InvalidIdentifier("is not a possible phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
