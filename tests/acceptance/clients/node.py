"""npm's clients of subscriptions, as processes of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json", "subscribe.mjs")


class Subscriber:
    """One subscription of one client."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def line(self) -> dict[str, Any]:
        """The next thing that it says."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said, f"the client ended with {self._process.wait()}"
        found: dict[str, Any] = json.loads(said)
        return found

    def result(self, field: str) -> dict[str, Any]:
        """The next result."""
        said = self.line()
        assert "result" in said, said
        assert not said["result"].get("errors"), said
        found: dict[str, Any] = said["result"]["data"][field]
        return found


class NodeClients:
    """The clients, installed into a folder."""

    def __init__(self, node: str, folder: Path) -> None:
        self._node = node
        self._folder = folder

    @contextmanager
    def subscribed(
        self,
        transport: str,
        url: str,
        key: str,
        document: str,
        *,
        most: int = 1000,
        **variables: Any,
    ) -> Iterator[Subscriber]:
        """A subscription under way, for as long as the block runs."""
        arguments = [transport, f"{url}/graphql", key, document, json.dumps(variables), str(most)]
        command = [self._node, "subscribe.mjs", *arguments]
        with subprocess.Popen(
            command, cwd=self._folder, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                yield Subscriber(process)
            finally:
                process.terminate()


@contextmanager
def installed_clients(folder: Path) -> Iterator[NodeClients]:
    """The clients, installed; skips the test where there is no Node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("NO NODE HERE: subscriptions were NOT tried with npm's clients")
    for name in FILES:
        shutil.copy(HERE / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    yield NodeClients(node, folder)
