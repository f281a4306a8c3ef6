"""Why something is whose, in one sentence that a contact-centre agent understands.

Pure functions: what they need to know is given, and nothing is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import unquote

from graphid.identity.attribution import Attribution, Basis
from graphid.identity.policy import Policy
from graphid.identity.state import Link, LinkKind, LinkState, ReviewKind, Visitor
from graphid.identity.values import (
    OF_OPERATION,
    OF_RECORD,
    Assurance,
    Block,
    KeepApart,
    Merge,
    Micros,
    Operation,
    Place,
    Restore,
    moment,
)
from graphid.service.statements import Stated

MERGED = "MERGED"
"""The rule of a link that an operator's merge made."""

LONGEST_REASON = 200
"""How much of an operator's reason fits into a sentence, in characters."""

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
    Assurance.CLAIMED: "a browser said so",
    Assurance.ASSERTED: "a server of ours said so",
    Assurance.VERIFIED: "a login was checked",
}
_CONFIRMED = {
    LinkKind.IDENTIFIED_AS: "a server of ours",
    # Whom operators merge or promote, they vouch for what these hold.
    LinkKind.HAS_IDENTIFIER: "a server of ours, or somebody here,",
}
"""By whom, where what only a browser had said was asserted since."""


def explain_attribution(
    attribution: Attribution,
    visitor: Visitor,
    at: Micros,
    *,
    named: Sequence[str] = (),
    act: Operation | None = None,
    is_identify: bool = False,
    policy: Policy | None = None,
) -> str:
    """Why what the visitor did at ``at`` is counted as its owner's, or as nobody's.

    ``named``: types of the owner's identifiers that :func:`deciding_evidence` named. ``act``: the
    merge by which the visitor has its owner (:func:`is_by_merge`), or what took it from its owner.
    ``is_identify``: what was done is an identify. ``policy``: the one in force, if it is to be told
    that a visit on a shared device is claimed less far back.
    """
    if act is not None and attribution.basis is Basis.ANONYMOUS:
        return f"Counted as nobody's because {explain_taken(act)}."
    if act is not None and is_by_merge(attribution):
        return f"Counted as theirs because {_somebody(act, 'merged this visit with them')}."
    match attribution.basis:
        case Basis.ANONYMOUS:
            why = _nobody(visitor, at, is_identify, policy)
            return f"Counted as nobody's because {why}."
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
            why = _since("they logged in", visitor.verified, at, named)
            return f"Counted as theirs because {why}; the login was checked."
        case _:
            why = _since("they identified", visitor.identified, at, named)
    doubt = "; so far only a browser said so" if attribution.assurance is Assurance.CLAIMED else ""
    return f"Counted as theirs because {why}{doubt}."


def explain_taken(act: Operation) -> str:
    """How an operator's act left a visit without an owner."""
    match act:
        case Block():
            what = "blocked the value that named its owner"
        case Restore():
            what = "took back what had given it an owner"
        case KeepApart() if act.withdraws:
            what = "took back what had given it an owner"
        case _:
            what = "took it from its owner"
    return _somebody(act, what)


def is_by_merge(attribution: Attribution) -> bool:
    """Whether an operator gave it to its owner, and no identify did."""
    link = attribution.link
    return link is not None and link.rule == MERGED and attribution.basis is Basis.RETROACTIVE


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


def explain_link(
    link: Link,
    *,
    stated: Stated | None = None,
    identifier: str | None = None,
    made_by: Operation | None = None,
    withdrawn_by: Operation | None = None,
) -> str:
    """Why the link was made, and what has become of it.

    ``stated``: what its evidence said of its contacts; ``identifier``: the type of the one that a
    HAS_IDENTIFIER leads to. ``made_by``, ``withdrawn_by``: the operations that did so, where
    operations did.
    """
    is_past = link.state is LinkState.SEVERED or (
        link.state is LinkState.ENDED and link.kind is not LinkKind.IDENTIFIED_AS
    )
    subject, tenses = _SUBJECTS[link.kind]
    subject = subject.format(word=word_for(identifier or "identifier"))
    if made_by is None:
        named, first = ((), link.assurance) if stated is None else stated
        why = f"{_evidence(link, named)}, and {_vouched(link, first)}"
    else:
        why = _somebody(made_by, _DONE[link.kind])
    fate = _fate(link) if withdrawn_by is None else _undone(link, withdrawn_by)
    return f"{subject} {tenses[is_past]} because {why}{fate}."


