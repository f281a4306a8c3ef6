"""Finding who calls by the key that they show, quickly, and never long after it was revoked.

What the graph keeps of a key is read again where it was read two seconds ago, so that one that was
revoked, rotated or made elsewhere is known here about as soon. Strangers who make keys up cost the
database little: each id is asked for once in that time, many at once, one question at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

import structlog

from graphid.auth.key_text import KeyKind, KeyText, SecretHash
from graphid.auth.keys import Caller, Keys, Signing
from graphid.auth.limits import Limits
from graphid.auth.scopes import Scope
from graphid.errors import Busy, DatabaseUnavailable, GraphidError, Retryable, Unauthorized
from graphid.graph.access_keys import AccessKey, KeyVersion
from graphid.identity.ids import Ids
from graphid.identity.values import SECOND, Micros
from graphid.service.reads import now

log = structlog.get_logger()

FRESH = 2.0
"""Seconds for which what was read of a key is believed without looking again."""

BELIEVED = 5.0
"""Seconds for which it is believed where the database cannot be asked."""

PATIENCE = 2.0
"""Seconds that one look may take."""

MOST_REMEMBERED = 10_000
"""How many keys are remembered, and how many ids that are none."""

MOST_ASKED = 1_000
"""Ids asked for in one question."""

NOTED_EVERY = 60 * SECOND
"""How far apart the uses of a key are that are noted."""

UNKNOWN = "This key is not known."


class StoredKeys(Protocol):
    """``graph.access_keys.AccessKeys``, as far as finding needs it."""

    async def find(self, ids: Sequence[str], *, within: float) -> Mapping[str, AccessKey]: ...
    async def note_use(self, id: str, at: Micros, *, every: Micros) -> None: ...


@dataclass
class _Known:
    """What was read of an id; ``key`` is None where there is no such key.

    ``was_refused``: somebody showed a wrong key of this id since. ``noted_at``: the last use that
    was noted from here.
    """

    key: AccessKey | None
    caller: Caller | None
    read_at: float
    was_refused: bool = False
    noted_at: Micros = 0


class Keyring:
    """The settings' keys and those of the graph.

    ``clock`` answers microseconds since 1970 UTC, ``elapsed`` seconds from any beginning, which
    never go back.
    """

    def __init__(
        self,
        settings: Keys,
        stored: StoredKeys,
        ids: Ids,
        *,
        clock: Callable[[], Micros] = now,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        self._settings = settings
        self._stored = stored
        self._ids = ids
        self._clock = clock
        self._elapsed = elapsed
        self._keys: dict[str, _Known] = {}
        self._strangers: dict[str, _Known] = {}
        """Ids that are none. Apart, so that however many there are, no key is forgotten."""
        self._questions = _Questions(self._ask)
        self._writing: set[asyncio.Task[None]] = set()

    async def find(self, text: str) -> Caller:
        """Whoever shows this key.

        Raises Unauthorized where it opens nothing, DatabaseUnavailable where only the graph could
        tell. Which part of a key is wrong shows neither in the answer nor in the time: a wrong
        secret for a known id is looked for as often as an unknown id is.
        """
        caller = self._settings.get(text)
        if caller is not None:
            return caller
        shown = KeyText.read(text)
        if shown is None:
            raise Unauthorized(UNKNOWN)
        known = self._remembered(shown.id, FRESH)
        fault = None if known is None else self._fault(known.key, shown)
        if known is None or (fault is not None and not known.was_refused):
            known = await self._look(shown)
            fault = self._fault(known.key, shown)
        if fault is not None or known.caller is None:
            known.was_refused = True
            raise Unauthorized(fault)
        self._note_use(known)
        return known.caller

    def forget(self, id: str) -> None:
        """Look again at the next use: the key was changed here."""
        self._keys.pop(id, None)
        self._strangers.pop(id, None)

    async def settle(self) -> None:
        """Wait until every use that is being noted is."""
        await asyncio.gather(*self._writing)

    # ------------------------------------------------------------------ what is known

    def _remembered(self, id: str, seconds: float) -> _Known | None:
        """What was read of the id less than so many seconds ago."""
        known = self._keys.get(id) or self._strangers.get(id)
        is_recent = known is not None and self._elapsed() - known.read_at < seconds
        return known if is_recent else None

    async def _look(self, shown: KeyText) -> _Known:
        """What the graph says now, or said a moment ago where it cannot be asked."""
        try:
            return await self._questions.about(shown.id)
        except Retryable as error:
            known = self._remembered(shown.id, BELIEVED)
            if known is not None and self._fault(known.key, shown) is None:
                return known
            raise DatabaseUnavailable(retry_after=error.retry_after) from error

    async def _ask(self, ids: Sequence[str]) -> Mapping[str, _Known]:
        asked_at = self._elapsed()
        found = await self._stored.find(ids, within=PATIENCE)
        return {id: self._remember(id, found.get(id), asked_at) for id in ids}

    def _remember(self, id: str, key: AccessKey | None, asked_at: float) -> _Known:
        before = self._keys.pop(id, None) or self._strangers.pop(id, None)
        caller = None if key is None else caller_of(key, self._ids, self._clock())
        noted_at = 0 if before is None else before.noted_at
        known = _Known(key, caller, asked_at, noted_at=noted_at)
        kept = self._strangers if key is None else self._keys
        kept[id] = known
        if len(kept) > MOST_REMEMBERED:
            del kept[next(iter(kept))]  # what was read longest ago
        return known

    # ------------------------------------------------------------------ whether it opens

    def _fault(self, key: AccessKey | None, shown: KeyText) -> str | None:
        """Why it does not open; None where it does. Only who has the secret learns more than
        that the key is not known."""
        fitting, at = _fitting(key, shown), self._clock()
        if key is None or fitting is None:
            return UNKNOWN
        if key.revoked_at is not None:
            return "This key was revoked."
        if _is_over(key.expires_at, at):
            return "This key has expired."
        if _is_over(fitting.until, at):
            return "This secret of the key was replaced by a newer one."
        return None

    # ------------------------------------------------------------------ when it was used

    def _note_use(self, known: _Known) -> None:
        """Have the use noted, where none was a minute ago; nobody waits for it."""
        key, at = known.key, self._clock()
        assert key is not None
        if at - max(key.last_used_at or 0, known.noted_at) < NOTED_EVERY:
            return
        known.noted_at = at
        task = asyncio.create_task(self._write_use(key.id, at))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write_use(self, id: str, at: Micros) -> None:
        try:
            await self._stored.note_use(id, at, every=NOTED_EVERY)
        except GraphidError as error:
            log.info("use_of_key_not_noted", key=id, code=error.code)


def caller_of(key: AccessKey, ids: Ids, at: Micros) -> Caller:
    """Whoever opens the key, with what verifies the site's signatures at that time."""
    kind = KeyKind(key.kind)
    return Caller(
        name=f"{kind.prefix}:{key.id}",
        # One that a later graphid knows, and this one does not, opens nothing here.
        scopes=frozenset(_SCOPES[scope] for scope in key.scopes if scope in _SCOPES),
        is_browser=kind is KeyKind.PUBLISHABLE,
        key_id=key.id,
        origins=None if key.origins is None else frozenset(key.origins),
        limits=None if key.limits is None else Limits(**key.limits),
        signing=_signing(key, ids, at),
    )


