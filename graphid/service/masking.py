"""What is shown instead of an identifier to whoever may not see it. Pure.

``j***@example.com``, ``+44***58``, ``9***8``: enough to tell two apart that are seen together, too
little to look anybody up by. Free text, as what was said in a chat, is searched for e-mail
addresses, for phone numbers in international form, and for the values that the person holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

import phonenumbers

from graphid.identity.identifiers import InvalidIdentifier, normalise
from graphid.identity.policy import CUSTOM, Policy

HIDDEN = "***"

SHORTEST_SHOWN = 5
"""Of a shorter value, other than an e-mail address or a phone number, nothing is shown."""

SHORTEST_SOUGHT = 4
"""A shorter value that a person holds is no more than a word or a number where text has it."""

ALWAYS = ("email", "phone", "userId", "previousId")
"""Names under which identifiers stand whatever the policy says; the last two are SDKs'."""

MOST_SOUGHT = 200
"""How many of a person's values text is searched for."""

_WORD = re.compile(r"""[^\s<>()\[\],;:"\\/?&=#]+""")
"""What an e-mail address is one of, in a sentence and in an address of the web."""
_AT = re.compile(r"@|%40")
_MARKS = re.compile(r"[^\w%]*")
"""What may stand before an address and is no part of it: quotes, asterisks."""

_GAP = r"(?:[ .()\u00a0-]|%20|%2D)*"
_NUMBER = re.compile(rf"(?<![\w+])(?:\+|%2[Bb]|00){_GAP}[1-9](?:{_GAP}\d){{6,14}}(?!\d)")
"""A phone number with its country code."""


def masked_identifier(type: str, value: str) -> str:
    """What is shown of an identifier's value."""
    if _AT.search(value) and (type == "email" or _has_address(value)):
        return _masked_address(value)
    if type == "phone":
        return masked_phone(value)
    if len(value) < SHORTEST_SHOWN:
        return HIDDEN
    return f"{value[0]}{HIDDEN}{value[-1]}"


def masked_phone(value: str) -> str:
    """The country code, where the number tells it, and the last two digits."""
    digits = _digits(value)
    if len(digits) < SHORTEST_SHOWN:
        return HIDDEN
    try:
        code = str(phonenumbers.parse(f"+{digits.removeprefix('00')}").country_code)
    except phonenumbers.NumberParseException:
        return f"{HIDDEN}{digits[-2:]}"
    return f"+{code}{HIDDEN}{digits[-2:]}"


class Held:
    """The values that one person holds, to be found in what is said of them, in whatever form."""

    def __init__(self, identifiers: Iterable[tuple[str, str]] = ()) -> None:
        self._types = {value: type for type, value in identifiers}
        self._phones = {_national(v): v for v, type in self._types.items() if type == "phone"}
        self._forms: dict[str, str] = {}
        found: list[str] = []
        for value in sorted(self._types, key=len, reverse=True)[:MOST_SOUGHT]:
            if self._types[value] == "phone":
                found.append(_spellings(value))
            elif len(value) >= SHORTEST_SOUGHT:
                for form in dict.fromkeys((value, quote(value, safe=""), quote_plus(value))):
                    self._forms[form.casefold()] = self._types[value]
                    found.append(re.escape(form))
        self._pattern = (
            re.compile(rf"(?<!\w)(?:{'|'.join(found)})(?!\w)", re.IGNORECASE) if found else None
        )

    def taken_out_of(self, text: str) -> str:
        """The text with the values masked."""
        type = self._types.get(text)
        if type is not None:
            return masked_identifier(type, text)
        return text if self._pattern is None else self._pattern.sub(self._mask, text)

    def _mask(self, found: re.Match[str]) -> str:
        type = self._forms.get(found[0].casefold())
        if type is not None:
            return masked_identifier(type, found[0])
        digits = _digits(found[0])
        meant = (phone for national, phone in self._phones.items() if digits.endswith(national))
        return masked_phone(next(meant, found[0]))


NOTHING_HELD = Held()


class Mask:
    """Masks by what a policy says of identifiers."""

    def __init__(self, policy: Policy) -> None:
        self._region = policy.phone.region
        types = (rule.type for rule in policy.identifiers if rule.type != CUSTOM)
        names = (*ALWAYS, *policy.trait_identifiers, *types)
        self._types = {_plain(name): name for name in names}

    def type_named(self, name: str) -> str | None:
        """The type of the identifier that stands under a name, as a trait's; None for others."""
        return self._types.get(_plain(name))

    def text(self, text: str, held: Held = NOTHING_HELD) -> str:
        """A text without e-mail addresses, phone numbers and the values that are held."""
        text = held.taken_out_of(text)
        if _AT.search(text):
            text = _WORD.sub(_mask_word, text)
        return _NUMBER.sub(_mask_number, text)

    def json(self, value: Any, held: Held = NOTHING_HELD, *, type: str | None = None) -> Any:
        """A JSON value without them, names of members too; a member that is named as an
        identifier is one. ``type``: the value itself is an identifier of it."""
        if isinstance(value, dict):
            return {
                self.text(name, held): self.json(item, held, type=self.type_named(name))
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self.json(item, held, type=type) for item in value]
        if value is None or isinstance(value, bool):
            return value
        if type is not None:
            return masked_identifier(type, self._normal(type, str(value)))
        if isinstance(value, str):
            return self.text(value, held)
        # A number stays one, unless it is an account's or a phone's.
        text = str(value)
        left = self.text(text, held)
        return value if left == text else left

    def blocked(self, entry: str) -> str:
        """An entry of the policy's ``blocked``."""
        type, _, what = entry.partition(":")
        is_pattern = what.startswith("/") and what.endswith("/") and len(what) > 1
        return f"{type}:/{HIDDEN}/" if is_pattern else f"{type}:{masked_identifier(type, what)}"

    def _normal(self, type: str, value: str) -> str:
        """The value as it is held: a number without a country code is one of the policy's."""
        try:
            return normalise(type, value, region=self._region).partition(":")[2]
        except InvalidIdentifier:
            return value


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")


def _has_address(value: str) -> bool:
    at = _AT.search(value)
    return at is not None and at.start() > 0 and at.end() < len(value)


def _masked_address(value: str) -> str:
    at = [*_AT.finditer(value)][-1]
    first = value[:1] if at.start() else ""
    return f"{first}{HIDDEN}{value[at.start() :]}"


def _mask_word(found: re.Match[str]) -> str:
    """A word without the address that it is, if it is one."""
    word = found[0]
    marks = _MARKS.match(word)
    start = marks.end() if marks else 0
    at = _AT.search(word, start + 1) if start < len(word) else None
    return word if at is None else word[:start] + _masked_address(word[start:])


def _mask_number(found: re.Match[str]) -> str:
    return masked_phone(found[0])


def _digits(text: str) -> str:
    return re.sub(r"%[0-9A-Fa-f]{2}|\D", "", text)


def _national(phone: str) -> str:
    """The digits of a number without its country code."""
    try:
        return str(phonenumbers.parse(phone).national_number)
    except phonenumbers.NumberParseException:
        return _digits(phone)


def _spellings(phone: str) -> str:
    """A pattern of a number with or without its country code, however its digits are grouped."""
    national = _national(phone)
    code = _digits(phone).removesuffix(national)
    international = rf"(?:(?:(?:\+|%2B|00){_GAP})?{_GAP.join(code)}{_GAP})?" if code else ""
    return rf"{international}(?:\(?0\)?{_GAP})?{_GAP.join(national)}"
