"""Each signal fires where it should, does not where it should not, and says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from graphid.identity.state import LinkState
from graphid.identity.values import SECOND, Assurance
from graphid.service.clusters import signals
from graphid.service.clusters.records import Node, NodeKind, Use
from graphid.service.clusters.signals import (
    DAY,
    MINUTE,
    SOON,
    Claim,
    Signal,
    SignalKind,
    Succession,
)
from graphid.service.links import NamedIdentifier

START = 1_790_000_000 * SECOND


def use(
    person: str,
    at: int,
    *,
    device: str | None = "d",
    cookie: str | None = None,
    ended_at: int | None = None,
    assurance: Assurance = Assurance.CLAIMED,
) -> Use:
    """A use so many microseconds after the start; without a device, of the cookie itself."""
    cookie = cookie or f"c-{person}"
    return Use(
        place=Node(NodeKind.COOKIE, cookie) if device is None else Node(NodeKind.DEVICE, device),
        person=person,
        link=f"link_{person}_{device or cookie}_{at}",
        cookie=cookie,
        state=LinkState.ACTIVE,
        assurance=assurance,
        at=START + at,
        ended_at=None if ended_at is None else START + ended_at,
    )


def newest_first(uses: Sequence[Use]) -> list[Use]:
    return sorted(uses, key=lambda one: -one.at)


def people(count: int, apart: int) -> list[Use]:
    """So many people, each once, so far apart."""
    return newest_first([use(f"p{number}", number * apart) for number in range(count)])


# ---------------------------------------------------------------------- many people on a device


def test_a_household_is_not_many() -> None:
    assert signals.many_people("d", people(4, DAY), is_cut=False) is None


def test_more_than_a_household_is_many() -> None:
    found = signals.many_people("d", people(8, DAY), is_cut=False)
    assert found == Signal(
        SignalKind.MANY_PEOPLE_ON_DEVICE,
        0.5,
        "8 people identified themselves on this device; a household has about 4.",
        ("d", *(f"link_p{number}_d_{number * DAY}" for number in range(7, -1, -1))),
    )


def test_one_person_who_comes_again_is_one() -> None:
    uses = newest_first([use("p", number * DAY) for number in range(50)])
    assert signals.many_people("d", uses, is_cut=False) is None


def test_where_a_list_is_cut_it_says_so_and_the_evidence_is_bounded() -> None:
    found = signals.many_people("d", people(40, DAY), is_cut=True)
    assert found is not None
    assert found.score == 0.9
    assert found.explanation.startswith("At least 40 people ")
    assert len(found.evidence) == 1 + signals.EVIDENCE_SHOWN


# ---------------------------------------------------------------------- new people within a day


@pytest.mark.parametrize(("count", "apart"), [(2, MINUTE), (10, DAY // 2), (3, DAY // 2)])
def test_two_new_people_a_day_are_usual(count: int, apart: int) -> None:
    assert signals.new_people("d", people(count, apart), is_cut=False) is None


def test_more_are_not() -> None:
    uses = newest_first([*people(4, MINUTE), use("p0", 5 * DAY), use("other", 9 * DAY)])
    found = signals.new_people("d", uses, is_cut=False)
    assert found is not None
    assert (found.kind, found.score) == (SignalKind.NEW_PEOPLE_WITHIN_A_DAY, 0.5)
    assert found.evidence == ("d", *(f"link_p{n}_d_{n * MINUTE}" for n in (3, 2, 1, 0)))
    assert found.explanation == (
        "4 people identified themselves on this device for the first time within 24 hours, up to "
        "21 September 2026, 14:16 UTC."
    )


def test_people_who_were_there_before_are_not_new() -> None:
    uses = newest_first([*people(8, DAY // 2), *(use(f"p{n}", 30 * DAY + n) for n in range(8))])
    assert signals.new_people("d", uses, is_cut=False) is None


# ---------------------------------------------------------------------- a login after another


def soon(uses: Sequence[Use], last: Callable[[str, int], int | None]) -> Signal | None:
    """The signal where something last happened on each cookie as ``last`` says."""
    found = []
    for pair in signals.pairs_of(newest_first(uses)):
        at = last(pair.before.cookie, pair.after.at - START)
        one = signals.succession_of(pair, None if at is None else START + at)
        if one is not None:
            found.append(one)
    return signals.soon_after("d", found)


def test_a_login_soon_after_anothers_session() -> None:
    found = soon([use("a", 0), use("b", 60 * MINUTE)], lambda _cookie, _at: 58 * MINUTE)
    assert found is not None
    assert (found.kind, found.score) == (SignalKind.LOGIN_SOON_AFTER_ANOTHER, 0.8)
    assert found.evidence == ("d", "link_a_d_0", f"link_b_d_{60 * MINUTE}")
    assert "two minutes after somebody else was active there" in found.explanation


@pytest.mark.parametrize(
    "uses",
    [
        [use("a", 0), use("a", 60 * MINUTE)],
        [use("a", 0, ended_at=30 * MINUTE), use("b", 60 * MINUTE)],
        [use("b", -DAY), use("a", 0), use("b", 60 * MINUTE)],
        [use("b", 60 * MINUTE)],
    ],
    ids=["the same person", "the other left long before", "who was there before", "nobody else"],
)
def test_no_login_soon_after_another(uses: list[Use]) -> None:
    assert soon(uses, lambda _cookie, _at: 58 * MINUTE) is None


def test_what_happened_long_before_or_never_is_not_soon() -> None:
    uses = [use("a", 0), use("b", 60 * MINUTE)]
    assert soon(uses, lambda _cookie, at: at - SOON) is None
    assert soon(uses, lambda _cookie, _at: None) is None


def test_what_the_next_one_did_before_their_login_is_not_the_others() -> None:
    # On one cookie: the other left, and whoever came next browsed a while before the login.
    uses = [
        use("a", 0, cookie="c", ended_at=55 * MINUTE),
        use("b", 60 * MINUTE, cookie="c"),
    ]
    found = soon(uses, lambda _cookie, _at: 59 * MINUTE)
    assert found is not None
    assert found.score == 0.5


def test_the_closest_counts_and_the_others_are_told() -> None:
    uses = [use("a", 0), use("b", MINUTE), use("c", 9 * MINUTE)]
    found = soon(uses, lambda cookie, _at: {"c-a": 0, "c-b": 4 * MINUTE}[cookie])
    assert found is not None
    assert found.score == 0.9
    assert found.explanation.endswith("; 2 logins there were as close to another's visit.")


def test_few_of_many_uses_are_held_against_a_login() -> None:
    uses = newest_first([use(f"p{n}", n * MINUTE) for n in range(400)])
    assert len(signals.pairs_of(uses)) == signals.SUCCESSIONS * signals.BEFORE


def test_what_is_known_to_lie_closest_is_looked_at_first() -> None:
    uses = [
        use("a", 0),
        use("b", MINUTE, ended_at=98 * MINUTE),
        use("c", 2 * MINUTE),
        use("d", 100 * MINUTE),
    ]
    # How long somebody who never left was there is not known, so their login counts.
    assert [
        (one.before.person, one.after.person) for one in signals.pairs_of(newest_first(uses))
    ] == [
        ("b", "c"),
        ("a", "b"),
        ("b", "d"),
        ("a", "c"),
        ("c", "d"),
        ("a", "d"),
    ]


def test_a_gap_below_nothing_is_none() -> None:
    one = Succession(use("a", 0), use("b", MINUTE), gap=-MINUTE)
    assert signals.soon_after("d", [one]) is None


# ---------------------------------------------------------------------- an identifier

JO = NamedIdentifier("identifier_1", "email", "jo@x.example")


@pytest.mark.parametrize("devices", [1, 8])
def test_an_identifier_on_a_persons_devices(devices: int) -> None:
    claims = [Claim(f"m{n}", f"d{n % devices}") for n in range(40)]
    assert signals.identifier_on_many_devices(JO, claims, is_cut=False) is None


def test_an_identifier_on_many_devices_is_told_without_its_value() -> None:
    claims = [Claim(f"m{n:02}", f"d{n}") for n in range(16)]
    found = signals.identifier_on_many_devices(JO, claims, is_cut=False)
    assert found is not None
    assert (found.kind, found.score) == (SignalKind.IDENTIFIER_ON_MANY_DEVICES, 0.5)
    assert found.explanation == (
        "One e-mail address was named on 16 devices; a person has about 8 at most."
    )
    assert found.evidence == ("identifier_1", *(f"m{n:02}" for n in range(10)))


def test_each_device_that_named_it_is_evidence_once() -> None:
    claims = [Claim(f"m{n:02}", f"d{n // 2}") for n in range(24)]
    found = signals.identifier_on_many_devices(JO, claims, is_cut=True)
    assert found is not None
    assert found.explanation.startswith("One e-mail address was named on at least 12 devices;")
    assert found.evidence == ("identifier_1", *(f"m{2 * n:02}" for n in range(10)))


# ---------------------------------------------------------------------- a person


def on_devices(count: int, apart: int) -> list[Use]:
    return newest_first([use("p", n * apart, device=f"d{n}") for n in range(count)])


@pytest.mark.parametrize(
    "uses", [[], on_devices(8, MINUTE), on_devices(40, 5 * DAY)], ids=["none", "few", "slowly"]
)
def test_a_person_on_few_devices_at_a_time(uses: list[Use]) -> None:
    assert signals.person_on_many_devices("p", uses, is_cut=False) is None


def test_a_person_on_many_devices() -> None:
    found = signals.person_on_many_devices("p", on_devices(32, MINUTE), is_cut=False)
    assert found is not None
    assert (found.kind, found.score) == (SignalKind.PERSON_ON_MANY_DEVICES, 0.75)
    assert found.explanation == (
        "This person identified themselves on 32 devices within 30 days, up to 21 September 2026, "
        "14:44 UTC; 8 would be many."
    )
    assert found.evidence[:2] == ("p", f"link_p_d31_{31 * MINUTE}")


def test_it_is_told_however_long_ago_it_was() -> None:
    uses = newest_first([*on_devices(12, MINUTE), use("p", 100 * DAY, device="now")])
    found = signals.person_on_many_devices("p", uses, is_cut=True)
    assert found is not None
    assert found.explanation.startswith("This person identified themselves on at least 12 devices ")
    assert "up to 21 September 2026, 14:24 UTC;" in found.explanation
    assert found.evidence == ("p", *(f"link_p_d{n}_{n * MINUTE}" for n in range(11, 1, -1)))


def test_of_several_times_on_many_devices_the_most_count_and_then_the_latest() -> None:
    def told(*counts: int) -> str:
        """The first link that is named after so many devices in one month after the other."""
        uses = [
            use("p", month * 40 * DAY + n, device=f"d{n}")
            for month, count in enumerate(counts)
            for n in range(count)
        ]
        found = signals.person_on_many_devices("p", newest_first(uses), is_cut=False)
        assert found is not None
        return found.evidence[1]

    assert told(9, 12, 10) == f"link_p_d11_{40 * DAY + 11}"
    assert told(9, 9, 9) == f"link_p_d8_{80 * DAY + 8}"


def test_a_browser_that_clears_its_cookies_is_not_many_devices() -> None:
    uses = newest_first([use("p", n * MINUTE, device=None, cookie=f"c{n}") for n in range(12)])
    assert signals.person_on_many_devices("p", uses, is_cut=False) is None
    assert claims_of(*uses, is_vouched_for=True) is None


VERIFIED = Assurance.VERIFIED


def claims_of(*uses: Use, is_vouched_for: bool = False, is_cut: bool = False) -> Signal | None:
    return signals.claims_never_verified(
        "p", newest_first(uses), is_vouched_for=is_vouched_for, is_cut=is_cut
    )


def on(count: int, assurance: Assurance) -> list[Use]:
    """A use of each of so many devices."""
    return [
        use("p", n * DAY, device=f"{assurance.name}{n}", assurance=assurance)
        for n in range(1, count + 1)
    ]


def test_a_device_that_only_claims_while_another_was_vouched_for() -> None:
    found = claims_of(
        use("p", 0, device="own", assurance=VERIFIED),
        use("p", MINUTE, device="own"),
        *on(3, Assurance.CLAIMED),
    )
    assert found is not None
    assert (found.kind, found.score) == (SignalKind.CLAIMS_NEVER_VERIFIED, 0.75)
    assert found.evidence == ("p", *(f"link_p_CLAIMED{n}_{n * DAY}" for n in (3, 2, 1)))


def test_devices_that_only_claim_to_be_somebody_whom_none_is_vouched_to_be() -> None:
    found = claims_of(*on(6, Assurance.CLAIMED), is_vouched_for=True)
    assert found is not None
    # As if one other device were vouched for.
    assert found.score == round(6 / 7, 3)
    on_a_cookie = use("p", 0, device=None, assurance=VERIFIED)
    same = claims_of(*on(6, Assurance.CLAIMED), on_a_cookie, is_vouched_for=True)
    assert same == found


@pytest.mark.parametrize(
    ("claimed", "vouched", "is_cut", "sentence"),
    [
        (
            6,
            1,
            False,
            "On 6 devices a browser claimed to be this person and nothing vouched for it there; on "
            "1 other device a login or a server did.",
        ),
        (
            1,
            2,
            False,
            "On 1 device a browser claimed to be this person and nothing vouched for it there; on "
            "2 other devices a login or a server did.",
        ),
        (
            2,
            0,
            False,
            "On 2 devices a browser claimed to be this person and nothing vouched for it there; "
            "the person is vouched for, but on no device.",
        ),
        (
            1,
            0,
            True,
            "On 1 device a browser claimed to be this person and nothing vouched for it there; the "
            "person is vouched for, but on no device, as far as the latest 1 uses tell.",
        ),
    ],
)
def test_claims_are_told_in_a_sentence(
    claimed: int, vouched: int, is_cut: bool, sentence: str
) -> None:
    uses = [*on(claimed, Assurance.CLAIMED), *on(vouched, VERIFIED)]
    found = claims_of(*uses, is_vouched_for=True, is_cut=is_cut)
    assert found is not None
    assert found.explanation == sentence


@pytest.mark.parametrize(
    "assurances",
    [(Assurance.CLAIMED,) * 3, (VERIFIED,) * 3, (VERIFIED, Assurance.ASSERTED)],
    ids=["claims are all there is", "all verified", "a server vouched"],
)
def test_claims_that_stand_out_nowhere(assurances: tuple[Assurance, ...]) -> None:
    uses = [
        use("p", -n, device=f"d{n}", assurance=assurance) for n, assurance in enumerate(assurances)
    ]
    assert claims_of(*uses, is_vouched_for=assurances[0] is VERIFIED) is None


# ---------------------------------------------------------------------- all of them


def test_the_highest_score_comes_first_and_ties_have_an_order() -> None:
    def told(kind: SignalKind, score: float, *evidence: str) -> Signal:
        return Signal(kind, score, "", evidence)

    low = told(SignalKind.MANY_PEOPLE_ON_DEVICE, 0.1, "a")
    one = told(SignalKind.NEW_PEOPLE_WITHIN_A_DAY, 0.5, "b")
    two = told(SignalKind.NEW_PEOPLE_WITHIN_A_DAY, 0.5, "c")
    other = told(SignalKind.CLAIMS_NEVER_VERIFIED, 0.5, "z")
    assert signals.ranked([low, None, two, one, other]) == [other, one, two, low]
