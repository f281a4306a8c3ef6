"""Chromium without a window, and what a page in it sends: by its debugging protocol."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
LISTENS = "DevTools listening on "
PATIENCE = 30.0
"""Seconds for what takes a tenth of one."""


@dataclass
class Sent:
    """A request of a page, and the status of its answer once there is one."""

    method: str
    url: str
    headers: dict[str, str]
    body: str
    status: int = 0


class Page:
    """One page of a browser profile of its own."""

    def __init__(self, chromium: Chromium, session: str) -> None:
        self._chromium = chromium
        self._session = session
        self.requests: dict[str, Sent] = {}
        """What it asked and sent, in order, by Chromium's id."""
        self.complaints: list[str] = []
        """What it wrote to the console as an error, or did not catch."""
        chromium.pages[session] = self

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What Chromium answers."""
        return self._chromium.ask(method, self._session, **parameters)

    def open(self, url: str) -> None:
        """Go there, until all scripts of the page have run."""
        self.ask("Page.navigate", url=url)
        self.run(
            "new Promise((done) => { document.readyState === 'complete' ? done() : "
            "window.addEventListener('load', () => done()); })"
        )

    def run(self, script: str) -> Any:
        """The value of a script, once it is there."""
        found = self.ask(
            "Runtime.evaluate",
            expression=f"(async () => {{ return await ({script}); }})()",
            awaitPromise=True,
            returnByValue=True,
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def posted(self, host: str, many: int) -> list[Sent]:
        """What it has sent to a host, once that many of it are answered with success."""
        deadline = monotonic() + PATIENCE
        while True:
            sent = [
                r for r in self.requests.values() if r.method == "POST" and r.url.startswith(host)
            ]
            if sum(r.status == 200 for r in sent) >= many:
                return sent
            assert monotonic() < deadline, (sent, self.complaints)
            self._chromium.listen(deadline - monotonic())

    def take(self, method: str, parameters: dict[str, Any]) -> None:
        """Note what Chromium tells of the page."""
        if method == "Network.requestWillBeSent":
            request = parameters["request"]
            sent = Sent(
                request["method"], request["url"], request["headers"], request.get("postData", "")
            )
            self.requests[parameters["requestId"]] = sent
        elif method == "Network.responseReceived":
            if parameters["requestId"] in self.requests:
                self.requests[parameters["requestId"]].status = parameters["response"]["status"]
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(parameters["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and parameters["type"] == "error":
            self.complaints.append(json.dumps(parameters["args"]))


class Chromium:
    """The browser."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self.pages: dict[str, Page] = {}

    def page(self) -> Page:
        """A page whose cookies and storage no other has."""
        context = self.ask("Target.createBrowserContext")["browserContextId"]
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=context)
        attached = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, attached["sessionId"])
        for domain in ("Page", "Runtime", "Network"):
            page.ask(f"{domain}.enable")
        return page

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """What it answers; what it tells of its pages meanwhile is theirs."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        self._connection.send(json.dumps(message))
        while True:
            told = self.listen(PATIENCE)
            if told.get("id") == number:
                assert "error" not in told, (method, told["error"])
                found: dict[str, Any] = told["result"]
                return found

    def listen(self, seconds: float) -> dict[str, Any]:
        """The next thing that it tells. Raises TimeoutError."""
        told: dict[str, Any] = json.loads(self._connection.recv(timeout=seconds))
        page = self.pages.get(told.get("sessionId", ""))
        if page is not None and "method" in told:
            page.take(told["method"], told["params"])
        return told


@contextmanager
def running_chromium(folder: Path) -> Iterator[Chromium]:
    """A browser with a profile in a folder; skips the test where none is installed."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("NO CHROMIUM HERE: the SDKs of browsers were NOT tested")
    command = [
        program,
        "--headless=new",
        "--no-sandbox",  # which root cannot have
        "--no-first-run",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-extensions",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--remote-debugging-port=0",
        f"--user-data-dir={folder}",
        "about:blank",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        while LISTENS not in said:
            said = process.stderr.readline()
            assert said, f"Chromium ended with {process.wait()}"
        # Read all along: whose log nobody reads stands still when the pipe is full.
        reader = threading.Thread(target=process.stderr.read)
        reader.start()
        try:
            address = said.partition(LISTENS)[2].strip()
            # No pings: their content is drawn from Python's own generator, by a thread, and
            # Hypothesis refuses to go on where somebody else draws from it.
            with connect(address, max_size=None, proxy=None, ping_interval=None) as connection:
                yield Chromium(connection)
        finally:
            process.terminate()
            reader.join()
