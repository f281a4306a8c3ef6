"""What of a visitor nobody can come to own any more (policy: ``retention.anonymous``).

An identify reaches no further back than ``retroactive.max_age``. So what is older than that before
the first identify of its visitor, and all of a visitor without one, stays nobody's: whatever is
unmerged, severed, blocked or restored, an identify stays where it was said. Operators' merges and
severs give and take without one, and what they name can come to mean a visitor of a cookie that is
whole again: where any names a cookie, nothing of it is forgettable. And of evidence that is yet to
come and says that it happened long ago nobody knows: it finds what is left then.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphid.identity.state import Visitor
from graphid.identity.values import Merge, Micros, Place, Sever, moment, start_of

LAST = ":"
"""Sorts after every place in time: those begin with a digit."""


def forgettable(
    visitor: Visitor, identified: Place | None, furthest: Micros
) -> tuple[Place, Place] | None:
    """From which place up to which what a visitor did is nobody's for good; None: nothing is.

    ``identified``: the place of the first identify on the cookie while the visitor has it,
    whatever came of it. ``furthest``: the longest ``retroactive.max_age`` that any version of the
    policy says, as evidence follows the version that it is stamped with.
    """
    high = visitor.end or LAST
    if identified is not None:
        high = min(high, start_of(moment(identified) - furthest))
    link = visitor.link
    if link is not None:
        # Without an identify, or a reach, an operator gave it, and all of it.
        high = min(high, start_of(link.reach or 0)) if identified is not None else ""
    return (visitor.start, high) if visitor.start < high else None


def cookies_named(act: Merge | Sever) -> Iterator[str]:
    """The cookies of which nothing is forgettable for an operator's act."""
    for anchor in act.of if isinstance(act, Merge) else (act.visitor,):
        if anchor.cookie is not None:
            yield anchor.cookie
