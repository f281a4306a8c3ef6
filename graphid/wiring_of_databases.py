"""The database that the settings name, and what whoever opens it asks of it first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager

import structlog

from graphid.graph.database import Database
from graphid.graph.engine import Address, Progress, running_database
from graphid.graph.installation import installation_secret
from graphid.identity.ids import Ids
from graphid.settings import Settings

logger = structlog.get_logger()


def database_address(
    settings: Settings,
    progress: Progress,
    *,
    beside: bool = False,
    on_lost: Callable[[], None] = lambda: None,
) -> AbstractContextManager[Address]:
    """The database that the settings name, for as long as the block runs.

    ``beside``: a local engine that another process started will do, too.
    """
    return running_database(
        data_dir=settings.data_dir,
        neo4j_uri=settings.neo4j_uri,
        neo4j_user=settings.neo4j_user,
        neo4j_password=settings.neo4j_password.get_secret_value(),
        neo4j_database=settings.neo4j_database,
        engine_version=settings.engine_version,
        beside=beside,
        progress=progress,
        on_lost=on_lost,
    )


@asynccontextmanager
async def open_database(
    settings: Settings, address: Address, *, patience: float | None = None
) -> AsyncIterator[Database]:
    """A database that answers, closed afterwards; DatabaseUnavailable or SettingsError if not.

    ``patience``: seconds for what names none; else as many as a request may take.
    """
    timeout = settings.request_timeout if patience is None else patience
    database = await Database.connect(
        address,
        timeout=timeout,
        server_warnings=settings.log_level == "debug",
    )
    try:
        await database.verify(timeout=timeout)
        yield database
    finally:
        await database.close()
        logger.info(
            "database_closed", retries=dict(database.retries), failures=dict(database.failures)
        )


async def ids_of(settings: Settings, database: Database) -> Ids:
    """What mints the ids of the graph's installation. Raises SettingsError."""
    given = settings.installation_secret
    return Ids(await installation_secret(database, given.get_secret_value() if given else None))
