"""The versions of the policy, which the graph keeps.

A version never changes. Version 1 is the default and is nowhere but in the code; each later one
is a node. What is in force is the latest: any number of processes may set it and follow it, and
each looks again where it looked a second ago.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic, time_ns
from typing import Any

import msgspec

from graphid.errors import InternalError, NotFound
from graphid.graph.database import Database, Unit
from graphid.graph.queries import query
from graphid.identity.policy import DEFAULT, Policy, PolicyVersion, parse_policy, policy_of
from graphid.identity.values import Micros

READ_CURRENT = query("policy/read_current")
READ_VERSION = query("policy/read_version")
TAKE_LOCK = query("policy/take_lock")
WRITE_VERSION = query("policy/write_version")

FRESH = 1.0
"""Seconds for which what was read is in force without looking again."""


def _now() -> Micros:
    return time_ns() // 1_000


class Policies:
    """The policy in force, and those that were.

    ``clock`` answers microseconds since 1970 UTC, ``elapsed`` seconds from any beginning, which
    never go back. Every method that reads may raise DatabaseUnavailable or Busy.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], Micros] = _now,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._elapsed = elapsed
        self._known: PolicyVersion | None = None
        self._known_at = 0.0
        self._reading: asyncio.Task[PolicyVersion] | None = None
        self._versions: dict[int, PolicyVersion] = {}

    @property
    def latest(self) -> Policy:
        """The latest policy that this process has met; the default, where it has met none."""
        return DEFAULT if self._known is None else self._known.policy

    async def current(self) -> PolicyVersion:
        """The version in force, as of less than a second ago; mostly without a read."""
        if self._fresh() is None and self._reading is not None:
            # Somebody waits for it already: if it does not come, then for none of them.
            await asyncio.shield(self._reading)
        known = self._fresh()
        return await asyncio.shield(self._read_once()) if known is None else known

    def _read_once(self) -> asyncio.Task[PolicyVersion]:
        """The read that is under way, which all who ask share, whoever of them goes."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(self._end_reading)
        return self._reading

    def _end_reading(self, reading: asyncio.Task[PolicyVersion]) -> None:
        self._reading = None
        if not reading.cancelled():
            reading.exception()  # nobody may be left to hear of it

    async def _read(self) -> PolicyVersion:
        asked_at = self._elapsed()
        (row,) = await self._database.read_rows(READ_CURRENT, known=self._newest)
        return self._remember(self._current_of(row), asked_at)

    async def find(self, version: int) -> PolicyVersion | None:
        """A version; None where there is none of that number."""
        if version == 1:
            (row,) = await self._database.read_rows(READ_CURRENT, known=self._newest)
            return self._first(row)
        if version not in self._versions:
            rows = await self._database.read_rows(READ_VERSION, version=version)
            if not rows:
                return None
            self._keep(_version(rows[0]["policy"]))
        return self._versions[version]

    async def of(self, version: int) -> Policy:
        """The policy of a version, read at most once. NotFound where there is none of it."""
        if version == 1:
            return DEFAULT
        found = await self.find(version)
        if found is None:
            raise NotFound(f"The policy has no version {version}.")
        return found.policy

    async def set(self, document: Any, actor: str | None) -> PolicyVersion:
        """The version that says what the document says: the current one where it does already,
        else a new one, in force from here on, and everywhere within a second.

        Raises InvalidPolicy, with all faults of the document; then nothing is changed.
        """
        policy = parse_policy(document)
        asked_at = self._elapsed()

        async def work(unit: Unit) -> PolicyVersion:
            if not await unit.rows(TAKE_LOCK):
                raise InternalError  # every installation is begun before it is served
            (row,) = await unit.rows(READ_CURRENT, known=self._newest)
            current = self._current_of(row)
            if current.policy == policy:
                return current
            # Never before the version that it follows, whatever the clocks of two machines say.
            at = max(self._clock(), current.set_at)
            added = PolicyVersion(current.version + 1, policy, at, actor)
            await unit.run(WRITE_VERSION, policy=_row(added))
            return added

        return self._remember(await self._database.write(work), asked_at)

    # ------------------------------------------------------------------ what is known

    @property
    def _newest(self) -> int:
        return 1 if self._known is None else self._known.version

    def _fresh(self) -> PolicyVersion | None:
        is_fresh = self._elapsed() - self._known_at < FRESH
        return self._known if is_fresh else None

    def _remember(self, found: PolicyVersion, asked_at: float) -> PolicyVersion:
        """Take note of what was in force at ``asked_at`` or later; the later of it and what is
        known: a read that began before a version was set may end after."""
        if self._known is None or found.version >= self._known.version:
            self._known, self._known_at = found, max(asked_at, self._known_at)
            self._keep(found)
        return self._known

    def _keep(self, found: PolicyVersion) -> None:
        self._versions[found.version] = found

    def _current_of(self, row: dict[str, Any]) -> PolicyVersion:
        if row["policy"] is None:
            return self._first(row)
        kept = self._versions.get(row["policy"]["version"])
        return _version(row["policy"]) if kept is None else kept

    def _first(self, row: dict[str, Any]) -> PolicyVersion:
        begun = row["begunAt"]
        return PolicyVersion(1, DEFAULT, self._clock() if begun is None else begun * 1_000)


def _version(row: dict[str, Any]) -> PolicyVersion:
    policy = policy_of(msgspec.json.decode(row["document"]))
    return PolicyVersion(row["version"], policy, row["setAt"], row["setBy"])


def _row(version: PolicyVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "document": msgspec.json.encode(version.document).decode(),
        "setAt": version.set_at,
        "setBy": version.set_by,
    }
