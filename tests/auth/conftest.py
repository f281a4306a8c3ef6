"""A provider that lies, and what graphid asks it with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from graphid.auth.key_sets import KeySets
from graphid.auth.outbound import Outbound
from graphid.auth.tokens import IdTokens
from tests.auth.lying_provider import NOW, LyingProvider, lying_provider


class Clock:
    """Stands still until a test moves it on."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def provider() -> Iterator[LyingProvider]:
    with lying_provider() as provider:
        yield provider


@pytest.fixture
def clock() -> Clock:
    """The one that says how old a key set is."""
    return Clock()


@pytest.fixture(scope="session")
async def outbound() -> AsyncIterator[Outbound]:
    outbound = Outbound()
    yield outbound
    await outbound.aclose()


@pytest.fixture
async def key_sets(outbound: Outbound, clock: Clock) -> AsyncIterator[KeySets]:
    key_sets = KeySets(outbound, clock)
    yield key_sets
    await key_sets.aclose()


@pytest.fixture
def id_tokens(key_sets: KeySets) -> IdTokens:
    return IdTokens(key_sets, lambda: NOW)
