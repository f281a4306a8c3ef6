"""Retention: what anonymous visitors did is deleted when nothing has happened since for as long as
the policy says (``retention.anonymous``).

What can be somebody's, or can become it, stays: ``identity.retention`` says what that is, and what
is parked is waited for. Evidence stays always, so the graph is what it was of who is who. Each
transaction locks its cookies first, as whoever appends to them does, and looks again, also at the
policy: an event that comes meanwhile waits, and finds a cookie, or makes it again. So it is
harmless if two processes are at it; by a lease only one is.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, cast

import structlog

from graphid.errors import GraphidError
from graphid.graph.database import Database, Unit
from graphid.graph.lease import Lease
from graphid.graph.memory import evidence_decoder
from graphid.graph.policies import Policies
from graphid.graph.queries import query
from graphid.identity.ids import Ids
from graphid.identity.retention import cookies_named, forgettable
from graphid.identity.values import Merge, Micros, Sever, start_of
from graphid.service.beside import beside
from graphid.service.visitors import visitor_of

LIST_ACTS = query("retention/list_acts")
LIST_COOKIES = query("retention/list_cookies")
READ_VISITORS = query("retention/read_visitors")
FIND_DUE = query("retention/find_due")
TAKE_COOKIES = query("retention/take_cookies")
DELETE_EVENTS = query("retention/delete_events")
MOVE_BEGINNINGS = query("retention/move_beginnings")
FORGET_COOKIES = query("retention/forget_cookies")
COUNT_EVENTS = query("operations/count_events")
COUNT_PARKED = query("evidence/count_parked")
LIST_PENDING = query("erasures/list_pending")

log = structlog.get_logger()

EVENTS = 500
"""How many events one transaction deletes at most."""

COOKIES = 50
"""How many cookies one transaction locks."""

PAGE = 500
"""How many cookies are looked at in one read."""

LOOK_FIRST = 3600.0
"""Seconds from the start of a process to its first pass."""

LOOK_EVERY = 6 * 3600.0
"""Seconds from one pass to the next: each looks at every cookie that is old enough."""

LEASE = "retention"
LEASE_SECONDS = 120.0
"""How long the others stand by where the process that is at it is killed."""

COUNTED = 10**9
"""Where counting stops for who only asks."""

KINDS = ("events", "chats", "sessions", "cookies", "devices")

Part = dict[str, str]
"""A part of a cookie: cookie, low and high (places)."""
Asking = Callable[..., Awaitable[list[dict[str, Any]]]]


@dataclass(frozen=True, slots=True)
class _Limits:
    """What the policy in force allows. ``before``: nothing may have happened since then;
    ``furthest``: how far back an identify can reach, under any version of the policy."""

    before: Micros
    furthest: Micros


Named = Collection[str]
"""The cookies that operators' acts name."""
Doing = Callable[[list[Part], Named], Awaitable[bool]]


