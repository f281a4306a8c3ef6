"""Keys: found by what is shown, and never shown again."""

from __future__ import annotations

import pytest

from graphid.auth.keys import Keys
from graphid.auth.scopes import Scope
from graphid.errors import Unauthorized
from graphid.identity.values import Assurance
from graphid.service.senders import sender_of

KEYS = Keys.of(secret=["sk_secret_1", "sk_secret_2"], publishable=["pk_public_1"])


def test_a_secret_key_asserts_and_reads() -> None:
    key = KEYS.bearer("Bearer sk_secret_2")
    sender = sender_of(key)
    assert (sender.assurance, sender.is_browser) == (Assurance.ASSERTED, False)
    assert Scope.JOURNEY_VIEW in key.scopes


def test_a_publishable_key_claims_and_reads_nothing() -> None:
    key = KEYS.bearer("bearer  pk_public_1 ")
    sender = sender_of(key)
    assert (sender.assurance, sender.is_browser) == (Assurance.CLAIMED, True)
    assert key.scopes == {Scope.EVENT_WRITE, Scope.CHAT_WRITE}


def test_a_name_is_a_fingerprint() -> None:
    names = [KEYS.find(text).name for text in ("sk_secret_1", "sk_secret_2", "pk_public_1")]
    assert len(set(names)) == 3
    assert not any("secret" in name or "public" in name for name in names)
    assert "secret" not in repr(vars(KEYS))


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic sk_secret_1", "sk_secret_1", "Bearer sk_secret_", "é"],
)
def test_anything_else_is_refused(header: str | None) -> None:
    with pytest.raises(Unauthorized) as caught:
        KEYS.bearer(header)
    assert "secret" not in str(caught.value)
