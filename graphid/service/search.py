"""Who may be meant by a text: an identifier first, then names and identifiers by their words.

The order is our own, worked out from the words that were found, so that it stays the same while
nothing changes: what the index says of how well something fits depends on all else that is in it,
and only chooses which hits are looked at where there are too many.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from graphid.errors import InvalidInput, TooLarge
from graphid.graph.database import Readable
from graphid.graph.policies import Policies
from graphid.graph.queries import query
from graphid.identity.identifiers import MAX_TYPE, InvalidIdentifier, normalise
from graphid.identity.words import begins, words_of
from graphid.service.pages import Page, PageRequest, page_of

FIND_PEOPLE = query("search/find_people")

LONGEST_TEXT = 200
"""Characters of a text to search for."""

MOST_HITS = 500
"""How many names, and how many identifiers, are looked at; also how far one can page."""

MOST_WORDS = 8
"""How many words the index is asked for; those behind them are looked for in what it found."""

EXACT = 0
"""The rank of who holds an identifier that the text is."""

_TYPED = re.compile(rf"\s*([A-Za-z0-9_.-]{{1,{MAX_TYPE}}}):(.+)", re.DOTALL)
_ANY = "id"
"""A type with no form of its own."""
_NUMBER = re.compile(r"[+()\d\s./-]+")
_KEY = re.compile(r"\d\dperson_\w+")

Words = tuple[str, ...]


class Found(NamedTuple):
    """A person, and how well what was found fits: the lower, the better."""

    rank: int
    person: str

    @property
    def key(self) -> str:
        """Sorts as people are listed."""
        return f"{self.rank:02d}{self.person}"


@dataclass(frozen=True)
class Sought:
    """What a text may mean. ``keys``, ``values``: identifiers that it may be, as ``type:value``
    and of any type; ``names``, ``identifiers``: the words to find, in each way to read it."""

    keys: tuple[str, ...]
    values: tuple[str, ...]
    names: tuple[Words, ...]
    identifiers: tuple[Words, ...]

    @property
    def queries(self) -> list[str]:
        """For the index: of letters, digits and our own signs, never of what was typed."""
        return [
            " ".join(f"({_query(field, words)})" for words in ways)
            for field, ways in (("names", self.names), ("words", self.identifiers))
            if ways
        ]

    def rank(self, kind: str, found: str) -> int | None:
        """How well a hit fits; None where it does not."""
        if kind == "EXACT":
            return EXACT
        of_name = kind == "NAME"
        ways = self.names if of_name else self.identifiers
        ranks = [rank for words in ways if (rank := _fit(words, found.split())) is not None]
        return 2 * min(ranks) + (not of_name) if ranks else None


class Search:
    """Searches for people."""

    def __init__(self, database: Readable, policies: Policies) -> None:
        self._database = database
        self._policies = policies

    async def people(self, text: str, request: PageRequest, *, by_part: bool) -> Page[Found]:
        """A page of the known people whom a text may mean, each once, the best match first.

        ``by_part``: whether identifiers are found by a part of them, too. A key is that of a
        ``Found``. Raises InvalidInput for a blank text, TooLarge for a long one.
        """
        require_searchable(text)
        policy = (await self._policies.current()).policy
        sought = sought_by(text, region=policy.phone.region, by_part=by_part)
        rows = await self._database.read_rows(
            FIND_PEOPLE,
            sought={
                "keys": sought.keys,
                "values": sought.values,
                "queries": sought.queries,
                "hits": MOST_HITS,
            },
        )
        best: dict[str, int] = {}
        for person, kind, words in rows[0]["found"]:
            rank = sought.rank(kind, words)
            if rank is not None:
                best[person] = min(rank, best.get(person, rank))
        behind = request.after or ""
        people = sorted(Found(rank, person) for person, rank in best.items())
        people = [one for one in people if one.key > behind][: request.limit + 1]
        return page_of(people, request, lambda one: one.key)


def require_searchable(text: str) -> None:
    """Raises InvalidInput for a text that is blank, TooLarge for one that is too long."""
    if len(text) > LONGEST_TEXT:
        raise TooLarge(f"text may have at most {LONGEST_TEXT} characters.", path=["text"])
    if not text.strip():
        raise InvalidInput("text must not be blank.", path=["text"])


def is_key(key: str) -> bool:
    """Whether this can be the key of a ``Found``."""
    return _KEY.fullmatch(key) is not None


def sought_by(text: str, *, region: str | None = None, by_part: bool = True) -> Sought:
    """What a text may mean; ``region``: of phone numbers without a country code."""
    text = unicodedata.normalize("NFC", text).strip()
    typed = _TYPED.fullmatch(text)
    keys = () if typed is None else _normal([typed[1]], typed[2], region)
    values = [key.partition(":")[2] for key in _normal([_ANY, "email", "phone"], text, region)]
    readings = [text]
    if typed is not None:
        readings.append(typed[2])
    if _NUMBER.fullmatch(text):
        # However its digits are grouped, a number is kept as one word.
        readings.append("".join(filter(str.isalnum, text)))
    return Sought(
        keys=keys,
        values=tuple(dict.fromkeys(values)),
        names=_ways([text]),
        identifiers=_ways(readings) if by_part else (),
    )


def _normal(types: Iterable[str], value: str, region: str | None) -> tuple[str, ...]:
    found = []
    for type in types:
        try:
            found.append(normalise(type, value, region=region))
        except InvalidIdentifier:
            continue
    return tuple(found)


def _ways(readings: Iterable[str]) -> tuple[Words, ...]:
    return tuple(words for words in dict.fromkeys(map(words_of, readings)) if words)


def _query(field: str, words: Words) -> str:
    """Whatever has all of the words, or words that begin so; whole ones first."""
    return " ".join(
        f"+({field}:{word}^4 {field}:{word}*)" if begins(word) else f"+{field}:{word}"
        for word in words[:MOST_WORDS]
    )


def _fit(words: Words, found: list[str]) -> int | None:
    """1: it has these words and no others. 2: it has them all. 3: it has words that begin so."""
    there = set(found)
    if there.issuperset(words):
        return 1 if len(words) == len(there) else 2
    for word in words:
        if word not in there and not (begins(word) and any(w.startswith(word) for w in found)):
            return None
    return 3