def explain_review(
    kind: str, reason: str, identifier: str | None, *, obsolete: bool = False
) -> str:
    """What a human is asked to look at. ``identifier`` is a key, ``type:value``.

    ``obsolete``: what was learned later says that it is no longer so.
    """
    about = f"the {word_for(identifier.partition(':')[0])}" if identifier else "an identifier"
    question = {
        ReviewKind.TAKEN_IDENTIFIER: f"Somebody named {about}, which is somebody else's",
        ReviewKind.LIMIT_REACHED: f"{about[0].upper()}{about[1:]} was not added or joined",
        ReviewKind.SUGGESTED_MERGE: f"These may be one person: a message named both by {about}",
    }[ReviewKind(kind)]
    why = f" ({reason})" if reason else ""
    since = "; by what was learned later that is no longer so" if obsolete else ""
    return f"{question}{why}{since}."


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


def because_of(act: Operation) -> str:
    """An operator's reason, in brackets behind a blank; nothing where none is left."""
    reason = " ".join(act.reason.split()).rstrip(".")
    if len(reason) > LONGEST_REASON:
        reason = reason[:LONGEST_REASON].rstrip() + "…"
    return f" ({reason})" if reason else ""


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


def _nobody(visitor: Visitor, at: Micros, is_identify: bool, policy: Policy | None) -> str:
    link = visitor.link
    if link is None or link.state is LinkState.SEVERED:
        if is_identify:
            return (
                "it names nobody for certain: all that it gives is blocked, not valid or somebody "
                "else's"
            )
        if visitor.end is None:
            return "nobody has made themselves known on this browser since"
        return "nobody made themselves known on this browser before they left it"
    if link.reach is not None and at < link.reach:
        first = moment(visitor.identified) if visitor.identified else link.reach
        return _too_early(at, link.reach, first, policy)
    return (
        "whoever identified on this browser last did so "
        f"{span(at - _last_attended(visitor, at))} earlier, without a logout"
    )


def _too_early(at: Micros, reach: Micros, first: Micros, policy: Policy | None) -> str:
    """``first``: when somebody first identified."""
    back = first - reach
    # Claimed under another policy, it may have been shared all the same: then that is left out.
    is_shared = policy is not None and back == policy.on_shared_device < policy.max_age
    where = " on a device that others use, too," if is_shared else ""
    what = f"what was done within {span(back)} before that" if back else "what was done since"
    return (
        f"somebody identified on this browser {span(first - at)} later, and{where} only "
        f"{what} is counted as theirs"
    )


def _last_attended(visitor: Visitor, at: Micros) -> Micros:
    return max((last for first, last in visitor.attended if first <= at), default=at)


def _evidence(link: Link, named: Sequence[str]) -> str:
    """What the evidence of a link said."""
    message = "record of a source" if link.evidence.endswith(OF_RECORD) else "message"
    match link.kind:
        case LinkKind.IDENTIFIED_AS:
            before = "" if link.rule != "SWITCHED" else ", after somebody else on that browser"
            return f"they identified {_with(named)}on {day(link.at)}{before}"
        case LinkKind.HAS_IDENTIFIER:
            return f"a {message} of {day(link.at)} named it as theirs"
        case LinkKind.SAME_AS:
            with_ = f", with {listed}" if (listed := _list(named)) else ""
            return f"one {message} of {day(link.at)} named both{with_}"
        case LinkKind.NOT_SAME_AS:
            return f"that was said on {day(link.at)}"


