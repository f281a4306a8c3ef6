"""What is shown instead of an identifier to whoever may not see it. Pure.

``j***@example.com``, ``+44***58``, ``9***8``: enough to tell two apart that are seen together, too
little to look anybody up by. Free text, as what was said in a chat, is searched for e-mail
addresses, for phone numbers in international form, and for the values that the person holds, as it
reads with percent-encoding undone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import phonenumbers

from graphid.identity.identifiers import PLACEHOLDERS, InvalidIdentifier, normalise
from graphid.identity.policy import CUSTOM, Policy
from graphid.service.seeking import Sought, Text, digits_of

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
_AT = re.compile(r"@|%(?:25)*40")
_MARKS = re.compile(r"\W*")
"""What may stand before an address and is no part of it: quotes, asterisks."""

_GAP = r"(?:[.()-]*\+)?[ .()\u00a0-]*"
"""What groups digits; forms send spaces as ``+``."""
_NUMBER = re.compile(rf"(?<![^\W_])(?<!\d:)(?:\+|00){_GAP}[1-9](?:{_GAP}\d){{6,14}}(?!\d)")
"""A phone number with its country code; the seconds of a time are none."""


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
    digits = digits_of(value)
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
        longest_first = sorted(self._types, key=len, reverse=True)[:MOST_SOUGHT]
        sought = (Sought(self._types[value], value) for value in longest_first)
        self._sought = [one for one in sought if len(one) >= SHORTEST_SOUGHT]

    def and_claimed(self, identifiers: Iterable[tuple[str, str]]) -> Held:
        """These and what was claimed beside them; not what software says that has no value."""
        more = {
            value: type
            for type, value in identifiers
            if value not in self._types and value.casefold() not in PLACEHOLDERS
        }
        if not more:
            return self
        return Held((type, value) for value, type in (self._types | more).items())

    def taken_out_of(self, text: str) -> str:
        """The text with the values masked."""
        type = self._types.get(text)
        if type is not None:
            return masked_identifier(type, text)
        if not self._sought:
            return text
        seen = Text(text)
        masks: dict[int, tuple[int, str]] = {}
        is_masked = bytearray(len(seen.read))
        for one in self._sought:
            for start, end in one.places(seen):
                if not any(is_masked[start:end]):
                    is_masked[start:end] = b"1" * (end - start)
                    masks[start] = end, _mask_held(one, seen.read[start:end])
        return seen.with_masks((start, *masks[start]) for start in sorted(masks))


NOTHING_HELD = Held()


class Mask:
    """Masks by what a policy says of identifiers."""

    def __init__(self, policy: Policy) -> None:
        self._region = policy.phone.region
        types = (rule.type for rule in policy.identifiers if rule.type != CUSTOM)
        names = (*ALWAYS, *policy.trait_identifiers, *types)
        self._types = {_plain(name): name for name in names}
        self._blocked = policy.blocked_types

    def type_named(self, name: str) -> str | None:
        """The type of the identifier that stands under a name, as a trait's; None for others."""
        return self._types.get(_plain(name))

    def text(self, text: str, held: Held = NOTHING_HELD) -> str:
        """A text without e-mail addresses, phone numbers and the values that are held."""
        seen = Text(held.taken_out_of(text))
        if "@" in seen.read:
            seen = Text(_masked(seen, _WORD, _mask_word))
        return _masked(seen, _NUMBER, _mask_number)

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
        text = str(value)
        blocked = self._blocked.get(text.casefold())
        # Words and small numbers are blocked since they tell nobody; here they are something else.
        if blocked and len(text) >= SHORTEST_SHOWN and any(map(str.isdigit, text)):
            return masked_identifier(blocked, text)
        left = self.text(text, held)
        # A number stays one, unless it is an account's or a phone's.
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


def _masked(text: Text, pattern: re.Pattern[str], mask: Callable[[re.Match[str]], str]) -> str:
    return text.with_masks((*found.span(), mask(found)) for found in pattern.finditer(text.read))


def _mask_word(found: re.Match[str]) -> str:
    """A word without the address that it is, if it is one."""
    word = found[0]
    marks = _MARKS.match(word)
    start = marks.end() if marks else 0
    at = _AT.search(word, start + 1) if start < len(word) else None
    return word if at is None else word[:start] + _masked_address(word[start:])


def _mask_number(found: re.Match[str]) -> str:
    return masked_phone(found[0])


def _mask_held(found: Sought, written: str) -> str:
    if found.type == "phone":
        return masked_phone(found.value)
    return masked_identifier(found.type, written)
