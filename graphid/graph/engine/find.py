"""The order in which a database is looked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from graphid.graph.engine.address import Address, require_answer
from graphid.graph.engine.engine import DATABASE, START_TIMEOUT, USER, Engine
from graphid.graph.engine.errors import EngineError
from graphid.graph.engine.folder import Folder, Holder
from graphid.graph.engine.progress import Progress, SilentProgress
from graphid.graph.engine.releases import DEFAULT_VERSION


def engine_folder(data_dir: Path) -> Path:
    """Where below graphid's data folder the local engine lives."""
    return data_dir / "engine"


@contextmanager
def running_database(
    *,
    data_dir: Path,
    neo4j_uri: str | None = None,
    neo4j_user: str = USER,
    neo4j_password: str | None = None,
    neo4j_database: str = DATABASE,
    engine_version: str = DEFAULT_VERSION,
    progress: Progress | None = None,
) -> Iterator[Address]:
    """A database for as long as the block runs, and the words where it comes from.

    1. The one at ``neo4j_uri``, if given. It is not asked anything here.
    2. The standing engine on the data folder (``graphid engine start``), if there is one.
    3. A local engine of our own, which stops when the block ends or this process dies.

    Raises EngineError when the second does not answer or the third cannot be started.
    """
    told = progress or SilentProgress()
    if neo4j_uri:
        address: Address | None = Address(
            uri=neo4j_uri,
            user=neo4j_user,
            password=neo4j_password or "",
            database=neo4j_database,
            origin=f"GRAPHID_NEO4J_URI ({_without_credentials(neo4j_uri)})",
        )
    else:
        address = standing_engine(data_dir, progress=told)
    if address is not None:
        told.step(f"database: {address.origin}")
        yield address
        return
    engine = Engine(engine_folder(data_dir), version=engine_version, progress=told)
    try:
        address = engine.start()
        told.step(f"database: {address.origin}")
        yield address
    finally:
        engine.stop()


def standing_engine(data_dir: Path, *, progress: Progress | None = None) -> Address | None:
    """The engine that ``graphid engine start`` left on the folder, or None.

    One that is just starting is waited for. Raises EngineError when it does not answer.
    """
    folder = Folder(engine_folder(data_dir))
    holder = folder.holder()
    if holder is None or not holder.standing:
        return None
    if holder.uri is None and progress is not None:
        progress.step(f"waiting for the engine that is starting in {folder.shown}")
    holder = _ready(folder, holder)
    password = folder.password()
    if holder is None or holder.uri is None or password is None:
        return None
    address = Address(
        uri=holder.uri,
        user=USER,
        password=password,
        database=DATABASE,
        origin=(
            f"standing engine {holder.version} in {folder.shown} "
            f"(process {holder.process}, since {holder.since})"
        ),
    )
    try:
        require_answer(address, timeout=10)
    except EngineError as error:
        raise EngineError(
            f"{error.message}. Stop the standing engine with: graphid engine stop"
        ) from error
    return address


def _ready(folder: Folder, holder: Holder | None) -> Holder | None:
    """The holder once it answers; None if it gave up."""
    deadline = time.monotonic() + START_TIMEOUT
    while holder is not None and holder.uri is None and time.monotonic() < deadline:
        time.sleep(0.1)
        holder = folder.holder()
    return holder


def _without_credentials(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
