"""What resolvers call, for tests that have only some of it."""

from __future__ import annotations

from typing import Any

from graphid.api.context import Services
from graphid.auth.keys import Caller
from graphid.service.messages import AuthenticateChat, Identify
from graphid.service.vouching import Authenticated


class NobodyVouches:
    """Where no token is looked at: an identify is what its sender says."""

    async def identify(self, message: Identify, caller: Caller) -> Identify:
        assert message.id_token is None
        assert message.signed_identity is None
        return message

    async def authenticate_chat(self, asked: AuthenticateChat, caller: Caller) -> Authenticated:
        raise AssertionError("nobody vouches here")


def services(
    *,
    reads: Any = None,
    ingest: Any = None,
    operations: Any = None,
    vouching: Any = None,
    keys: Any = None,
    providers: Any = None,
    feed: Any = None,
    news: Any = None,
    past: Any = None,
) -> Services:
    """These; what is left out must not be called, but that nobody vouches."""
    return Services(
        reads=reads,
        ingest=ingest,
        operations=operations,
        vouching=vouching or NobodyVouches(),
        keys=keys,
        providers=providers,
        feed=feed,
        news=news,
        past=past,
    )
