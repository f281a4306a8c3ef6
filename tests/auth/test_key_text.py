"""The text of a stored key, and the hash that is kept of it."""

from __future__ import annotations

import re

import pytest

from graphid.auth.key_text import SECRET_LENGTH, KeyKind, KeyText, SecretHash, is_key_id


@pytest.mark.parametrize("kind", KeyKind)
def test_a_text_is_read_as_it_was_made(kind: KeyKind) -> None:
    made = KeyText.new(kind)
    assert KeyText.read(str(made)) == made
    assert re.fullmatch(r"(pk|sk)_[a-z0-9]+_[A-Za-z0-9]+", str(made))
    assert str(made).startswith("pk_" if kind is KeyKind.PUBLISHABLE else "sk_")
    assert is_key_id(made.id)


def test_no_two_are_alike_and_the_secret_is_long() -> None:
    made = [KeyText.new(KeyKind.SECRET) for _ in range(200)]
    assert len({key.id for key in made}) == len({key.secret for key in made}) == 200
    assert 62**SECRET_LENGTH > 2**160
    assert len({letter for key in made for letter in key.secret}) == 62


def test_another_secret_for_the_same_id() -> None:
    first = KeyText.new(KeyKind.SECRET)
    second = KeyText.new(KeyKind.SECRET, first.id)
    assert first.id == second.id
    assert first.secret != second.secret


def test_the_secret_is_not_printed() -> None:
    made = KeyText.new(KeyKind.SECRET)
    assert made.secret not in repr(made)


GOOD = f"sk_{'a' * 12}_{'B' * 32}"


@pytest.mark.parametrize(
    "text",
    [
        *("", "sk", "sk_", "sk__", GOOD[3:], GOOD[:-1], GOOD + "B", GOOD + "\n", " " + GOOD),
        *(GOOD.replace("sk", "ak"), GOOD.replace("sk", "SK"), GOOD.replace("a", "A")),
        *(GOOD.replace("_", "-"), GOOD.replace("B" * 32, "é" * 32), GOOD.replace("aa", "a_", 1)),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
    ],
)
def test_anything_else_is_no_such_key(text: str) -> None:
    assert KeyText.read(GOOD) is not None
    assert KeyText.read(text) is None


@pytest.mark.parametrize("text", ["", "a" * 11, "a" * 13, "A" * 12, "a" * 11 + "\n", "é" * 12])
def test_anything_else_is_no_id(text: str) -> None:
    assert not is_key_id(text)


def test_a_hash_is_opened_by_its_secret_alone() -> None:
    hashed = SecretHash.of("secret")
    assert hashed.opens("secret")
    assert not any(hashed.opens(other) for other in ("", "secre", "secrets", "SECRET"))


def test_one_secret_has_many_hashes_and_none_tells_it() -> None:
    one, other = SecretHash.of("secret"), SecretHash.of("secret")
    assert one.salt != other.salt
    assert one.digest != other.digest
    assert not SecretHash(one.salt, other.digest).opens("secret")
    assert "secret" not in repr(one)
    assert (len(one.salt), len(one.digest)) == (32, 64)
