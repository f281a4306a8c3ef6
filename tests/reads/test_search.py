"""What a text may mean, how well a hit fits, and that no sign that was typed reaches the index."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphid.errors import InvalidInput, TooLarge
from graphid.service.search import LONGEST_TEXT, MOST_WORDS, is_key, require_searchable, sought_by


def test_an_identifier_is_meant_in_every_spelling() -> None:
    assert sought_by(" Jane@X.Example ").values == ("Jane@X.Example", "jane@x.example")
    assert "+447700900123" in sought_by("+44 7700 900123").values
    assert "+447700900123" in sought_by("07700 900123", region="GB").values
    assert sought_by("email:Jane@X.example").keys == ("email:jane@x.example",)
    assert sought_by("crm_account_id: 12 ").keys == ("crm_account_id:12",)
    assert sought_by("phone:12").keys == ()
    assert sought_by("\x00").values == ()


def test_without_the_right_to_see_identifiers_none_is_found_by_a_part() -> None:
    sought = sought_by("jane", by_part=False)
    assert sought.identifiers == ()
    assert len(sought.queries) == 1
    assert "words:" not in sought.queries[0]
    assert sought.rank("IDENTIFIER", "jane") is None
    assert sought.rank("EXACT", "") == 0


@pytest.mark.parametrize(
    ("text", "found", "rank"),
    [
        ("jane doe", "jane doe", 2),
        ("doe Jane", "jane doe", 2),
        ("jane", "jane doe", 4),
        ("ja do", "jane doe", 6),
        ("j doe", "jane doe", None),
        ("jane doe smith", "jane doe", None),
        ("ane", "jane doe", None),
        ("王明", "王 小 明", 4),
    ],
)
def test_how_well_a_name_fits(text: str, found: str, rank: int | None) -> None:
    sought = sought_by(text)
    assert sought.rank("NAME", found) == rank
    # A name before an identifier that fits as well.
    assert sought.rank("IDENTIFIER", found) == (None if rank is None else rank + 1)


def test_a_number_is_found_however_it_is_grouped_and_a_type_may_stand_before_it() -> None:
    assert sought_by("+44 77 00").rank("IDENTIFIER", "447700900123") == 7
    assert sought_by("crm: 4477").rank("IDENTIFIER", "447700900123") == 7
    assert sought_by("crm: 4477").rank("NAME", "447700900123") is None


def test_words_behind_the_eighth_are_looked_for_in_what_was_found() -> None:
    words = [f"w{chr(97 + n)}" for n in range(MOST_WORDS + 1)]
    sought = sought_by(" ".join(words))
    assert words[-1] not in " ".join(sought.queries)
    assert sought.rank("NAME", " ".join(words[:-1])) is None
    assert sought.rank("NAME", " ".join(words)) == 2


@given(st.text(max_size=LONGEST_TEXT))
def test_nothing_that_was_typed_means_anything_to_the_index(text: str) -> None:
    for query in sought_by(text).queries:
        rest = re.sub(r"(names|words):[^\W_][^()^* ]*", "", query)
        assert set(rest) <= set("()+*^4 ")
        assert not re.search(r'[\\"~?!{}\[\]/&|-]', query)
        assert query.count("(") == query.count(")")


@pytest.mark.parametrize("text", ["", "   ", "\u3000\n"])
def test_a_blank_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="text must not be blank") as told:
        require_searchable(text)
    assert told.value.path == ("text",)


def test_a_long_text_is_refused_with_the_limit() -> None:
    require_searchable("x" * LONGEST_TEXT)
    with pytest.raises(TooLarge, match=f"at most {LONGEST_TEXT} characters"):
        require_searchable("x" * 10_000)


def test_only_signs_are_looked_for_as_an_identifier_alone() -> None:
    sought = sought_by("***")
    assert (sought.values, sought.queries) == (("***",), [])


def test_keys() -> None:
    assert is_key("00person_abc")
    assert not any(is_key(key) for key in ("", "0person_a", "00contact_a", "xxperson_a"))
