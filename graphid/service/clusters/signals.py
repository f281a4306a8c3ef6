"""Signals: facts about a cluster that are worth a human's look. None of them proves anything.

Each is a pure function of what was read: the uses of a device or of a person, the latest first, or
from where an identifier was named. The score is from 0 to 1 and says how far it is from what is
usual, not how likely fraud is: of what is counted ``1 - usual / count``, so 0.5 at twice and 0.9
at ten times the usual; of times ``1 - gap / SOON``; of claims their share of the devices. The
numbers that count as usual are the constants below. The evidence begins with the node that it is
about; then come links, the latest first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from graphid.identity.values import SECOND, Assurance, Micros
from graphid.service.clusters.records import Node, NodeKind, Use
from graphid.service.explanations import day, span, word_for
from graphid.service.links import NamedIdentifier
from graphid.service.people import PersonRecord

MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE

USUAL_PEOPLE = 4
"""On one device: a household with its tablet."""

USUAL_NEW_PEOPLE = 2
"""On one device within a day: two of a household try a new app. A third has seldom a reason."""

SOON = 10 * MINUTE
"""From one person's last act on a device to another's login there: enough to hand it over is a
minute, and after ten it was more likely lying about."""

USUAL_CLAIMING_DEVICES = 8
"""From which one identifier was named: phone, tablet, two computers, each with two browsers."""

USUAL_DEVICES = 8
"""Of one person within :data:`DEVICES_WITHIN`. A browser that forgets its device each week adds
four a month to the few that a person has."""

DEVICES_WITHIN = 30 * DAY

EVIDENCE_SHOWN = 10
"""How many links a signal names beside the node that it is about."""

SUCCESSIONS = 20
"""Of one device: how many logins, the latest, are held against who was there before."""

BEFORE = 3
"""How many uses before such a login are looked at, the latest, each on a cookie of its own."""


class SignalKind(StrEnum):
    MANY_PEOPLE_ON_DEVICE = "MANY_PEOPLE_ON_DEVICE"
    NEW_PEOPLE_WITHIN_A_DAY = "NEW_PEOPLE_WITHIN_A_DAY"
    LOGIN_SOON_AFTER_ANOTHER = "LOGIN_SOON_AFTER_ANOTHER"
    IDENTIFIER_ON_MANY_DEVICES = "IDENTIFIER_ON_MANY_DEVICES"
    PERSON_ON_MANY_DEVICES = "PERSON_ON_MANY_DEVICES"
    CLAIMS_NEVER_VERIFIED = "CLAIMS_NEVER_VERIFIED"


@dataclass(frozen=True, slots=True)
class Signal:
    """``evidence``: ids of nodes, links, and of the messages that identifies came with."""

    kind: SignalKind
    score: float
    explanation: str
    evidence: tuple[str, ...]


class Pair(NamedTuple):
    """Two uses of one device by two people, ``after`` begun later."""

    before: Use
    after: Use


class Succession(NamedTuple):
    """As a pair; ``gap``: from the last that happened of the one to the login of the other."""

    before: Use
    after: Use
    gap: Micros


class Claim(NamedTuple):
    """An identify that named an identifier: which it was, and a device that it came from."""

    evidence: str
    device: str


# ---------------------------------------------------------------------- of a device


def many_people(device: str, uses: Sequence[Use], *, is_cut: bool) -> Signal | None:
    """More people on a device than a household has. ``is_cut``: there are more uses than these."""
    people = {use.person for use in uses}
    if len(people) <= USUAL_PEOPLE:
        return None
    return Signal(
        SignalKind.MANY_PEOPLE_ON_DEVICE,
        _above(len(people), USUAL_PEOPLE),
        f"{_at_least(len(people), is_cut)} people identified themselves on this device; a "
        f"household has about {USUAL_PEOPLE}.",
        _evidence(device, uses),
    )


def new_people(device: str, uses: Sequence[Use], *, is_cut: bool) -> Signal | None:
    """Many people for the first time on a device within one day.

    Where the list is cut, somebody may have been there before; the sentence says so.
    """
    firsts = first_uses(uses)  # the latest first
    times = [-use.at for use in firsts]
    # For each as the latest of a day: how many lie within the day before it.
    counts = [bisect_left(times, DAY - use.at) - index for index, use in enumerate(firsts)]
    most = max(counts, default=0)
    if most <= USUAL_NEW_PEOPLE:
        return None
    latest = counts.index(most)
    within = firsts[latest : latest + most]
    return Signal(
        SignalKind.NEW_PEOPLE_WITHIN_A_DAY,
        _above(most, USUAL_NEW_PEOPLE),
        f"{most} people identified themselves on this device for the first time within 24 hours, "
        f"up to {day(within[0].at)}{_as_far_as(uses, is_cut)}.",
        _evidence(device, within),
    )


def pairs_of(uses: Sequence[Use]) -> list[Pair]:
    """The first logins of people on a device, each with who may have been there shortly before;
    those first of which is known that they lie closest together."""
    pairs: list[Pair] = []
    for after in first_uses(uses)[:SUCCESSIONS]:
        before: dict[str, Use] = {}
        for use in uses:
            is_over = use.ended_at is not None and use.ended_at <= after.at - SOON
            if use.person == after.person or use.at >= after.at or is_over:
                continue
            before.setdefault(use.cookie, use)
            if len(before) == BEFORE:
                break
        pairs += (Pair(use, after) for use in before.values())
    return sorted(pairs, key=_known_gap)


def soon_after(device: str, successions: Sequence[Succession]) -> Signal | None:
    """Somebody new logged in where somebody else had just been. The closest counts."""
    close = sorted(
        (one for one in successions if 0 <= one.gap < SOON),
        key=lambda one: (one.gap, -one.after.at, one.after.link, one.before.link),
    )
    if not close:
        return None
    closest = close[0]
    logins = len({one.after.link for one in close})
    others = "" if logins == 1 else f"; {logins} logins there were as close to another's visit"
    return Signal(
        SignalKind.LOGIN_SOON_AFTER_ANOTHER,
        round(1 - closest.gap / SOON, 3),
        "A person identified themselves on this device for the first time "
        f"{span(closest.gap)} after somebody else was active there, on "
        f"{day(closest.after.at)}{others}.",
        _evidence(device, [use for one in close for use in (one.before, one.after)]),
    )


# ---------------------------------------------------------------------- of an identifier


def identifier_on_many_devices(
    identifier: NamedIdentifier, claims: Sequence[Claim], *, is_cut: bool
) -> Signal | None:
    """One identifier was named from more devices than a human has. ``claims``: the latest first."""
    devices: dict[str, str] = {}
    for claim in claims:
        devices.setdefault(claim.device, claim.evidence)
    if len(devices) <= USUAL_CLAIMING_DEVICES:
        return None
    return Signal(
        SignalKind.IDENTIFIER_ON_MANY_DEVICES,
        _above(len(devices), USUAL_CLAIMING_DEVICES),
        f"One {word_for(identifier.type)} was named on {_at_least(len(devices), is_cut).lower()} "
        f"devices; a person has about {USUAL_CLAIMING_DEVICES} at most.",
        (identifier.id, *list(dict.fromkeys(devices.values()))[:EVIDENCE_SHOWN]),
    )


# ---------------------------------------------------------------------- of a person


def person_on_many_devices(person: str, uses: Sequence[Use], *, is_cut: bool) -> Signal | None:
    """A person identified themselves on more devices within a month than anybody has."""
    within = _on_most_places(_on_devices(uses), DEVICES_WITHIN)
    devices = len({use.place for use in within})
    if devices <= USUAL_DEVICES:
        return None
    return Signal(
        SignalKind.PERSON_ON_MANY_DEVICES,
        _above(devices, USUAL_DEVICES),
        f"This person identified themselves on {_at_least(devices, is_cut).lower()} devices within "
        f"{DEVICES_WITHIN // DAY} days, up to {day(within[0].at)}; {USUAL_DEVICES} would be many.",
        _evidence(person, within),
    )


def claims_never_verified(
    person: str, uses: Sequence[Use], *, is_vouched_for: bool, is_cut: bool
) -> Signal | None:
    """Devices that only ever claimed to be a person who is known by more than claims.

    Where nobody was ever vouched for, claims are all there is, and stand out nowhere. Where it was
    on no device (:func:`is_vouched_for`), it counts as one.
    """
    placed = _on_devices(uses)
    vouched = {use.place for use in placed if use.assurance > Assurance.CLAIMED}
    claims = [use for use in placed if use.place not in vouched]
    claimed = {use.place for use in claims}
    if not claimed or not (vouched or is_vouched_for):
        return None
    known = (
        f"on {_devices(len(vouched), 'other ')} a login or a server did"
        if vouched
        else "the person is vouched for, but on no device"
    )
    return Signal(
        SignalKind.CLAIMS_NEVER_VERIFIED,
        round(len(claimed) / (len(claimed) + max(len(vouched), 1)), 3),
        f"On {_devices(len(claimed))} a browser claimed to be this person and nothing vouched for "
        f"it there; {known}{_as_far_as(uses, is_cut)}.",
        _evidence(person, claims),
    )


def is_vouched_for(person: PersonRecord) -> bool:
    """Whether more than claims says that there is such a person: a record, an operator, a server
    or a login."""
    return any(
        contact.is_record
        or contact.state == "CURATED"
        or any(held.assurance > Assurance.CLAIMED for held in contact.identifiers)
        for contact in person.contacts
    )


# ---------------------------------------------------------------------- what they share


def first_uses(uses: Iterable[Use]) -> list[Use]:
    """Of each person the first use that is known, the latest of them first."""
    firsts: dict[str, Use] = {}
    for use in uses:
        first = firsts.get(use.person)
        if first is None or use.at <= first.at:
            firsts[use.person] = use
    return sorted(firsts.values(), key=lambda use: (-use.at, use.link))


def ranked(signals: Iterable[Signal | None]) -> list[Signal]:
    """Those that there are, the highest score first."""
    found = [signal for signal in signals if signal is not None]
    return sorted(found, key=lambda signal: (-signal.score, signal.kind, signal.evidence))


def places_of(pairs: Iterable[Pair]) -> list[tuple[str, Micros]]:
    """The cookies and moments of which is to be known what happened there last before."""
    return list(dict.fromkeys((pair.before.cookie, pair.after.at) for pair in pairs))


def succession_of(pair: Pair, last: Micros | None) -> Succession | None:
    """The pair with its gap. ``last``: when something last happened on the cookie of the one
    before the other's login; None: nothing did."""
    if last is None:
        return None
    ended = pair.before.ended_at
    return Succession(*pair, gap=pair.after.at - (last if ended is None else min(last, ended)))


