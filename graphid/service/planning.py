"""Planned before it is asked.

The server plans a statement the first time that it gets it, which takes up to seconds where running
it takes milliseconds, and forgets all plans when it stops. What visitors send waits for no plan:
the service begins to listen when there are (``Ingest.warm``). What agents and operators ask is
planned right after that, one statement after the other, so that whoever asks meanwhile is held up
by no more than one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from graphid.errors import GraphidError
from graphid.graph.database import Database
from graphid.graph.queries import Query, load
from graphid.service.beside import beside

logger = structlog.get_logger()

AREAS = (
    *("people", "journey", "chats", "devices", "sessions", "links"),
    *("search", "clusters", "reviews", "reasons"),
)
"""Of ``cypher/``: what a person's page is made of, in the order in which a desktop asks for it; and
what those ask who look for somebody, or into it."""
PATIENCE = 60.0
"""Seconds for one statement: a database that has just started on a busy machine takes its time."""


class Planning:
    """Has the server plan, once, what people ask."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> None:
        """Return when all is planned, or when the database does not do it: then whoever asks
        first waits for it, as they would have without."""
        for query in first():
            try:
                await self._database.plan(query, within=PATIENCE)
            except GraphidError as error:
                logger.info("planning_given_up", statement=query.name, kind=type(error).__name__)
                return
        logger.debug("planned", statements=len(first()))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run beside the block, and no longer than it."""
        async with beside(self.run(), "planning"):
            yield


def first() -> list[Query]:
    """The statements, in order."""
    return [
        query
        for area in AREAS
        for name, query in sorted(load().items())
        if name.startswith(f"{area}/") and not query.offline
    ]
