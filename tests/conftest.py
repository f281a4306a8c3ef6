"""The database that the tests run against, chosen with ``--engine``, and the service on it.

local      (default) an engine of our own on a fresh data folder, for this run only
container  testcontainers, where a Docker engine answers
uri        the one at GRAPHID_NEO4J_URI; the tests write into it
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from graphid.graph.database import Database
from graphid.graph.engine import (
    DEFAULT_VERSION,
    Address,
    TerminalProgress,
    release_of,
    running_database,
)
from graphid.graph.schema import migrate
from tests.service import Service, running_service

CONTAINER_PASSWORD = "only-for-this-test-run"

SCHEMA_TIMEOUT = 60.0
"""Seconds for one statement on a database that has just started."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=("local", "container", "uri"),
        default="local",
        help="which Neo4j the tests use (default: a local engine on a fresh folder)",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those with a database of their own come first: processes that share the tests take them over
    from the end, and each process starts that database only if it has one of these."""
    items.sort(key=lambda item: "own_database" not in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def engine_version() -> str:
    """The Neo4j to test with; ``make test ENGINE=5.26`` sets it."""
    return release_of(os.environ.get("GRAPHID_ENGINE_VERSION", DEFAULT_VERSION)).version


@pytest.fixture(scope="session")
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, engine_version: str
) -> Iterator[Address]:
    """A database that answers, for the whole run."""
    yield from _opened(request, tmp_path_factory, engine_version)


@pytest.fixture(scope="session")
def own_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, engine_version: str
) -> Iterator[Address]:
    """Another database, on which no service is at work: for tests that empty it, and for those of
    what waits for a job, which a service's own job would finish under their hands."""
    if request.config.getoption("--engine") == "uri":
        pytest.skip("would empty the database at GRAPHID_NEO4J_URI")
    yield from _opened(request, tmp_path_factory, engine_version)


def _opened(
    request: pytest.FixtureRequest, folders: pytest.TempPathFactory, version: str
) -> Iterator[Address]:
    kind = request.config.getoption("--engine")
    if kind == "container":
        opened = _container(version)
    elif kind == "uri":
        opened = _given()
    else:
        opened = _local(folders.mktemp("database"), version)
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with ExitStack() as stack:
        # A first run downloads for a minute: let it be seen, although pytest captures output.
        with capture.global_and_fixture_disabled():
            address = stack.enter_context(opened)
        asyncio.run(_migrated(address))
        yield address


async def _migrated(address: Address) -> None:
    """Give it the schema: with it, the server knows all names of our statements, and has none to
    warn of."""
    connected = await Database.connect(address, timeout=SCHEMA_TIMEOUT)
    await migrate(connected)
    await connected.close()


@pytest.fixture(scope="session")
def graphid(database: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """``graphid serve`` on that database, as a process of its own, for the whole run."""
    with running_service(database, tmp_path_factory.mktemp("graphid")) as running:
        yield running


@contextmanager
def _local(folder: Path, version: str) -> Iterator[Address]:
    with (
        TerminalProgress() as progress,
        running_database(
            data_dir=folder, engine_version=version, brief=True, progress=progress
        ) as address,
    ):
        yield address


@contextmanager
def _container(version: str) -> Iterator[Address]:
    # Imported here: it looks for a Docker engine, which only this choice needs.
    from testcontainers.community.neo4j import Neo4jContainer  # noqa: PLC0415

    image = f"neo4j:{version}"
    with Neo4jContainer(image, username="neo4j", password=CONTAINER_PASSWORD) as container:
        yield Address(
            uri=container.get_connection_url(),
            user="neo4j",
            password=CONTAINER_PASSWORD,
            database="neo4j",
            origin=f"container {image}",
        )


@contextmanager
def _given() -> Iterator[Address]:
    uri = os.environ.get("GRAPHID_NEO4J_URI")
    if not uri:
        pytest.exit("--engine=uri needs GRAPHID_NEO4J_URI", returncode=2)
    with running_database(
        data_dir=Path("unused"),
        neo4j_uri=uri,
        neo4j_user=os.environ.get("GRAPHID_NEO4J_USER", "neo4j"),
        neo4j_password=os.environ.get("GRAPHID_NEO4J_PASSWORD"),
        neo4j_database=os.environ.get("GRAPHID_NEO4J_DATABASE", "neo4j"),
    ) as address:
        yield address