def _known_gap(pair: Pair) -> Micros:
    """How long before the other's login the one was there for certain: what happened on the cookie
    since is not read yet."""
    before, after = pair
    if before.ended_at is not None and before.ended_at < after.at:
        return after.at - before.ended_at
    return after.at - before.at


def _on_most_places(uses: Sequence[Use], within: Micros) -> Sequence[Use]:
    """The uses within so long that lie on the most places, the latest of several times."""
    found, most = uses[:0], 0
    places: Counter[Node] = Counter()
    end = 0
    for index, latest in enumerate(uses):
        while end < len(uses) and uses[end].at > latest.at - within:
            places[uses[end].place] += 1
            end += 1
        if len(places) > most:
            found, most = uses[index:end], len(places)
        places[latest.place] -= 1
        if not places[latest.place]:
            del places[latest.place]
    return found


def _on_devices(uses: Iterable[Use]) -> list[Use]:
    """Those whose device is known: a browser that clears its cookies is not as many devices."""
    return [use for use in uses if use.place.kind is NodeKind.DEVICE]


def _above(count: int, usual: int) -> float:
    return round(1 - usual / count, 3)


def _at_least(count: int, is_cut: bool) -> str:
    return f"At least {count}" if is_cut else str(count)


def _devices(count: int, which: str = "") -> str:
    return f"{count} {which}device{'' if count == 1 else 's'}"


def _as_far_as(uses: Sequence[Use], is_cut: bool) -> str:
    return f", as far as the latest {len(uses)} uses tell" if is_cut else ""


def _evidence(node: str, uses: Iterable[Use]) -> tuple[str, ...]:
    links = dict.fromkeys(use.link for use in uses)
    return (node, *list(links)[:EVIDENCE_SHOWN])
