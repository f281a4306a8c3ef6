"""What providers publish about themselves: where they are asked, and the keys that they sign with.

Kept for an hour, and then asked for again while the old is still used. A key that is not known
makes them be asked again at once, but at most once a minute, however many tokens name one; and
what was got is never given up for something empty or broken. Where they are asked is known only
with the keys: without keys, nothing that is asked there could be believed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from graphid.auth.compact import Claims, Unproven, refused
from graphid.auth.outbound import Outbound
from graphid.auth.providers import Provider
from graphid.auth.public_keys import UnusableKey, VerifyingKey, key_of_jwk
from graphid.errors import Refused

FRESH = 3600.0
"""Seconds for which what is published is taken for true without asking again."""
COOL_DOWN = 60.0
"""Seconds from the end of one question to the next, at least."""
RETRY = 5.0
"""The same while there is no key yet: nobody can log in until there is."""
MAX_KEYS = 100
"""Keys in a set, at most."""
CONFIGURATION = "/.well-known/openid-configuration"

log = structlog.get_logger()


@dataclass(frozen=True)
class Published:
    """A provider's discovery document, as far as it is used."""

    key_set: str
    token_endpoint: str | None


class _Kept:
    """What is known of one provider."""

    def __init__(self) -> None:
        self.published: Published | None = None
        self.keys: tuple[VerifyingKey, ...] = ()
        self.fault = "The provider was not asked yet."
        self.fresh_until = float("-inf")
        self.asked_again_at = float("-inf")
        self.asking: asyncio.Task[None] | None = None


class KeySets:
    """The keys of every provider. One for the process; close it with the process."""

    def __init__(self, outbound: Outbound, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock``: seconds, from any beginning, never backwards."""
        self._outbound = outbound
        self._clock = clock
        self._kept: dict[tuple[str, frozenset[str]], _Kept] = {}

    async def aclose(self) -> None:
        """Give up what is being asked for."""
        tasks = [kept.asking for kept in self._kept.values() if kept.asking is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def published(self, provider: Provider) -> Published:
        """The provider's discovery document. Raises Refused where it, or a key, cannot be had."""
        kept = await self._known(provider)
        if kept.published is None:
            raise refused(kept.fault)
        return kept.published

    async def require(self, provider: Provider) -> None:
        """Raises Refused, with the reason, where there is no key to verify with."""
        kept = await self._known(provider)
        if not kept.keys:
            raise refused(kept.fault)

    async def proven(self, token: Unproven, provider: Provider) -> Claims:
        """What a token says, where a key of the provider has signed it. Raises Refused."""
        token.require_algorithm(provider.algorithms)
        kept = await self._known(provider)
        fitting = token.fitting(kept.keys)
        proven = token.proven_by(fitting)
        # A key without a name may have been replaced by another without a name.
        if proven is None and (not fitting or token.kid is None):
            await self._ask(provider, kept)
            fitting = token.fitting(kept.keys)
            proven = token.proven_by(fitting)
        if proven is not None:
            return proven
        if not kept.keys:
            raise refused(kept.fault)
        if not fitting:
            raise refused("The token is signed with a key that the provider does not publish.")
        raise refused("The signature of the token is wrong.")

    async def _known(self, provider: Provider) -> _Kept:
        """What is known, after asking where nothing is. What is old is asked for in passing."""
        at = (provider.issuer, provider.allowed_hosts)
        kept = self._kept.setdefault(at, _Kept())
        if not kept.keys:
            await self._ask(provider, kept)
        elif self._clock() >= kept.fresh_until:
            self._asking(provider, kept)
        return kept

    async def _ask(self, provider: Provider, kept: _Kept) -> None:
        if (task := self._asking(provider, kept)) is not None:
            # Whoever gives up waiting leaves the answer to the others.
            await asyncio.shield(task)

    def _asking(self, provider: Provider, kept: _Kept) -> asyncio.Task[None] | None:
        """The one question that is under way, begun where it is time for one."""
        if kept.asking is None and self._clock() >= kept.asked_again_at:
            kept.asking = asyncio.create_task(
                self._renew(provider, kept), name=f"keys of {provider.issuer}"
            )
        return kept.asking

    async def _renew(self, provider: Provider, kept: _Kept) -> None:
        try:
            published = await self._discover(provider)
            answer = await self._outbound.get(published.key_set, provider.allowed_hosts)
            kept.published, kept.keys = published, _keys_of(answer)
        except Refused as error:
            kept.fault = error.message
            log.warning("provider_not_read", issuer=provider.issuer, reason=error.message)
        else:
            kept.fresh_until = self._clock() + FRESH
        finally:
            # From here on, not from when it was asked: a question may take longer than the pause.
            kept.asked_again_at = self._clock() + (COOL_DOWN if kept.keys else RETRY)
            kept.asking = None

    async def _discover(self, provider: Provider) -> Published:
        url = provider.issuer.rstrip("/") + CONFIGURATION
        found = await self._outbound.get(url, provider.allowed_hosts)
        if found.get("issuer") != provider.issuer:
            raise refused("The provider says that it is another issuer.")
        key_set, token_endpoint = found.get("jwks_uri"), found.get("token_endpoint")
        if not isinstance(key_set, str) or not isinstance(token_endpoint, str | None):
            raise refused("The provider does not say where its keys are.")
        return Published(key_set, token_endpoint)


def _keys_of(answer: dict[str, Any]) -> tuple[VerifyingKey, ...]:
    listed = answer.get("keys")
    if not isinstance(listed, list) or not listed:
        raise refused("The provider's key set is empty.")
    if len(listed) > MAX_KEYS:
        raise refused(f"The provider's key set holds more than {MAX_KEYS} keys.")
    keys = tuple(key for jwk in listed if (key := _usable(jwk)) is not None)
    if not keys:
        raise refused("The provider's key set holds no key that can be used.")
    return keys


def _usable(jwk: Any) -> VerifyingKey | None:
    try:
        return key_of_jwk(jwk)
    except UnusableKey:
        return None  # sets hold keys for other ends, too
