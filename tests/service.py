"""The service as a process of its own, and a client that costs next to nothing."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from graphid.graph.engine import Address

SECRET_KEY = "sk_of_the_tests"
PUBLISHABLE_KEY = "pk_of_the_tests"
OTHER_PUBLISHABLE_KEY = "pk_of_another_site"
SAYS_WHERE = "the service answers at "


class Client:
    """One connection to the service, with one key."""

    def __init__(self, url: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """The JSON object of the answer; AssertionError where it is no success."""
        found = self.send(path, json.dumps(body).encode())
        assert not found.get("errors"), found
        return found

    def send(self, path: str, body: bytes) -> dict[str, Any]:
        """As ``post``, of what is JSON already; its errors are the caller's to look at."""
        try:
            status, said = self._exchange(path, body)
        except ConnectionError:
            # The service closes connections that were idle; messages can be sent again.
            self._connection.close()
            status, said = self._exchange(path, body)
        found: dict[str, Any] = json.loads(said)
        assert status == 200, found
        return found

    def _exchange(self, path: str, body: bytes) -> tuple[int, bytes]:
        self._connection.request("POST", path, body, self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        self._connection.close()

    def graphql(self, document: str, **variables: Any) -> dict[str, Any]:
        """The ``data`` of the answer."""
        found = self.post("/graphql", {"query": document, "variables": variables})
        data: dict[str, Any] = found["data"]
        return data


class Service:
    """A running ``graphid serve``."""

    def __init__(self, url: str, process: int) -> None:
        self.url = url
        self._process = process
        self.clients: list[Client] = []
        self.log: list[str] = []
        """The lines that it wrote; complete when it has ended."""

    def client(self, key: str = SECRET_KEY) -> Client:
        """A client of the service's, which is closed with it."""
        self.clients.append(Client(self.url, key))
        return self.clients[-1]

    @property
    def megabytes(self) -> float:
        """Resident memory of the process."""
        status = Path(f"/proc/{self._process}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    @property
    def busy_seconds(self) -> float:
        """Processor time that the process has used."""
        fields = Path(f"/proc/{self._process}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running_service(address: Address, folder: Path, **more: str) -> Iterator[Service]:
    """The service on a database, for as long as the block runs; ``more``: of its settings."""
    environment = {
        **os.environ,
        "GRAPHID_NEO4J_URI": address.uri,
        "GRAPHID_NEO4J_USER": address.user,
        "GRAPHID_NEO4J_PASSWORD": address.password,
        "GRAPHID_NEO4J_DATABASE": address.database,
        "GRAPHID_DATA_DIR": str(folder),
        "GRAPHID_PORT": "0",
        "GRAPHID_SECRET_KEYS": SECRET_KEY,
        "GRAPHID_PUBLISHABLE_KEYS": f"{PUBLISHABLE_KEY},{OTHER_PUBLISHABLE_KEY}",
        "GRAPHID_LOG_LEVEL": "warning",
        "GRAPHID_REQUEST_TIMEOUT": "120",
        **more,
    }
    command = [sys.executable, "-m", "graphid", "serve"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        while SAYS_WHERE not in said:
            said = process.stderr.readline()
            assert said, f"the service ended with {process.wait()}"
        service = Service(said.partition(SAYS_WHERE)[2].strip(), process.pid)
        # Read all along: whose log nobody reads stands still when the pipe is full.
        reader = threading.Thread(target=service.log.extend, args=(process.stderr,))
        reader.start()
        try:
            yield service
        finally:
            for client in service.clients:
                client.close()
            process.terminate()
            reader.join()
