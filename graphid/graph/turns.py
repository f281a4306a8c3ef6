"""Reading statements that one request asks for at the same time, sent as one.

What a request needs it mostly asks for side by side, and each statement on a connection of its own
is a packet out, a packet in, and a task woken for each. Over one connection they are one packet
out, and the answers come as they are found. Two requests never share a turn: nobody waits for what
another asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

Rows = list[dict[str, Any]]


class Unanswered(Exception):
    """The turn ended before this statement was answered: it is to be asked again, alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A statement, with what its transaction is to be like, and who waits for its rows."""

    text: str
    parameters: Mapping[str, Any]
    terms: Mapping[str, Any]
    rows: asyncio.Future[Rows]

    async def answered(self, rows: Awaitable[Rows]) -> None:
        """Hand over the rows; raises what they failed with, which is handed over, too."""
        try:
            found = await rows
        except Exception as error:
            if not self.rows.done():
                self.rows.set_exception(error)
            raise
        if not self.rows.done():
            self.rows.set_result(found)


Send = Callable[[list[Asked]], Awaitable[None]]
"""Has the statements answered, in their order, until one fails: it raises that."""


class Turns:
    """Gathers what each request asks for in one turn of the event loop."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._gathering: dict[int, list[Asked]] = {}

    async def rows(
        self, request: object, text: str, parameters: Mapping[str, Any], terms: Mapping[str, Any]
    ) -> Rows:
        """The rows of one statement of a request. Raises Unanswered, or what it failed with."""
        loop = asyncio.get_running_loop()
        asked = Asked(text, parameters, terms, loop.create_future())
        # The request is there as long as it waits: nobody else has its id meanwhile.
        gathered = self._gathering.get(id(request))
        if gathered is None:
            gathered = self._gathering[id(request)] = []
            # Behind the tasks that are about to ask, and those that these start.
            loop.call_soon(loop.call_soon, self._begin, id(request))
        gathered.append(asked)
        return await asked.rows

    def _begin(self, request: int) -> None:
        wanted = [asked for asked in self._gathering.pop(request) if not asked.rows.done()]
        if wanted:
            turn = asyncio.create_task(self._answer(wanted))
            for asked in wanted:
                asked.rows.add_done_callback(lambda _: _end(turn, wanted))

    async def _answer(self, wanted: list[Asked]) -> None:
        with suppress(Exception):  # whom it concerns was told, and the others ask again
            await self._send(wanted)
        for asked in wanted:
            if not asked.rows.done():
                asked.rows.set_exception(Unanswered())


def _end(turn: asyncio.Task[None], wanted: list[Asked]) -> None:
    """Stop what nobody waits for any more."""
    if all(asked.rows.cancelled() for asked in wanted):
        turn.cancel()
