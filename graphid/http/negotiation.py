"""Which media type a client wants its answer in, by the Accept header (RFC 9110, 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

PLAIN = "application/json"
MODERN = "application/graphql-response+json"
EVENTS = "text/event-stream"
IN_JSON = (PLAIN, MODERN)
OFFERED = (*IN_JSON, EVENTS)
"""How GraphQL is answered; the first is what whoever names none gets."""

_QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


@dataclass(frozen=True)
class _Range:
    """One element of the header: ``a/b``, ``a/*`` or ``*/*``, and how much it is wanted."""

    type: str
    subtype: str
    quality: float
    place: int

    def specificity(self, media: str) -> int:
        """How closely it names a media type; 0 where it does not."""
        type, _, subtype = media.partition("/")
        if (self.type, self.subtype) == (type, subtype):
            return 3
        if self.subtype != "*" or media == EVENTS:
            return 0  # nobody means a stream who does not say so
        return {type: 2, "*": 1}.get(self.type, 0)


@lru_cache(maxsize=64)
def media_of(accept: str, offered: tuple[str, ...] = OFFERED) -> str | None:
    """What is wanted most of what is offered; None where nothing of it is acceptable.

    Of two that are wanted alike it is the one that is named, else the one that is named first, else
    the one that is offered first. Parameters other than ``q`` do not matter: all answers are
    UTF-8. What cannot be read is as if it were not there.
    """
    if not accept.strip():
        return offered[0]
    ranges = list(_ranges(accept))
    wanted = ((_wish(ranges, media), media) for media in offered)
    (quality, *_), best = max(wanted, key=lambda found: found[0])
    return best if quality > 0 else None


def _wish(ranges: Sequence[_Range], media: str) -> tuple[float, int, int]:
    fitting = [(found.specificity(media), -found.place, found.quality) for found in ranges]
    specificity, place, quality = max(fitting, default=(0, 0, 0.0))
    return (quality, specificity, place) if specificity else (0.0, 0, 0)


def _ranges(accept: str) -> Iterator[_Range]:
    for place, element in enumerate(accept.lower().split(",")):
        name, *parameters = (part.strip() for part in element.split(";"))
        type, _, subtype = name.partition("/")
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        if type and subtype and _QUALITY.fullmatch(quality):
            yield _Range(type, subtype, float(quality), place)
