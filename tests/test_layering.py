"""Imports point downwards only, as ``architecture.md`` draws the layers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import graphid

PACKAGE = Path(graphid.__file__).parent

COMMON = {"errors", "log"}
"""What every layer may use; identity only the errors."""

MAY_IMPORT: Mapping[str, set[str]] = {
    "identity": {"errors"},
    "errors": set(),
    "log": set(),
    "settings": {"errors", "auth"},
    "auth": {"errors", "log"},
    "graph": {"errors", "log", "identity", "settings"},
    "service": {*COMMON, "identity", "graph", "auth"},
    "api": {*COMMON, "service", "identity", "graph", "auth", "settings"},
    "http": {*COMMON, "service", "identity", "graph", "auth", "settings", "api"},
    "wiring_of_databases": {*COMMON, "identity", "graph", "settings"},
    "wiring": {
        *COMMON,
        *("wiring_of_databases", "http", "api", "service", "identity", "graph", "auth", "settings"),
    },
    "wiring_of_commands": {*COMMON, "wiring_of_databases", "service", "graph", "settings"},
    "wiring_of_files": {
        *COMMON,
        *("wiring_of_databases", "http", "service", "identity", "graph", "auth", "settings"),
    },
    "wiring_of_retention": {*COMMON, "wiring_of_databases", "service", "graph", "settings"},
    "wiring_of_loads": {
        *COMMON,
        *("wiring_of_databases", "wiring_of_files", "http", "service", "identity", "graph"),
        *("auth", "settings"),
    },
    "cli": {
        *COMMON,
        "demo",
        "wiring",
        "wiring_of_commands",
        "wiring_of_files",
        "wiring_of_loads",
        "wiring_of_retention",
        "http",
        "api",
        "service",
        "identity",
        "graph",
        "auth",
        "settings",
    },
    # The demo talks to the service as a customer's programs do, so it sees nothing inside.
    "demo": {*COMMON, "wiring", "settings", "graph"},
    "__main__": {"cli"},
    "__init__": set(),
}
PURE = {
    "identity": {
        *("neo4j", "strawberry", "starlette", "uvicorn", "structlog", "asyncio", "os", "socket"),
        *("random", "secrets", "time", "pathlib", "httpx", "subprocess", "threading", "uuid"),
    },
}
"""Libraries that a layer may not import: no driver, no clock, no I/O, no randomness, no GraphQL."""

DRIVER = {
    *("graph/database.py", "graph/exchange.py", "graph/sessions.py"),
    *("graph/faults.py", "graph/values.py", "graph/engine/address.py"),
}
"""The only modules that may import the Neo4j driver."""


def test_imports_point_downwards() -> None:
    sources = {
        file.relative_to(PACKAGE).as_posix(): file.read_text() for file in PACKAGE.rglob("*.py")
    }
    assert len(sources) > 10
    assert faults(sources) == []


def faults(sources: Mapping[str, str]) -> list[str]:
    """Every import, by path below the package, that the layers do not allow."""
    found = []
    for path, text in sorted(sources.items()):
        layer = layer_of(path.removesuffix(".py").split("/"))
        for line, name in imports(ast.parse(text), ["graphid", *path.split("/")[:-1]]):
            parts = name.split(".")
            if parts[0] == "graphid":
                target = layer_of(parts[1:])
                if target != layer and target not in MAY_IMPORT.get(layer, set()):
                    found.append(f"{path}:{line} {layer} may not import {name}")
            elif parts[0] in PURE.get(layer, set()):
                found.append(f"{path}:{line} {layer} may not import {name}")
            elif parts[0] == "neo4j" and path not in DRIVER:
                found.append(f"{path}:{line} only {', '.join(sorted(DRIVER))} import the driver")
    return found


def layer_of(parts: list[str]) -> str:
    return parts[0] if parts else "__init__"


def imports(tree: ast.Module, package: list[str]) -> Iterator[tuple[int, str]]:
    """Every imported name, also inside functions, absolute; ``from graphid import x`` is x."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            if module == "graphid":
                yield from ((node.lineno, f"graphid.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, module


# The check can fail ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("identity/fold.py", "from graphid.graph.database import Database"),
        ("identity/fold.py", "from graphid import service"),
        ("identity/fold.py", "def f():\n    import random"),
        ("identity/fold.py", "from time import monotonic"),
        ("identity/fold.py", "from ..graph import database"),
        ("graph/evidence.py", "import graphid.service.ingest"),
        ("graph/evidence.py", "import neo4j"),
        ("service/ingest.py", "from graphid.http.app import create_app"),
        ("service/ingest.py", "from neo4j.exceptions import Neo4jError"),
        ("auth/keys.py", "from graphid.service import ingest"),
        ("api/schema.py", "from graphid.wiring import run_service"),
        ("errors.py", "from graphid import settings"),
        ("demo/play.py", "from graphid.service import ingest"),
        ("wiring.py", "from graphid.demo.play import play"),
        ("unknown/new.py", "from graphid.graph import database"),
    ],
)
def test_an_import_upwards_is_found(path: str, source: str) -> None:
    assert len(faults({path: source})) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("identity/fold.py", "from graphid.errors import InvalidInput"),
        ("identity/fold.py", "from graphid.identity.values import Identifier"),
        ("identity/fold.py", "from .values import Identifier"),
        ("service/ingest.py", "from graphid.graph.database import Database"),
        ("cli/main.py", "from graphid.wiring import run_service"),
        ("graph/database.py", "import neo4j"),
    ],
)
def test_an_import_downwards_is_not(path: str, source: str) -> None:
    assert faults({path: source}) == []
