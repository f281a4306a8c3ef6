"""Signals: facts about a cluster that are worth a human's look. None of them proves anything.

Each is a pure function of what was read: the uses of a device or of a person, the latest first, or
from where an identifier was named. The score is from 0 to 1 and says how far it is from what is
usual, not how likely fraud is: of what is counted ``1 - usual / count``, so 0.5 at twice and 0.9
at ten times the usual; of times ``1 - gap / SOON``; of claims their share of the places. The
numbers that count as usual are the constants below. The evidence begins with the node that it is
about; then come links, the latest first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from graphid.identity.values import SECOND, Assurance, Micros
from graphid.service.clusters.records import Use
from graphid.service.explanations import day, span, word_for
from graphid.service.links import NamedIdentifier

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
    """An identify that named an identifier: which it was, and the device that it came from."""

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
    beyond = f", as far as the latest {len(uses)} uses tell" if is_cut else ""
    return Signal(
        SignalKind.NEW_PEOPLE_WITHIN_A_DAY,
        _above(most, USUAL_NEW_PEOPLE),
        f"{most} people identified themselves on this device for the first time within 24 hours, "
        f"up to {day(within[0].at)}{beyond}.",
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
    """One identifier was named from more devices than a human has."""
    devices = {claim.device for claim in claims}
    if len(devices) <= USUAL_CLAIMING_DEVICES:
        return None
    return Signal(
        SignalKind.IDENTIFIER_ON_MANY_DEVICES,
        _above(len(devices), USUAL_CLAIMING_DEVICES),
        f"One {word_for(identifier.type)} was named on {_at_least(len(devices), is_cut).lower()} "
        f"devices; a person has about {USUAL_CLAIMING_DEVICES} at most.",
        (identifier.id, *sorted({claim.evidence for claim in claims})[:EVIDENCE_SHOWN]),
    )


# ---------------------------------------------------------------------- of a person


def person_on_many_devices(person: str, uses: Sequence[Use], *, is_cut: bool) -> Signal | None:
    """A person identified themselves on more devices within a month than anybody has."""
    if not uses:
        return None
    recent = [use for use in uses if use.at > uses[0].at - DEVICES_WITHIN]
    devices = {use.place for use in recent}
    if len(devices) <= USUAL_DEVICES:
        return None
    return Signal(
        SignalKind.PERSON_ON_MANY_DEVICES,
        _above(len(devices), USUAL_DEVICES),
        f"This person identified themselves on {_at_least(len(devices), is_cut).lower()} devices "
        f"within 30 days; {USUAL_DEVICES} would be many.",
        _evidence(person, recent),
    )


def claims_never_verified(person: str, uses: Sequence[Use]) -> Signal | None:
    """Devices that only ever claimed to be a person for whom others are vouched.

    Where nobody was ever vouched for, claims are all there is, and stand out nowhere.
    """
    vouched = {use.place for use in uses if use.assurance > Assurance.CLAIMED}
    claimed = {use.place for use in uses} - vouched
    if not vouched or not claimed:
        return None
    several = "device" if len(claimed) == 1 else "devices"
    return Signal(
        SignalKind.CLAIMS_NEVER_VERIFIED,
        round(len(claimed) / (len(claimed) + len(vouched)), 3),
        f"{len(claimed)} {several} only claimed to be this person, whom no login or server vouched "
        f"for there; on {len(vouched)} other{'' if len(vouched) == 1 else 's'} somebody did.",
        _evidence(person, [use for use in uses if use.place in claimed]),
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


def _above(count: int, usual: int) -> float:
    return round(1 - usual / count, 3)


def _at_least(count: int, is_cut: bool) -> str:
    return f"At least {count}" if is_cut else str(count)


def _evidence(node: str, uses: Iterable[Use]) -> tuple[str, ...]:
    links = dict.fromkeys(use.link for use in uses)
    return (node, *list(links)[:EVIDENCE_SHOWN])
