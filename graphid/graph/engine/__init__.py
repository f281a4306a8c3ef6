"""Where the database comes from: an address that was given, a standing engine, or our own child.

``running_database`` is the one call that services, demos and tests need. The parts, bottom up:

    errors      what can go wrong, for the person at the terminal
    progress    how the slow steps are told
    address     where a database answers, and as whom
    releases    the Neo4j versions that we can start, and the Java that each wants
    jars        the committed list of jars, fetched once into the user's cache folder
    java        the Java runtime that comes as a Python package
    exchange    one folder takes the place of another
    folder      the data folder: who holds it, password, configuration
    supervisor  a small process that ends the database when its owner is gone
    process     the database as a child process
    engine      one engine on one data folder, from start to stop
    standing    the engine that stays until it is told to stop
    watch       starts an engine again that ended by itself
    find        the order in which a database is looked for
"""

from graphid.graph.engine.address import Address
from graphid.graph.engine.engine import Engine
from graphid.graph.engine.errors import DownloadFailed, EngineError, FolderHeld
from graphid.graph.engine.find import running_database
from graphid.graph.engine.folder import Folder, Holder
from graphid.graph.engine.progress import Progress, SilentProgress, TerminalProgress
from graphid.graph.engine.releases import DEFAULT_VERSION, RELEASES, Release, release_of
from graphid.graph.engine.standing import (
    engine_folder,
    standing_engine,
    stop_standing_engine,
)

__all__ = [
    "DEFAULT_VERSION",
    "RELEASES",
    "Address",
    "DownloadFailed",
    "Engine",
    "EngineError",
    "Folder",
    "FolderHeld",
    "Holder",
    "Progress",
    "Release",
    "SilentProgress",
    "TerminalProgress",
    "engine_folder",
    "release_of",
    "running_database",
    "standing_engine",
    "stop_standing_engine",
]
