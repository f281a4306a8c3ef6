"""What is typed meets what is stored, whatever the script."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphid.identity.state import Contact, Hold, Link, LinkKind
from graphid.identity.values import Assurance, TraitValue
from graphid.identity.words import (
    LONGEST_WORD,
    begins,
    words_of,
    words_of_identifier,
    words_of_names,
)


def called(held: str = "", **names: object) -> Contact:
    said = {name: TraitValue(v, Assurance.CLAIMED, 0, "i", "identify") for name, v in names.items()}
    holds = {}
    if held:
        link = Link("l", LinkKind.HAS_IDENTIFIER, "c", held, "NAMED", Assurance.CLAIMED, "i", 0, 0)
        holds[held] = Hold(link)
    return Contact(id="c", made="", evidence="i", made_at=0, traits=said, holds=holds)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Jane  DOE", "jane doe"),
        ("O'Brien-Smith, Ána", "o brien smith ana"),
        ("Jane jane", "jane"),
        ("Łukasz Øster ĐỖ ß Æ", "lukasz oster do ss ae"),
        ("İstanbul ı", "istanbul i"),
        ("Ｊａｎｅ", "jane"),
        ("Καλημέρα Ёлка", "καλημερα елка"),
        ("王小明", "王 小 明"),
        ("김철수", "김 철 수"),
        ("がぎ・ぐ", "が ぎ ぐ"),
        ("प्रिया शर्मा", "प्रिया शर्मा"),
        ("מֹשֶׁה", "משה"),
        ("jane.doe+shop@example.com", "jane doe shop example com"),
        ("+44 7700-900123", "44 7700 900123"),
        ('AND OR NOT "x" a:b* (c) ~ ^2 \\ /r/', "and or not x a b c 2 r"),
        ("🙂 *** --", ""),
        ("\ud800\x00", ""),
        ("", ""),
    ],
)
def test_words(text: str, words: str) -> None:
    assert " ".join(words_of(text)) == words


@given(st.text(max_size=60))
def test_words_are_letters_and_digits_and_the_same_in_every_form(text: str) -> None:
    words = words_of(text)
    assert all(word[0].isalnum() for word in words)
    assert all(c.isalnum() or unicodedata.category(c).startswith("M") for w in words for c in w)
    assert words_of(unicodedata.normalize("NFD", text)) == words_of(
        unicodedata.normalize("NFC", text)
    )
    assert words_of(" ".join(words)) == words


def test_a_long_word_is_cut_on_both_sides() -> None:
    (word,) = words_of("x" * 500)
    assert word == "x" * LONGEST_WORD


def test_a_contact_is_found_by_its_names() -> None:
    assert words_of_names(called(firstName="Ána", lastName="van Dyck")) == "ana van dyck"
    assert words_of_names(called(firstName="Ána", lastName=7, custom={"a": 1})) == "ana"
    assert words_of_names(called()) is None
    assert words_of_names(called(firstName="  ")) is None


def test_what_is_an_identifier_is_no_name() -> None:
    assert words_of_names(called(firstName="jane@x.example", lastName="Doe")) == "doe"
    assert words_of_names(called("user_id:janed", firstName=" JaneD ", lastName="Doe")) == "doe"
    assert words_of_names(called(firstName="+44 7700 900123", lastName="M-12345-Q")) == "m q"


def test_an_identifier_is_found_by_the_words_of_its_value() -> None:
    assert words_of_identifier("email:jane.doe@x.example") == "jane doe x example"
    assert words_of_identifier("url:https://a/b:c") == "https a b c"
    assert words_of_identifier("odd:***") is None


def test_by_a_single_plain_letter_nothing_begins() -> None:
    assert [begins(word) for word in ("j", "7", "ja", "王", "é")] == [
        False,
        False,
        True,
        True,
        True,
    ]
