"""One engine on one data folder, from start to stop."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from graphid.graph.engine.address import Address
from graphid.graph.engine.errors import EngineError
from graphid.graph.engine.folder import Folder
from graphid.graph.engine.jars import class_path
from graphid.graph.engine.java import java_for
from graphid.graph.engine.process import Installation, PortTaken, Process, free_port
from graphid.graph.engine.progress import Progress, SilentProgress
from graphid.graph.engine.releases import DEFAULT_VERSION, release_of

USER = "neo4j"
DATABASE = "neo4j"
START_TIMEOUT = 180.0
"""Seconds from the start of the process to its first answer: 6 here, many on a busy machine."""
_PORT_ATTEMPTS = 3


class Engine:
    """A local Neo4j. It belongs to the process that starts it and stops with it.

    Use it as a context manager, which starts and stops it, or call ``start`` and ``stop``.
    Whoever else asks for the same folder meanwhile is told who holds it (FolderHeld).
    """

    def __init__(
        self,
        folder: Path,
        *,
        version: str = DEFAULT_VERSION,
        progress: Progress | None = None,
        heap: int = 512,
        page_cache: int = 128,
        cache: Path | None = None,
        brief: bool = False,
    ) -> None:
        """``folder`` is the engine's own; ``heap`` and ``page_cache`` are megabytes at most.

        ``cache`` is where the jars are kept, by default the user's cache folder. ``brief`` is for
        one that lives for minutes: it spends less on being fast later.
        """
        self.release = release_of(version)
        self.folder = Folder(folder)
        self._progress = progress or SilentProgress()
        self._heap = heap
        self._page_cache = page_cache
        self._cache = cache
        self._brief = brief
        self._process: Process | None = None
        self._installation: Installation | None = None
        self._lock: int | None = None
        self._starting = threading.Lock()
        """Held while the process is another from then on: who stops it stops the right one."""
        self.address: Address | None = None
        """Where it answers; None while it does not run or has been left standing."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def process_id(self) -> int | None:
        """Of the database itself; None when it is not running."""
        return self._process.pid if self._process and self._process.is_running else None

    def start(self, *, standing: bool = False) -> Address:
        """Start it and wait until it takes transactions.

        With ``standing`` it stays when this process ends, others find and use it, and ``stop`` is
        no longer for this object to do. Raises EngineError, and leaves nothing running then.
        """
        java = java_for(self.release)
        self.folder.require_fit(self.release)
        try:
            lock = self.folder.take(self.release, standing=standing)
            installation = Installation(
                release=self.release,
                java=java,
                class_path=class_path(self.release, self._progress, cache=self._cache),
                folder=self.folder,
            )
            address = self._start_on_free_port(installation, lock)
            assert self._process is not None
            self._note(self._process, address.uri)
            if standing:
                self._process.stay()
                self._process = None
                self.folder.release()
            else:
                self.address = address
                self._installation, self._lock = installation, lock
        except BaseException:
            self.stop()
            raise
        return address

    def stop(self) -> None:
        """Stop it, wait until it has, and free the folder. May be repeated."""
        with self._starting:
            process, self._process = self._process, None
            self.address = None
        if process is not None:
            process.stop()
        self.folder.release()

    def wait(self) -> int:
        """Wait until the database has ended, of itself or because it was stopped: its exit code."""
        process = self._process
        return 0 if process is None else process.wait()

    def start_again(self) -> None:
        """Start a database that has ended by itself, where it was; wait until it answers.

        Raises EngineError, also where it is stopped meanwhile or was already.
        """
        with self._starting:
            address, installation, lock = self.address, self._installation, self._lock
            if address is None or installation is None or lock is None:
                raise EngineError("The engine has been stopped.")
            assert self._process is not None
            self._process.stop()
            # Who uses it knows the port, so it is the same, or none.
            self._process = process = self._process_of(installation, lock, port_of(address))
        self._note(process, None)
        process.wait_until_it_answers(address, timeout=START_TIMEOUT)
        self._note(process, address.uri)

    def _note(self, process: Process, uri: str | None) -> None:
        self.folder.note(supervisor=process.supervisor_pid, process=process.pid, uri=uri)

    def _start_on_free_port(self, installation: Installation, lock: int) -> Address:
        for attempt in range(_PORT_ATTEMPTS):
            port = free_port()
            self.folder.prepare(
                self.release, port=port, page_cache=self._page_cache, brief=self._brief
            )
            password = self._password(installation, lock)
            self._progress.step(f"starting Neo4j {self.release.version} in {self.folder.shown}")
            self._process = self._process_of(installation, lock, port)
            self._note(self._process, None)
            address = Address(
                uri=f"bolt://127.0.0.1:{port}",
                user=USER,
                password=password,
                database=DATABASE,
                origin=f"local engine {self.release.version} in {self.folder.shown}",
            )
            try:
                self._process.wait_until_it_answers(address, timeout=START_TIMEOUT)
            except PortTaken:
                if attempt == _PORT_ATTEMPTS - 1:
                    raise
                self._process.stop()
            else:
                return address
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _process_of(self, installation: Installation, lock: int, port: int) -> Process:
        return Process(installation, lock=lock, port=port, heap=self._heap, brief=self._brief)

    def _password(self, installation: Installation, lock: int) -> str:
        known = self.folder.password()
        if known is not None:
            return known
        self._progress.step("setting a password for the new database")
        with self.folder.new_password() as password:
            installation.admin("dbms", "set-initial-password", password, lock=lock, brief=True)
        return password


def port_of(address: Address) -> int:
    """The port of an engine of ours."""
    return int(address.uri.rpartition(":")[2])
