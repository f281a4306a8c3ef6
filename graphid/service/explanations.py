"""Why something is whose, in one sentence that a contact-centre agent understands.

Pure functions: what they need to know is given, and nothing is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import unquote

from graphid.identity.attribution import Attribution, Basis
from graphid.identity.state import Link, LinkKind, LinkState, ReviewKind, Visitor
from graphid.identity.values import Assurance, Micros, Place, moment

_NUMBERS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_KNOWN_TYPES = {
    "email": "e-mail address",
    "phone": "phone number",
    "user_id": "user id",
    "crm_account_id": "customer number",
}
_VOUCHED = {
    Assurance.CLAIMED: "a browser said so and nothing has proved it",
    Assurance.ASSERTED: "a server of ours said so",
    Assurance.VERIFIED: "a login was checked",
}


def explain_attribution(
    attribution: Attribution, visitor: Visitor, at: Micros, *, named: Sequence[str] = ()
) -> str:
    """Why what the visitor did at ``at`` is counted as its owner's, or as nobody's.

    ``named``: types of the identifiers that :func:`deciding_evidence` named.
    """
    match attribution.basis:
        case Basis.ANONYMOUS:
            return _explain_nobody(visitor, at)
        case Basis.UNATTENDED:
            since = at - _last_attended(visitor, at)
            return (
                "Counted as theirs because they were the last to identify on this browser, but "
                f"that was {span(since)} earlier and nobody logged out, so it may have been "
                "somebody else."
            )
        case Basis.RETROACTIVE:
            later = moment(visitor.identified) - at if visitor.identified else 0
            why = (
                f"the same browser identified {_with(named)}{span(later)} later and nobody "
                "logged out in between"
            )
        case Basis.AUTHENTICATED:
            why = _since("a login was checked", visitor.verified, at, named)
        case _:
            why = _since("they identified", visitor.identified, at, named)
    doubt = "; so far only a browser said so" if attribution.assurance is Assurance.CLAIMED else ""
    return f"Counted as theirs because {why}{doubt}."


def deciding_evidence(attribution: Attribution, visitor: Visitor) -> str | None:
    """The id of the identify that an explanation of the attribution speaks of."""
    if attribution.basis is Basis.AUTHENTICATED:
        return evidence_at(visitor.verified)
    if attribution.basis in (Basis.IDENTIFIED, Basis.RETROACTIVE):
        return evidence_at(visitor.identified)
    return None


def evidence_at(place: Place | None) -> str | None:
    """The id of the evidence whose place this is."""
    return unquote(place[17:-1]) if place else None


def explain_link(link: Link, *, named: Sequence[str] = (), identifier: str | None = None) -> str:
    """Why the link was made, and what has become of it.

    ``named``: types of the identifiers that its evidence named; ``identifier``: the type of the
    one that a HAS_IDENTIFIER leads to.
    """
    vouched = _VOUCHED[link.assurance]
    match link.kind:
        case LinkKind.IDENTIFIED_AS:
            again = " instead of the one before" if link.rule == "SWITCHED" else ""
            what = (
                f"This visitor is taken for the contact{again} because it identified "
                f"{_with(named)}on {day(link.at)}, and {vouched}"
            )
        case LinkKind.HAS_IDENTIFIER:
            what = (
                f"The {word_for(identifier or 'identifier')} belongs to the contact because a "
                f"message of {day(link.at)} named it as theirs, and {vouched}"
            )
        case _:
            what = (
                "The two contacts are one person because one message of "
                f"{day(link.at)} named {_list(named) or 'something'} of each, and {vouched}"
            )
    return what + _fate(link) + "."


def explain_review(kind: str, reason: str, identifier: str | None) -> str:
    """What a human is asked to look at. ``identifier`` is a key, ``type:value``."""
    about = f"the {word_for(identifier.partition(':')[0])}" if identifier else "an identifier"
    question = {
        ReviewKind.TAKEN_IDENTIFIER: f"Somebody named {about}, which is somebody else's",
        ReviewKind.LIMIT_REACHED: f"{about[0].upper()}{about[1:]} was not added or joined",
        ReviewKind.SUGGESTED_MERGE: f"These may be one person: a message named both by {about}",
    }[ReviewKind(kind)]
    return f"{question} ({reason})." if reason else f"{question}."


def span(length: Micros) -> str:
    """A length of time in its largest unit: ``two hours``."""
    seconds = abs(length) // 1_000_000
    for size, unit in _UNITS:
        # Ninety minutes is not "two hours"; half a day more or less of ten is no matter.
        if seconds >= 2 * size or (seconds >= size and (seconds % size == 0 or size == 1)):
            count = round(seconds / size)
            number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
            return f"{number} {unit}{'' if count == 1 else 's'}"
    return "less than a second"


def day(at: Micros) -> str:
    """A moment for people: ``2 March 2026, 10:15 UTC``."""
    when = datetime.fromtimestamp(at // 1_000_000, tz=UTC)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def word_for(type: str) -> str:
    """What an agent calls an identifier of this type."""
    return _KNOWN_TYPES.get(type, type.replace("_", " "))


def _since(what: str, place: Place | None, at: Micros, named: Sequence[str]) -> str:
    ago = at - moment(place) if place else 0
    if ago <= 0:
        return f"{what} {_with(named)}on this browser at this very moment"
    return (
        f"{what} {_with(named)}on this browser {span(ago)} earlier and nobody logged out in between"
    )


def _explain_nobody(visitor: Visitor, at: Micros) -> str:
    link = visitor.link
    if link is None or link.state is LinkState.SEVERED:
        return "Counted as nobody's because nobody identified on this browser before they left it."
    if link.reach is not None and at < link.reach:
        return (
            f"Counted as nobody's because it was {span(link.reach - at)} too early: whoever "
            "identified on this browser later may not have been the one who used it then."
        )
    return (
        "Counted as nobody's because whoever identified on this browser last did so "
        f"{span(at - _last_attended(visitor, at))} earlier, without a logout."
    )


def _last_attended(visitor: Visitor, at: Micros) -> Micros:
    return max((last for first, last in visitor.attended if first <= at), default=at)


def _fate(link: Link) -> str:
    if link.state is LinkState.SEVERED:
        when = f" on {day(link.retracted_at)}" if link.retracted_at is not None else ""
        why = {
            "OUTRANKED": ": better evidence said that this is somebody else",
            "MOVED": ": it moved to somebody else",
        }.get(link.reason or "", "")
        return f"; withdrawn{when}{why}"
    if link.state is LinkState.ENDED:
        when = f" on {day(link.ended_at)}" if link.ended_at is not None else ""
        how = {"logout": " with a logout", "switch": " when somebody else identified"}
        return f"; over{how.get(link.reason or '', '')}{when}"
    return ""


def _with(named: Sequence[str]) -> str:
    listed = _list(named)
    return f"with {listed} " if listed else ""


def _list(named: Sequence[str]) -> str:
    words = [f"their {word_for(type)}" for type in dict.fromkeys(named)]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
