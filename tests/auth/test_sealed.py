"""Secrets that are sealed: only the key opens them, and nothing that was changed."""

from __future__ import annotations

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey, RSAKey

from graphid.auth.sealed import KEY_BYTES, CannotOpen, seal, unseal
from graphid.identity.ids import Ids
from tests.keys import IDS

KEY = IDS.sealing_key("this")


@pytest.mark.parametrize("secret", ["", "a secret", "ü€😀", "x" * 10_000])
def test_the_key_opens_what_it_sealed(secret: str) -> None:
    assert len(KEY) == KEY_BYTES
    assert unseal(seal(secret, KEY), KEY) == secret


def test_what_is_sealed_tells_nothing() -> None:
    one, other = seal("a secret", KEY), seal("a secret", KEY)
    assert one != other
    assert "a secret" not in one


def test_another_key_opens_nothing() -> None:
    sealed = seal("a secret", KEY)
    for key in (IDS.sealing_key("that"), Ids(b"another installation").sealing_key("this")):
        with pytest.raises(CannotOpen):
            unseal(sealed, key)


@pytest.mark.parametrize("part", range(5))
def test_what_was_changed_is_not_opened(part: int) -> None:
    parts = seal("a secret", KEY).split(".")
    parts[part] = ("B" if parts[part][:1] == "A" else "A") + parts[part][1:]
    with pytest.raises(CannotOpen):
        unseal(".".join(parts), KEY)


@pytest.mark.parametrize("text", ["", "x", "a.b.c.d.e", "....", "é"])
def test_what_is_not_sealed_is_not_opened(text: str) -> None:
    with pytest.raises(CannotOpen):
        unseal(text, KEY)


def test_only_one_way_of_sealing_is_taken() -> None:
    key = OctKey.import_key(KEY[:16])
    other = jwe.encrypt_compact({"alg": "dir", "enc": "A128GCM"}, b"a secret", key)
    with pytest.raises(CannotOpen):
        unseal(other, KEY[:16])
    pair = RSAKey.generate_key(2048)
    wrapped = jwe.encrypt_compact({"alg": "RSA-OAEP", "enc": "A256GCM"}, b"a secret", pair)
    with pytest.raises(CannotOpen):
        unseal(wrapped, KEY)
