"""The composition root: settings in, a running service out. Nothing else makes these objects."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager

import structlog
from starlette.routing import BaseRoute

from graphid import log
from graphid.auth.keys import Keys
from graphid.graph.database import Database
from graphid.graph.engine import Address, Progress, running_database
from graphid.graph.installation import installation_secret
from graphid.graph.schema import migrate
from graphid.http.app import create_app
from graphid.http.graphql import graphql_route
from graphid.http.segment import Segment
from graphid.http.server import address_of, listen, serve
from graphid.identity.ids import Ids
from graphid.identity.policy import Policy
from graphid.service.ingest import Ingest
from graphid.service.reads import Reads, now
from graphid.settings import GUESSABLE_CHARACTERS, Settings

logger = structlog.get_logger()


@asynccontextmanager
async def open_database(settings: Settings, address: Address) -> AsyncIterator[Database]:
    """A database that answers, closed afterwards; DatabaseUnavailable or SettingsError if not."""
    database = await Database.connect(
        address,
        timeout=settings.request_timeout,
        server_warnings=settings.log_level == "debug",
    )
    try:
        await database.verify()
        yield database
    finally:
        await database.close()


def run_service(settings: Settings, *, progress: Progress, on_ready: Callable[[str], None]) -> None:
    """Database, schema, HTTP: until a signal. ``on_ready`` gets the URL.

    Raises SettingsError, EngineError, StaleGraph or DatabaseUnavailable when it cannot start.
    """
    log.set_up(settings.log_level, settings.log_format)
    # The port first: it fails in a moment, where the engine takes ten seconds. The engine is
    # started outside the event loop, so that Ctrl-C ends a long download at once.
    with listen(settings) as listener, database_address(settings, progress) as address:
        asyncio.run(_serve(settings, listener, address, on_ready))


async def _serve(
    settings: Settings,
    listener: socket.socket,
    address: Address,
    on_ready: Callable[[str], None],
) -> None:
    async with open_database(settings, address) as database:
        await migrate(database)
        app = create_app(
            routes=await routes_of(settings, database), database=database, settings=settings
        )
        url = address_of(listener)
        await serve(app, listener, settings, on_ready=lambda: on_ready(url))


async def routes_of(settings: Settings, database: Database) -> list[BaseRoute]:
    """What the service answers: GraphQL, and what the SDKs of others post."""
    given = settings.installation_secret
    secret = await installation_secret(database, given.get_secret_value() if given else None)
    policy, ids = Policy(), Ids(secret)
    if any(len(key.get_secret_value()) < GUESSABLE_CHARACTERS for key in settings.secret_keys):
        logger.warning("secret_key_can_be_guessed", characters=GUESSABLE_CHARACTERS)
    keys = Keys.of(
        secret=[key.get_secret_value() for key in settings.secret_keys],
        publishable=[key.get_secret_value() for key in settings.publishable_keys],
    )
    ingest = Ingest(database, policy, ids, now)
    await ingest.warm()
    return [
        graphql_route(keys=keys, reads=Reads.on(database, policy, clock=now), ingest=ingest),
        *Segment(ingest, keys, ids).routes(),
    ]


async def _migrate(settings: Settings, address: Address) -> list[str]:
    async with open_database(settings, address) as database:
        return await migrate(database)


def run_migrations(settings: Settings, *, progress: Progress) -> list[str]:
    """Bring the graph to this graphid's schema; the names of what was applied."""
    log.set_up(settings.log_level, settings.log_format)
    with database_address(settings, progress) as address:
        return asyncio.run(_migrate(settings, address))


def database_address(settings: Settings, progress: Progress) -> AbstractContextManager[Address]:
    """The database that the settings name, for as long as the block runs."""
    return running_database(
        data_dir=settings.data_dir,
        neo4j_uri=settings.neo4j_uri,
        neo4j_user=settings.neo4j_user,
        neo4j_password=settings.neo4j_password.get_secret_value(),
        neo4j_database=settings.neo4j_database,
        engine_version=settings.engine_version,
        progress=progress,
    )
