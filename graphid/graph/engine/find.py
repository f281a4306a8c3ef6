"""The order in which a database is looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from graphid.graph.engine.address import Address
from graphid.graph.engine.engine import DATABASE, USER, Engine
from graphid.graph.engine.progress import Progress, SilentProgress
from graphid.graph.engine.releases import DEFAULT_VERSION
from graphid.graph.engine.standing import engine_folder, standing_engine
from graphid.graph.engine.watch import Watch


@contextmanager
def running_database(
    *,
    data_dir: Path,
    neo4j_uri: str | None = None,
    neo4j_user: str = USER,
    neo4j_password: str | None = None,
    neo4j_database: str = DATABASE,
    engine_version: str = DEFAULT_VERSION,
    beside: bool = False,
    brief: bool = False,
    progress: Progress | None = None,
    on_lost: Callable[[], None] = lambda: None,
) -> Iterator[Address]:
    """A database for as long as the block runs, and the words where it comes from.

    1. The one at ``neo4j_uri``, if given. It is not asked anything here.
    2. The standing engine on the data folder (``graphid engine start``), if there is one; with
       ``beside`` also one that belongs to another process, for as long as that runs.
    3. A local engine of our own, which stops when the block ends or this process dies. Where it
       ends by itself it is started again; ``brief`` says that it will live for minutes.

    Raises EngineError when the second does not answer or the third cannot be started; and at the
    end of the block where the third ended too often: ``on_lost`` is called when it is given up, in
    another thread, and should have the block end.
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
        address = standing_engine(data_dir, progress=told, or_owned=beside)
    if address is not None:
        told.step(f"database: {address.origin}")
        yield address
        return
    engine = Engine(engine_folder(data_dir), version=engine_version, progress=told, brief=brief)
    watch = Watch(engine, on_lost=on_lost)
    try:
        address = engine.start()
        told.step(f"database: {address.origin}")
        watch.begin()
        yield address
    finally:
        watch.end()
        engine.stop()
        watch.join()
        if watch.failure is not None:
            raise watch.failure


def _without_credentials(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
