"""What it takes to validate a token whose key is known."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from statistics import median
from time import perf_counter

from joserfc.jwk import Key

from graphid.auth.key_sets import KeySets
from graphid.auth.outbound import Outbound
from graphid.auth.providers import Provider
from graphid.auth.tokens import IdTokens
from tests.auth.lying_provider import EC, ED, NOW, RSA, LyingProvider, lying_provider

KEYS: Mapping[str, Key] = {"RS256": RSA, "ES256": EC, "EdDSA": ED}


def milliseconds_of_a_validation(times: int = 1000) -> Mapping[str, float]:
    """The median for each algorithm, of so many ID tokens with different subjects."""
    with lying_provider() as lying:
        return asyncio.run(_measured(lying, times))


async def _measured(lying: LyingProvider, times: int) -> Mapping[str, float]:
    outbound = Outbound()
    tokens, provider = IdTokens(KeySets(outbound), lambda: NOW), lying.set_up()
    found = {}
    for name, key in KEYS.items():
        made = [
            lying.token(key=key, sub=f"user-{n}", email=f"{n}@example.com", email_verified=True)
            for n in range(times)
        ]
        await tokens.validate(made[0], provider)
        found[name] = median([await _taken(tokens, token, provider) for token in made])
    await outbound.aclose()
    return found


async def _taken(tokens: IdTokens, token: str, provider: Provider) -> float:
    started = perf_counter()
    await tokens.validate(token, provider)
    return (perf_counter() - started) * 1000