def _vouched(link: Link, first: Assurance) -> str:
    """Who vouched for a link: at first, when its evidence came, and since."""
    if link.assurance > first:
        by = _CONFIRMED.get(link.kind, "a server of ours")
        if link.assurance is Assurance.VERIFIED:
            by = "a login that was checked"
        return f"{_VOUCHED[first]}; {by} has confirmed it since"
    doubt = " and nothing has proved it" if link.assurance is Assurance.CLAIMED else ""
    return _VOUCHED[link.assurance] + doubt


def _fate(link: Link) -> str:
    if link.state is LinkState.SEVERED:
        when = f" on {day(link.retracted_at)}" if link.retracted_at is not None else ""
        why = _FATES.get(link.reason or "", "")
        return f"; withdrawn{when}{why}"
    if link.state is LinkState.ENDED:
        when = f" on {day(link.ended_at)}" if link.ended_at is not None else ""
        if link.kind is LinkKind.HAS_IDENTIFIER:
            return f"; its source listed it no more{when}"
        after = ""
        if link.ended_at is not None and link.ended_at > link.at:
            after = f" {span(link.ended_at - link.at)} later"
        if link.ended_by is not None and link.ended_by.partition("~")[0].endswith(OF_OPERATION):
            return f"; over{after}{when}, where somebody here cut the visit in two"
        how = {"logout": " with a logout", "switch": " when somebody else identified"}
        return f"; over{after}{how.get(link.reason or '', '')}{when}"
    return ""


_FATES = {
    "OUTRANKED": ": better evidence said that this is somebody else",
    "MOVED": ": a later message said that it is somebody else's, and there it went",
    "REFOLDED": ": by what was learned later it was never so",
    "CUT": ": somebody here gave a part of the visit to somebody else",
    "MERGED": ": somebody here merged them after all",
}
"""Of a link, by the reason that it was withdrawn for."""

_SUBJECTS = {
    LinkKind.IDENTIFIED_AS: (
        "This visit",
        ("is counted as the contact's", "was counted as the contact's"),
    ),
    LinkKind.HAS_IDENTIFIER: ("The {word}", ("belongs to the contact", "belonged to the contact")),
    LinkKind.SAME_AS: ("The two contacts", ("are one person", "were one person")),
    LinkKind.NOT_SAME_AS: ("The two contacts", ("are kept apart", "were kept apart")),
}
"""What a link says, as things are and as they were."""

_DONE = {
    LinkKind.IDENTIFIED_AS: "merged the two",
    LinkKind.HAS_IDENTIFIER: "gave it to them",
    LinkKind.SAME_AS: "merged them",
    LinkKind.NOT_SAME_AS: "said that they are not one person",
}


def _undone(link: Link, act: Operation) -> str:
    """What an operator did to the link."""
    what = "took it back" if link.kind is LinkKind.SAME_AS else "withdrew it"
    match act:
        case Merge() if link.kind is LinkKind.NOT_SAME_AS:
            what = "merged them after all"
        case Merge():
            what = "gave a part of the visit to somebody else"
        case Block():
            what = "blocked the value"
        case Restore() if link.kind is LinkKind.NOT_SAME_AS:
            what = "took that back"
        case Restore():
            before = _somebody(act, "took back what had changed it")
            return f"; what was so before counts again, since {before}"
        case _:
            pass
    return f"; no longer so, since {_somebody(act, what)}"


def _somebody(act: Operation, what: str) -> str:
    """``somebody here merged them on 2 March 2026, 10:15 UTC (the same address)``."""
    return f"somebody here {what} on {day(act.recorded_at)}{because_of(act)}"


def _with(named: Sequence[str]) -> str:
    listed = _list(named)
    return f"with {listed} " if listed else ""


def _list(named: Sequence[str]) -> str:
    words = [f"their {word_for(type)}" for type in dict.fromkeys(named)]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
