"""What a caller's messages count as."""

from __future__ import annotations

from graphid.auth.keys import Caller
from graphid.identity.values import Assurance
from graphid.service.messages import Sender


def sender_of(caller: Caller) -> Sender:
    """The caller as a sender: a browser may only claim, a server asserts."""
    assurance = Assurance.CLAIMED if caller.is_browser else Assurance.ASSERTED
    return Sender(name=caller.name, assurance=assurance, is_browser=caller.is_browser)