class Retention:
    """Deletes what is past its time.

    ``clock`` answers microseconds since 1970 UTC. ``events``: how many go in one transaction;
    ``rest``: how long it is idle after each, in times of what that took.
    """

    def __init__(
        self,
        database: Database,
        policies: Policies,
        ids: Ids,
        clock: Callable[[], Micros],
        *,
        events: int = EVENTS,
        rest: float = 1.0,
        look_first: float = LOOK_FIRST,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._database = database
        self._policies = policies
        self._ids = ids
        self._clock = clock
        self._events = events
        self._rest = rest
        self._look_first = look_first
        self._look_every = look_every
        self._lease = Lease(database, LEASE, uuid.uuid4().hex, seconds=LEASE_SECONDS)
        self.deleted: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        """What was deleted here since the start, by kind."""

    async def delete(self) -> Counter[str]:
        """Delete what is past its time by now; how much, by kind.

        Raises DatabaseUnavailable or Busy: what is left is for the next time.
        """
        before = Counter(self.deleted)
        await self._go(self._delete)
        return self.deleted - before

    async def count(self) -> Counter[str]:
        """What :meth:`delete` would begin with: events, and the cookies that they are on."""
        found: Counter[str] = Counter()

        async def look(parts: list[Part], _named: Named) -> bool:
            (row,) = await self._database.read_rows(COUNT_EVENTS, ranges=parts, most=COUNTED)
            found["events"] += row["events"]
            found["cookies"] += len({part["cookie"] for part in parts})
            return True

        await self._go(look)
        return found

    async def _go(self, do: Doing) -> None:
        """``do`` with the parts of cookies that are due, page by page, while it says True."""
        named = await self._named()
        after: dict[str, Any] = {"at": 0, "id": ""}
        while True:
            started, limits = monotonic(), await self._limits()
            rows = await self._database.read_rows(
                LIST_COOKIES, after=after, before=limits.before, size=PAGE
            )
            if not rows:
                return
            after = rows[-1]
            quiet = [row["id"] for row in rows if row["isQuiet"]]
            parts = await self._due(self._database.read_rows, quiet, limits, named)
            await self._idle_since(started)
            if parts and not await do(parts, named):
                return

    async def _limits(self) -> _Limits:
        """As of less than a second ago; mostly without a read. A pass may take hours, and what a
        later version keeps is not to go by an earlier one."""
        current = await self._policies.current()
        versions = [await self._policies.of(n) for n in range(1, current.version + 1)]
        return _Limits(
            before=self._clock() - current.policy.retention_of_anonymous,
            furthest=max(policy.max_age for policy in versions),
        )

    async def _named(self) -> set[str]:
        """The cookies that operators' acts name. Acts that come after this look are found by what
        they touch."""
        named: set[str] = set()
        for kind in (Merge, Sever):
            tag, after = kind.__struct_config__.tag, ""
            while rows := await self._database.read_rows(
                LIST_ACTS, kind=tag, after=after, size=PAGE
            ):
                after = rows[-1]["id"]
                for row in rows:
                    named.update(
                        cookies_named(cast(Merge | Sever, evidence_decoder.decode(row["body"])))
                    )
        return named

    async def _due(
        self, ask: Asking, cookies: Sequence[str], limits: _Limits, named: Named
    ) -> list[Part]:
        """The parts of cookies that are nobody's for good, and in which nothing happened since."""
        parts: list[Part] = []
        asked = [cookie for cookie in cookies if cookie not in named]
        for row in await ask(READ_VISITORS, ids=asked):
            visitor = visitor_of(row).visitor
            found = forgettable(visitor, row["identified"], limits.furthest)
            if found is not None:
                parts.append({"cookie": visitor.cookie, "low": found[0], "high": found[1]})
        if not parts:
            return []
        due: list[Part] = await ask(FIND_DUE, parts=parts, before=start_of(limits.before))
        return due

    async def _delete(self, parts: list[Part], named: Named) -> bool:
        """Delete what is due of these cookies; False where evidence waits for its job, as it may
        say whose they are, or an erasure, as it leaves the ids of its messages."""
        cookies = sorted({part["cookie"] for part in parts})
        while cookies:
            some, started = cookies[:COOKIES], monotonic()
            deleted = await self._database.write(partial(self._delete_some, some, named))
            if deleted is None:
                return False
            self.deleted.update(deleted)
            if deleted["events"] < self._events:
                del cookies[:COOKIES]
            await self._idle_since(started)
        return True

    async def _idle_since(self, started: float) -> None:
        """Leave the database to others for a while, after what was begun then."""
        await asyncio.sleep(self._rest * (monotonic() - started))

    async def _delete_some(
        self, cookies: list[str], named: Named, unit: Unit
    ) -> Counter[str] | None:
        await unit.run(TAKE_COOKIES, ids=cookies)
        (parked,) = await unit.rows(COUNT_PARKED, most=1)
        if parked["parked"] or await unit.rows(LIST_PENDING, passed=[]):
            return None
        parts = await self._due(unit.rows, cookies, await self._limits(), named)
        if not parts:
            return Counter()
        (deleted,) = await unit.rows(DELETE_EVENTS, parts=parts, most=self._events)
        touched = sorted({part["cookie"] for part in parts})
        await unit.run(MOVE_BEGINNINGS, ids=touched)
        born = [{"id": cookie, "birth": self._ids.birth(cookie)} for cookie in touched]
        (forgotten,) = await unit.rows(FORGET_COOKIES, cookies=born)
        return Counter(deleted) + Counter(forgotten)

    async def turn(self) -> None:
        """One pass, where no other process is at it. Errors as :meth:`delete`."""
        if await self._lease.take() is None:
            return
        before = Counter(self.deleted)
        try:
            await self._go(self._delete_leased)
        finally:
            with suppress(GraphidError):
                await self._lease.give()
            if deleted := self.deleted - before:
                log.info("anonymous_data_deleted", **deleted)

    async def _delete_leased(self, parts: list[Part], named: Named) -> bool:
        return await self._lease.take() is not None and await self._delete(parts, named)

    async def run(self) -> None:
        """A pass now and then, for ever."""
        await asyncio.sleep(self._look_first)
        while True:
            try:
                await self.turn()
            except GraphidError as error:
                log.warning("retention_waits", code=error.code)
            await asyncio.sleep(self._look_every)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run as long as the block does. What is under way then is rolled back."""
        async with beside(self.run(), "retention"):
            yield
