"""What a key's messages count as."""

from __future__ import annotations

from graphid.auth.keys import Key
from graphid.identity.values import Assurance
from graphid.service.messages import Sender


def sender_of(key: Key) -> Sender:
    """Who sends with the key: a browser may only claim, a server asserts."""
    assurance = Assurance.CLAIMED if key.is_browser else Assurance.ASSERTED
    return Sender(name=key.name, assurance=assurance, is_browser=key.is_browser)
