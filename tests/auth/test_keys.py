"""The settings' keys: found by what is shown, and never shown again."""

from __future__ import annotations

import pytest

from graphid.auth.keys import Caller, Keys, Signing
from graphid.auth.scopes import BROWSER, SERVER, Scope
from graphid.errors import Forbidden, Unauthorized
from graphid.identity.values import Assurance
from graphid.service.senders import sender_of

KEYS = Keys.of(secret=["sk_secret_1", "sk_secret_2"], publishable=["pk_public_1"])


def test_a_secret_key_asserts_and_holds_every_scope() -> None:
    caller = KEYS.find("sk_secret_2")
    sender = sender_of(caller)
    assert (sender.assurance, sender.is_browser) == (Assurance.ASSERTED, False)
    assert caller.scopes == SERVER


def test_a_publishable_key_claims_and_reads_nothing() -> None:
    caller = KEYS.find("pk_public_1")
    sender = sender_of(caller)
    assert (sender.assurance, sender.is_browser) == (Assurance.CLAIMED, True)
    assert caller.scopes == {Scope.EVENT_WRITE, Scope.CHAT_WRITE}


def test_they_have_no_limits_and_no_origins() -> None:
    for text in ("sk_secret_1", "pk_public_1"):
        caller = KEYS.find(text)
        assert (caller.key_id, caller.origins, caller.limits, caller.signing) == (None,) * 4
        caller.require_origin("https://anywhere.example")


def test_a_name_is_a_fingerprint() -> None:
    names = [KEYS.find(text).name for text in ("sk_secret_1", "sk_secret_2", "pk_public_1")]
    assert len(set(names)) == 3
    assert not any("secret" in name or "public" in name for name in names)
    assert "secret" not in repr(vars(KEYS))


@pytest.mark.parametrize("text", ["", "sk_secret_", "SK_SECRET_1", "sk_secret_1 ", "é"])
def test_anything_else_is_refused(text: str) -> None:
    assert KEYS.get(text) is None
    with pytest.raises(Unauthorized) as caught:
        KEYS.find(text)
    assert "secret" not in str(caught.value)


def test_a_list_of_origins_refuses_others_and_takes_what_names_none() -> None:
    caller = Caller("pk:x", BROWSER, True, origins=frozenset({"https://shop.example"}))
    caller.require_origin("https://shop.example")
    caller.require_origin(None)
    for foreign in ("https://evil.example", "http://shop.example", "null", "", "*"):
        with pytest.raises(Forbidden, match="origin"):
            caller.require_origin(foreign)


def test_what_signs_is_not_printed() -> None:
    signing = Signing("HS256", ("a-secret",))
    assert "a-secret" not in repr(Caller("sk:x", SERVER, False, signing=signing))
