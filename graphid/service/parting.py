"""What keeps two apart, one sentence a reason. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from graphid.identity.attribution import Basis
from graphid.identity.obstacles import Rule
from graphid.identity.state import Opening
from graphid.identity.values import KeepApart, Operation
from graphid.service.ends import End
from graphid.service.explanations import (
    because_of,
    day,
    explain_attribution,
    explain_link,
    explain_review,
    explain_taken,
    word_for,
)
from graphid.service.grounds import MOST_VISITS
from graphid.service.reasons import Parted
from graphid.service.visitors import VisitorRecord

_TOLD = {
    Rule.CONTACTS: "Together they would have more contacts than the policy lets one person have.",
    Rule.IDENTIFIERS: (
        "Together they would have more identifiers than the policy lets one person have."
    ),
    Rule.BOTH_CURATED: (
        "Both were confirmed, by somebody here or by a source, so nothing joins them but somebody "
        "here who merges them."
    ),
}
"""By rule; a contradiction is told with its values, and the others in the review that asks."""

_BOUNDARIES = {
    Opening.LOGOUT: (
        "They followed each other on one browser: one logged out on {day}, and the visit after "
        "that is the other's."
    ),
    Opening.SWITCH: (
        "They followed each other on one browser, where nobody had logged out: on {day} the other "
        "identified, and a new visit began."
    ),
    Opening.CUT: (
        "They followed each other on one browser: somebody here cut a visit in two on {day}, and "
        "the second part is the other's."
    ),
}


def explain_parted(parted: Parted) -> list[str]:
    """The reasons, what somebody here said first, each once."""
    told = [
        *_judged(parted),
        *_withdrawn(parted),
        *_reviews(parted),
        *_contradictions(parted),
        *(_TOLD[rule] for rule in parted.rules if rule in _TOLD),
        *_spots(parted),
        *_ends(parted),
        *_met(parted),
        *_nothing(parted),
    ]
    return list(dict.fromkeys(told))


def _judged(parted: Parted) -> Iterator[str]:
    of_identifier = _identifier_of(parted)
    for recorded in parted.judgements:
        yield _said(recorded.piece, about_identifier=of_identifier is not None)
    word = of_identifier or "identifier"
    for recorded in parted.blocks:
        act = recorded.piece
        why = because_of(act)
        yield f"{_who(act)} blocked the {word} on {day(act.recorded_at)}{why}: it names nobody."
    if parted.is_blocked:
        yield f"The policy blocks the {word}: it names nobody."


def _said(act: Operation, *, about_identifier: bool) -> str:
    when, why = day(act.recorded_at), because_of(act)
    if about_identifier:
        return f"{_who(act)} said on {when} that it is not theirs{why}."
    if act.review is not None:
        return (
            f"{_who(act)}, asked whether they are one person, said on {when} that they are "
            f"not{why}."
        )
    if isinstance(act, KeepApart) and act.withdraws:
        return f"{_who(act)} took back on {when} that they had been merged{why}."
    return f"{_who(act)} parted them on {when}{why}."


def _withdrawn(parted: Parted) -> Iterator[str]:
    stated = dict(parted.stated)
    operations = {recorded.id: recorded.piece for recorded in parted.operations}
    for record in parted.withdrawn:
        link, identifier = record.link, record.identifier
        yield explain_link(
            link,
            stated=stated.get(link.id),
            identifier=None if identifier is None else identifier.type,
            made_by=operations.get(link.evidence),
            withdrawn_by=operations.get(link.retracted_by or ""),
        )


def _reviews(parted: Parted) -> Iterator[str]:
    for review in parted.reviews:
        asked = explain_review(review.kind, review.reason, review.identifier)
        yield f"{asked} Nobody here has decided that yet."


def _contradictions(parted: Parted) -> Iterator[str]:
    for one in parted.contradictions:
        word, values = word_for(one.ours.type), f"{one.ours.value} and {one.theirs.value}"
        if one.is_unique:
            yield f"A person has only one {word}, and they have {values}."
        else:
            yield (
                f"Their {word} differs, {values}, and they have nothing in common that would "
                "show that both are one person's."
            )


def _spots(parted: Parted) -> Iterator[str]:
    """What a cookie or a device is to the other end, where that is another or somebody known."""
    names = [
        "device" if end.spot.cookie is None else "browser"
        for end in (parted.a, parted.b)
        if end.spot is not None
    ]
    if not parted.all_looked_at:
        yield (
            f"Only the latest {MOST_VISITS:,} visits of each were looked at: nobody who made one "
            "of them is known to have used both."
        )
    elif len(names) == 2:
        both = f"{names[0]}s" if names[0] == names[1] else "the device and the browser"
        yield f"Nobody is known to have used both {both}."
    elif names and (parted.a.known or parted.b.known) is not None:
        yield f"None of the visits on the {names[0]} is counted as theirs."


def _ends(parted: Parted) -> Iterator[str]:
    """What an end that is no person is to the other."""
    for end in (parted.a, parted.b):
        if end.identifier is not None:
            word = word_for(end.identifier.type)
            fate = "Nobody has the" if end.person is None else "Somebody else has the"
            yield f"{fate} {word}."
        elif end.owner is not None and end.owner.attribution.basis is Basis.ANONYMOUS:
            yield _nobodys(parted, end)
        elif end.visitor is not None and end.is_part:
            yield "Nobody is known to have used the browser so long before somebody identified."
        elif end.visitor is not None and end.visitor.owner is None:
            act = _taken(parted, end.visitor)
            why = "no identify of it stands" if act is None else explain_taken(act)
            yield f"Nobody is known to have made the visit: {why}."
        elif end.visitor is not None:
            yield "The visit is counted as somebody else's."


def _nobodys(parted: Parted, end: End) -> str:
    assert end.owner is not None
    assert end.at is not None
    owner = end.owner
    return explain_attribution(
        owner.attribution,
        owner.record.visitor,
        end.at,
        act=_taken(parted, owner.record),
        is_identify=end.is_identify,
        policy=parted.policy,
    )


def _taken(parted: Parted, record: VisitorRecord) -> Operation | None:
    """What somebody here did by which a visit has no owner."""
    acts = {recorded.id: recorded.piece for recorded in parted.operations}
    links = (taken.link for taken in parted.taken if taken.link.source == record.id)
    return next((acts.get(link.retracted_by or "") for link in links), None)


def _met(parted: Parted) -> Iterator[str]:
    latest = {boundary.opening: boundary for boundary in reversed(parted.boundaries)}
    for opening, text in _BOUNDARIES.items():
        if opening in latest:
            yield text.format(day=day(latest[opening].at))
    if parted.shares_device:
        yield "They were seen on the same device, which tells where they were, and never who."


def _nothing(parted: Parted) -> Iterator[str]:
    known = parted.a.known is not None and parted.b.known is not None
    if known and not (parted.judgements or parted.withdrawn or parted.reviews):
        yield "Nothing that was sent names both."


def _identifier_of(parted: Parted) -> str | None:
    named = (end.identifier for end in (parted.a, parted.b) if end.identifier is not None)
    return next((word_for(identifier.type) for identifier in named), None)


def _who(act: Operation) -> str:
    return "Somebody here" if act.actor is None else f"Somebody here ({act.actor})"
