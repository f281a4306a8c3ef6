"""Programs of Node that use graphid as its customers' programs do: with clients from npm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json")
SECONDS = 120
"""For one program; it takes a few."""


class Node:
    """The programs beside this file, with their packages installed in a folder."""

    def __init__(self, node: str, folder: Path) -> None:
        self._node = node
        self._folder = folder

    @property
    def modules(self) -> Path:
        """Where the packages are."""
        return self._folder / "node_modules"

    def run(self, program: str, url: str, key: str, **more: str) -> Any:
        """What a program prints, which is JSON. ``more``: for its environment."""
        done = subprocess.run(
            [self._node, program],
            cwd=self._folder,
            env={**os.environ, "URL": url, "KEY": key, **more},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def installed(folder: Path) -> Node:
    """The programs, in a folder. Skips the test where there is no Node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("NO NODE HERE: GraphQL over HTTP and the clients from npm were NOT tested")
    for name in (*FILES, *(path.name for path in HERE.glob("*.mjs"))):
        shutil.copy(HERE / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Node(node, folder)