def _signing(key: AccessKey, ids: Ids, at: Micros) -> Signing | None:
    if key.signing is None:
        return None
    keys = [
        version.public_key or ids.signing_secret(key.id, version.number)
        for version in key.versions
        if not _is_over(version.until, at)
    ]
    return Signing(key.signing, tuple(dict.fromkeys(keys)))


def _fitting(key: AccessKey | None, shown: KeyText) -> KeyVersion | None:
    """The version whose secret is shown. One hash at least is worked out, whatever the id."""
    found = None
    for version in _NOBODYS if key is None else key.versions:
        if SecretHash(version.salt, version.digest).opens(shown.secret):
            found = version
    return found if key is not None and key.kind == shown.kind else None


def _is_over(until: Micros | None, at: Micros) -> bool:
    return until is not None and at >= until


_SCOPES = {scope.value: scope for scope in Scope}
_NOBODYS = (KeyVersion(0, salt="00" * 16, digest="00" * 32),)


class _Questions:
    """Asks for many ids at once: while one question is under way, the next one gathers."""

    def __init__(self, ask: Callable[[Sequence[str]], Awaitable[Mapping[str, _Known]]]) -> None:
        self._ask = ask
        self._tasks: dict[str, asyncio.Task[Mapping[str, _Known]]] = {}
        """By each id that is asked for."""
        self._gathering: dict[str, None] = {}
        self._turn = asyncio.Lock()

    async def about(self, id: str) -> _Known:
        """What the answer says of the id. Raises Busy where too many wait already."""
        task = self._tasks.get(id)
        if task is None:
            task = self._join(id)
        # Shielded: the others wait on where one of them is gone.
        return (await asyncio.shield(task))[id]

    def _join(self, id: str) -> asyncio.Task[Mapping[str, _Known]]:
        ids = self._gathering
        if len(ids) >= MOST_ASKED:
            raise Busy
        ids[id] = None
        first = next(iter(ids))
        task = self._tasks[first] if first in self._tasks else asyncio.create_task(self._put(ids))
        self._tasks[id] = task
        return task

    async def _put(self, ids: dict[str, None]) -> Mapping[str, _Known]:
        try:
            async with self._turn:
                self._gathering = {}
                return await self._ask(list(ids))
        finally:
            for id in ids:
                del self._tasks[id]
