"""What is wrong with a policy document: everything, each with where it is and what would do.

A document is judged whole before anything of it is followed. The limits are those that
docs/policy.md lists, and are stated here and nowhere else. No value is repeated in a fault: a
block list holds people's addresses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from phonenumbers import SUPPORTED_REGIONS

from graphid.identity.identifiers import MAX_TYPE, MAX_VALUE, InvalidIdentifier, normalise
from graphid.identity.patterns import InvalidPattern, compiled
from graphid.identity.values import UnattendedOwner

ANY = "*"
"""Stands for every type: in ``identifiers`` for those not listed, in ``blocked`` for all."""

MAX_TYPES = 100
MAX_BLOCKED = 1000
MAX_PATTERNS = 100
"""How many entries of ``blocked`` may be regular expressions: each is tried on each value."""
MAX_TRAITS = 50
MAX_EVENTS = 100
MAX_EVENT_NAME = 512
MAX_KEY = 64
"""Of a key that is not known, as many characters are told."""

DAY = 86_400
YEAR = 365 * DAY

NORMALISED = frozenset({"email", "phone"})
"""Types whose values have a form of their own; they are written in lower case."""

_TYPE = re.compile(rf"[A-Za-z][A-Za-z0-9_.\-]{{0,{MAX_TYPE - 1}}}")


class Fault(NamedTuple):
    """Something that a document may not say."""

    path: tuple[str, ...]
    """Outermost name first; list indexes as decimal digits."""
    reason: str


Check = Callable[[Any], Iterator[Fault]]
"""The faults of a value, their paths as seen from it."""


def faults_of(document: Any, default: Mapping[str, Any]) -> list[Fault]:
    """All faults of a document; ``default`` is the document that leaves nothing out."""
    phone = document.get("phone") if isinstance(document, dict) else None
    region = phone.get("region") if isinstance(phone, dict) else None
    found = list(_policy(region if _is_region(region) else None)(document))
    if not isinstance(document, dict):
        return [Fault(("document",), fault.reason) for fault in found]
    wrong = {fault.path for fault in found}
    kept, reach = ("retention", "anonymous"), ("retroactive", "max_age")
    if wrong.isdisjoint({kept, reach, kept[:1], reach[:1]}):
        least = _at(document, default, reach)
        if _at(document, default, kept) < least:
            reason = f"must not be less than retroactive.max_age, which is {least:.15g} seconds"
            found.append(Fault(kept, reason))
    return found


def _at(document: Mapping[str, Any], default: Mapping[str, Any], path: tuple[str, str]) -> Any:
    part, name = path
    return {**default[part], **document.get(part, {})}[name]


def _policy(region: str | None) -> Check:
    """The shape of a document whose phone numbers may come as that region writes them."""
    return _object(
        {
            "identifiers": _list(
                _object(
                    {
                        "type": _type_or_any,
                        "unique": _flag,
                        "distinguishing": _flag,
                        "limit": _whole(1, 1000),
                    },
                    needed="type",
                ),
                most=MAX_TYPES,
                key=lambda entry: entry.get("type") if isinstance(entry, dict) else None,
            ),
            "phone": _object({"region": _region}),
            "blocked": _block_list(region),
            "taken_identifier": _word("KEEP_AND_REVIEW", "MOVE", "MERGE"),
            "trait_identifiers": _list(_type, most=MAX_TRAITS),
            "logout_events": _list(_text(MAX_EVENT_NAME), most=MAX_EVENTS),
            "merge": _object(
                {
                    "assurance": _word("CLAIMED", "ASSERTED", "VERIFIED"),
                    "max_contacts": _whole(1, 10_000),
                    "max_identifiers": _whole(1, 100_000),
                }
            ),
            "browser_assurance": _word("CLAIMED", "ASSERTED"),
            "session": _object({"timeout": _seconds(1, 7 * DAY, "7 days")}),
            "retroactive": _object(
                {
                    "max_age": _seconds(0, 10 * YEAR, "10 years"),
                    "on_shared_device": _seconds(0, 10 * YEAR, "10 years"),
                }
            ),
            "unattended": _object(
                {
                    "after": _seconds(0, YEAR, "a year"),
                    "owner": _word(*UnattendedOwner),
                }
            ),
            "refold": _object({"max_evidence": _whole(1, 1_000_000)}),
            "retention": _object({"anonymous": _seconds(0, 100 * YEAR, "100 years")}),
        }
    )


# ------------------------------------------------------------------ what holds others


def _object(fields: Mapping[str, Check], *, needed: str | None = None) -> Check:
    def check(value: Any) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield Fault((), "must be an object")
            return
        if needed is not None and needed not in value:
            yield Fault((needed,), "is missing")
        for key, part in value.items():
            if key in fields:
                yield from _under(key, fields[key](part))
            else:
                yield Fault((str(key)[:MAX_KEY],), f"is not known; known here: {', '.join(fields)}")

    return check


def _list(of: Check, *, most: int, key: Callable[[Any], Any] = lambda entry: entry) -> Check:
    """Entries that are told apart by what ``key`` says of them, where that is text."""

    def check(value: Any) -> Iterator[Fault]:
        if not isinstance(value, list | tuple):
            yield Fault((), "must be a list")
            return
        if len(value) > most:
            yield Fault((), f"must not have more than {most} entries")
            return
        first: dict[str, int] = {}
        for number, entry in enumerate(value):
            yield from _under(str(number), of(entry))
            named = key(entry)
            if isinstance(named, str) and first.setdefault(named, number) != number:
                yield Fault((str(number),), f"is the same as entry {first[named]}")

    return check


def _under(name: str, faults: Iterator[Fault]) -> Iterator[Fault]:
    for fault in faults:
        yield Fault((name, *fault.path), fault.reason)


# ------------------------------------------------------------------ single values


def _flag(value: Any) -> Iterator[Fault]:
    if not isinstance(value, bool):
        yield Fault((), "must be true or false")


def _whole(least: int, most: int) -> Check:
    def check(value: Any) -> Iterator[Fault]:
        if not _is_number(value) or isinstance(value, float) or not least <= value <= most:
            yield Fault((), f"must be a whole number from {least} to {most}")

    return check


def _seconds(least: int, most: int, said: str) -> Check:
    def check(value: Any) -> Iterator[Fault]:
        # Not a number and the infinite ones lie between no two numbers.
        if not _is_number(value) or not least <= value <= most:
            yield Fault((), f"must be a number of seconds from {least} to {most} ({said})")

    return check


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _word(*words: str) -> Check:
    def check(value: Any) -> Iterator[Fault]:
        if value not in words:
            yield Fault((), f"must be one of {', '.join(words)}")

    return check


def _text(most: int) -> Check:
    def check(value: Any) -> Iterator[Fault]:
        if not isinstance(value, str) or not value.strip() or len(value) > most:
            yield Fault((), f"must be text of 1 to {most} characters, not blank")
        elif any(unicodedata.category(c) in ("Cc", "Cs") for c in value):
            yield Fault((), "must not hold control characters")

    return check


def _is_region(value: Any) -> bool:
    return isinstance(value, str) and value in SUPPORTED_REGIONS


def _region(value: Any) -> Iterator[Fault]:
    if value is not None and not _is_region(value):
        yield Fault((), "must be null or the two capital letters of a country, as GB")


def _type(value: Any) -> Iterator[Fault]:
    if not isinstance(value, str) or not _TYPE.fullmatch(value):
        yield Fault(
            (),
            f"must be the name of a type: 1 to {MAX_TYPE} letters, digits, '_', '-' and '.', "
            "first a letter",
        )
    elif value not in NORMALISED and value.lower() in NORMALISED:
        yield Fault((), f"must be written '{value.lower()}'")


def _type_or_any(value: Any) -> Iterator[Fault]:
    if value != ANY:
        yield from _type(value)


# ------------------------------------------------------------------ what is blocked


def _block_list(region: str | None) -> Check:
    entries = _list(lambda entry: _blocked(entry, region), most=MAX_BLOCKED)

    def check(value: Any) -> Iterator[Fault]:
        yield from entries(value)
        if isinstance(value, list | tuple):
            patterns = sum(isinstance(entry, str) and is_pattern(entry) for entry in value)
            if patterns > MAX_PATTERNS:
                yield Fault((), f"must not have more than {MAX_PATTERNS} regular expressions")

    return check


def is_pattern(entry: str) -> bool:
    """Whether an entry of ``blocked`` holds a regular expression, not a value."""
    what = entry.partition(":")[2]
    return len(what) > 1 and what.startswith("/") and what.endswith("/")


def _blocked(entry: Any, region: str | None) -> Iterator[Fault]:
    type, colon, what = entry.partition(":") if isinstance(entry, str) else ("", "", "")
    if not colon or list(_type_or_any(type)):
        yield Fault(
            (),
            "must be text: 'type:value' or 'type:/regular expression/', where the type may be '*'",
        )
    elif is_pattern(entry):
        try:
            compiled(what[1:-1])
        except InvalidPattern as error:
            yield Fault((), f"the regular expression {error}")
    elif len(what) > MAX_VALUE:
        yield Fault((), f"the value is longer than {MAX_VALUE} characters")
    else:
        try:
            normalise(type, what, region=region)
        except InvalidIdentifier as error:
            yield Fault((), f"the value {error}, so it would block nothing")
