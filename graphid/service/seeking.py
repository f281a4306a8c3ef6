"""Finds values in a text, in whatever form they were written there. Pure.

A text is looked at as it reads, with percent-encoding undone, and what is found has its place in
the text as it stands. Each step is linear in the length of the text, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import takewhile

import phonenumbers

FEWEST_GROUPED = 6
"""A value of fewer digits is not sought in groups: those are a price, a time or a year."""

DEEPEST = 8
"""How often encoding is undone: an address in an address is encoded twice, and rarely more."""

_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_OCTET = re.compile(r"%([0-9A-Fa-f]{2})")

_LATIN_1 = {0xDC00 + octet: octet for octet in range(0x80, 0x100)}
"""How octets are read that are not UTF-8."""

_GAPS = re.compile(r"[\s.,()+/_\u00ad\u200b-\u200d\u2010-\u2015\u2060-]+")
"""What groups the characters of a value."""
_SOLID = re.compile(r"[^\s.,()+/_\u00ad\u200b-\u200d\u2010-\u2015\u2060-]")


class Text:
    """A text as it is ``read``: with percent-encoding undone, however often it was applied.

    Places are those of what is read.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.read, self._starts = _undone(text)

    @cached_property
    def whole(self) -> tuple[str, Sequence[int]]:
        """What is compared with a value that is not grouped, and the place of each character."""
        return _comparable(self.read), range(len(self.read))

    @cached_property
    def solid(self) -> tuple[str, Sequence[int]]:
        """As ``whole``, without what groups."""
        folded = _comparable(self.read)
        return _GAPS.sub("", folded), [found.start() for found in _SOLID.finditer(folded)]

    def stands_alone(self, start: int, end: int) -> bool:
        """Whether what is there is no part of a longer word or number."""
        return not (self.read[start - 1 : start].isalnum() or self.read[end : end + 1].isalnum())

    def with_masks(self, masks: Iterable[tuple[int, int, str]]) -> str:
        """The text with other words from one place to another; what they end alike in is left
        as it was written. In their order."""
        told, done = [], 0
        for start, end, mask in masks:
            ends = zip(reversed(mask), reversed(self.read[start:end]), strict=False)
            alike = sum(1 for _ in takewhile(lambda end: end[0] == end[1], ends))
            told += [self._text[done : self._starts[start]], mask[: len(mask) - alike]]
            done = self._starts[end - alike]
        return "".join([*told, self._text[done:]])


class Sought:
    """A value, and how it is found."""

    def __init__(self, type: str, value: str) -> None:
        self.type = type
        self.value = value
        self._before: tuple[str, ...] = ("",)
        if type == "phone":
            self._is_grouped = True
            self._key, self._before = _telephone(value)
        else:
            read = _comparable(_undone(value)[0])
            self._is_grouped = sum(map(str.isdigit, read)) >= FEWEST_GROUPED
            self._key = _GAPS.sub("", read) if self._is_grouped else read

    def __len__(self) -> int:
        """Of how many characters at least it is where it is found."""
        return len(self._key)

    def places(self, text: Text) -> Iterator[tuple[int, int]]:
        """From where to where it stands in a text."""
        characters, places = text.solid if self._is_grouped else text.whole
        at = characters.find(self._key)
        while at >= 0:
            end = places[at + len(self._key) - 1] + 1
            for before in self._before:
                first = at - len(before)
                if first < 0 or not characters.startswith(before, first):
                    continue
                start = places[first]
                if text.stands_alone(start, end):
                    yield self._beginning(text, start), end
                    break
            at = characters.find(self._key, at + 1)

    def _beginning(self, text: Text, start: int) -> int:
        """With the marks that are part of a phone number."""
        return len(text.read[:start].rstrip("(+")) if self.type == "phone" else start


def digits_of(text: str) -> str:
    """The digits of a number, also of one that is percent-encoded."""
    return re.sub(r"\D", "", _undone(text)[0])


def _undone(text: str) -> tuple[str, Sequence[int]]:
    """What a text reads, and where in it each character of that begins, and the end."""
    read: str = text
    starts: Sequence[int] = range(len(text) + 1)
    for _ in range(DEEPEST):
        if not _ENCODED.search(read):
            break
        read, among = _undone_once(read)
        starts = [starts[place] for place in among]
    return read, starts


def _undone_once(text: str) -> tuple[str, Sequence[int]]:
    read: list[str] = []
    starts: list[int] = []
    done = 0
    for run in _ENCODED.finditer(text):
        octets = [*_OCTET.finditer(text, *run.span())]
        told = bytes(int(octet[1], 16) for octet in octets).decode(errors="surrogateescape")
        read += [text[done : run.start()], told.translate(_LATIN_1)]
        starts += range(done, run.start())
        place = 0
        for character in told:
            starts.append(octets[place].start())
            place += len(character.encode(errors="surrogateescape"))
        done = run.end()
    return "".join([*read, text[done:]]), [*starts, *range(done, len(text) + 1)]


def _comparable(text: str) -> str:
    """The text without regard to case, each character in its place; forms send spaces as ``+``."""
    # The one letter that has two in lower case.
    return text.replace("\u0130", "I").lower().replace("+", " ")


def _telephone(value: str) -> tuple[str, tuple[str, ...]]:
    """The digits by which a number is found, and what may stand before them, longest first."""
    digits = digits_of(value)
    try:
        national = str(phonenumbers.parse(value).national_number)
    except phonenumbers.NumberParseException:
        national = ""
    if len(national) < FEWEST_GROUPED:
        return digits, ("00", "")
    code = digits.removesuffix(national)
    return national, (f"00{code}0", f"00{code}", f"{code}0", code, "0", "")
