"""Reads of one request that are asked for at once go to the database at once.

What a request needs of several statements is mostly asked for in one turn of the event loop: by
loaders, or for fields that stand beside each other. Each of those on a connection of its own costs
a call of the system, and waking a thread of the database and this process again; that takes longer
than many a statement. Here they are written down one behind the other, sent with one call, and each
is answered as soon as its own rows are there.

The database works them off one after another, each as a transaction of its own. So no more than
``MOST`` go together: what takes long is still done beside the others, in another lot. Requests do
not wait for each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from graphid.graph.bookmarks import Bookmarks
from graphid.graph.faults import Verdict, judge
from graphid.graph.values import Reading

Rows = list[dict[str, Any]]
OnConnection = Callable[[Callable[[Any], Awaitable[None]]], Awaitable[None]]
"""Runs something on a connection of the pool."""

MOST = 4
"""How many statements go together."""


class LeftBehind(Exception):
    """A statement before this one failed, and it was not looked at: it can be asked again."""


class Asked:
    """One statement, and who waits for its rows."""

    __slots__ = (
        "_extra",
        "_fields",
        "_parameters",
        "_reading",
        "_records",
        "_text",
        "is_answered",
        "rows",
    )

    def __init__(self, text: str, parameters: Mapping[str, Any], extra: Mapping[str, Any]) -> None:
        self._text = text
        self._parameters = parameters
        self._extra = extra
        self._fields: dict[str, Any] = {}
        self._records: list[list[Any]] = []
        self.is_answered = False
        self.rows: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()

    def write(self, connection: Any) -> None:
        """Write it down on a connection."""
        self._reading = Reading(connection)
        hooks = self._reading.hooks
        connection.run(
            self._text, self._parameters, on_success=self._fields.update, **self._extra, **hooks
        )
        connection.pull(n=-1, on_records=self._records.extend, on_success=self._answered, **hooks)

    def _answered(self, _metadata: Mapping[str, Any]) -> None:
        self.is_answered = True
        if self.rows.done():
            return  # whoever asked has gone
        try:
            self.rows.set_result(self._reading.rows(self._fields["fields"], self._records))
        except TypeError as error:
            self.rows.set_exception(error)

    def fail(self, error: BaseException) -> None:
        """Have whoever waits told of it."""
        if not self.rows.done():
            self.rows.set_exception(error)


class Together:
    """Sends what each request asks for."""

    def __init__(self, on_connection: OnConnection) -> None:
        self._on_connection = on_connection
        self._gathering: dict[Bookmarks, list[Asked]] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    async def rows(self, request: Bookmarks, asked: Asked) -> Rows:
        """The rows of a statement. Raises the driver's errors, and LeftBehind."""
        gathered = self._gathering.get(request)
        if gathered is None:
            gathered = self._gathering[request] = []
            asyncio.get_running_loop().call_soon(self._look, request, 0)
        gathered.append(asked)
        if len(gathered) == MOST:
            del self._gathering[request]
            self._send(gathered)
        return await asked.rows

    def _look(self, request: Bookmarks, before: int) -> None:
        """Send what is gathered when a turn of the loop has brought nothing more."""
        gathered = self._gathering.get(request, ())
        if len(gathered) > before:
            asyncio.get_running_loop().call_soon(self._look, request, len(gathered))
        elif gathered:
            self._send(self._gathering.pop(request))

    def _send(self, lot: list[Asked]) -> None:
        task = asyncio.create_task(self._carry(lot))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

        def left(rows: asyncio.Future[Rows]) -> None:
            if rows.cancelled() and all(asked.rows.done() for asked in lot):
                task.cancel()  # nobody waits any more

        for asked in lot:
            asked.rows.add_done_callback(left)

    async def _carry(self, lot: list[Asked]) -> None:
        is_sent = False

        async def run(connection: Any) -> None:
            nonlocal is_sent
            for asked in lot:
                asked.write(connection)
            await connection.send_all()
            is_sent = True
            await connection.fetch_all()

        try:
            await self._on_connection(run)
        except Exception as error:
            # The server ignores what was sent after a message that fails.
            are_ignored = is_sent and judge(error)[0] is not Verdict.UNAVAILABLE
            unanswered = [asked for asked in lot if not asked.is_answered]
            for number, asked in enumerate(unanswered):
                asked.fail(LeftBehind() if are_ignored and number else error)
        finally:
            for asked in lot:
                asked.rows.cancel()  # nobody waits for ever, whatever came of this
