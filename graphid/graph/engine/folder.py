"""The data folder of an engine: who holds it, its password, its configuration.

lock           taken with flock by the holder, so the kernel frees it however the holder ends
holder.json    who holds it, since when and where it answers; believed only while locked
password       of the database user; readable by its owner only
version        of the Neo4j that wrote the data last
conf/ data/ logs/ run/ tmp/ import/ plugins/    Neo4j's own
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from graphid.graph.engine.errors import EngineError, FolderHeld
from graphid.graph.engine.releases import Release

LOCK_PATIENCE = 0.5
"""Seconds to try for the lock: someone who only looks holds it for less than a millisecond."""


@dataclass(frozen=True)
class Holder:
    """The process that holds a folder."""

    owner: int
    """Process id of whoever started the engine. Gone, where the engine is standing."""
    command: str
    since: str
    """ISO 8601, UTC, to the second."""
    version: str
    standing: bool
    """Whether it stays when its starter is gone, and others may use it."""
    supervisor: int | None = None
    process: int | None = None
    uri: str | None = None
    """Where it answers; None until it does."""

    def __str__(self) -> str:
        if self.standing:
            return f"the standing engine (process {self.supervisor}, since {self.since})"
        return f"process {self.owner} ({self.command}, since {self.since})"


class Folder:
    """One data folder of an engine. Holds no state of its own but the lock."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None

    @property
    def console_log(self) -> Path:
        """What the database wrote to its standard output since its last start."""
        return self.path / "logs" / "console.log"

    @property
    def shown(self) -> str:
        """The path as people type it: relative where the folder is below the current one."""
        return _shown(self.path)

    # -- who holds it --

    def take(self, release: Release, *, standing: bool) -> int:
        """Lock the folder and say so in it; the descriptor of the lock, for children to inherit.

        Raises FolderHeld, which says by whom, and EngineError where it cannot be written.
        """
        with usable(self.path):
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = self._open_lock()
        deadline = time.monotonic() + LOCK_PATIENCE
        while not _flock(lock, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                os.close(lock)
                raise FolderHeld(self._who_holds_it())
            time.sleep(0.02)
        self._lock = lock
        holder = Holder(
            owner=os.getpid(),
            command=_own_name(),
            since=datetime.now(UTC).isoformat(timespec="seconds"),
            version=release.version,
            standing=standing,
        )
        with usable(self.path):
            self.write_holder(holder)
        return lock

    def release(self) -> None:
        """Let go of our hold; children that inherited it may still have theirs. May be repeated."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def write_holder(self, holder: Holder) -> None:
        """Say who holds the folder. Only for whoever has the lock."""
        _write(self.path / "holder.json", json.dumps(asdict(holder), indent=2) + "\n", mode=0o644)

    def note(self, *, supervisor: int, process: int, uri: str | None) -> None:
        """Add to what is said of the holder."""
        holder = self._read_holder()
        if holder is not None:
            self.write_holder(replace(holder, supervisor=supervisor, process=process, uri=uri))

    def holder(self) -> Holder | None:
        """Who holds the folder now; None when nobody does, whatever stale files say.

        A holder that has locked but not yet written is waited for.
        """
        deadline = time.monotonic() + LOCK_PATIENCE
        while self.is_locked():
            holder = self._read_holder()
            if holder is not None and any(
                is_alive(process)
                for process in (holder.owner, holder.supervisor, holder.process)
                if process
            ):
                return holder
            if time.monotonic() > deadline:
                raise EngineError(
                    f"The folder {self.shown} is locked, and the process that {self.shown}/"
                    "holder.json names is gone: wait until its engine has stopped, or see who "
                    f"has {self.shown}/lock open."
                )
            time.sleep(0.02)
        return None

    @property
    def last_owner(self) -> int | None:
        """The process id of whoever held the folder last."""
        holder = self._read_holder()
        return None if holder is None else holder.owner

    def _who_holds_it(self) -> str:
        holder = self.holder()
        if holder is None:
            return f"The data folder {self.shown} was held a moment ago: try again."
        cure = (
            "use it, or stop it with: graphid engine stop"
            if holder.standing
            else "stop that, or choose another folder with GRAPHID_DATA_DIR. For one engine that "
            "several commands share: graphid engine start"
        )
        return f"The data folder {self.shown} is held by {holder}; {cure}."

    def _open_lock(self) -> int:
        return os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def is_locked(self) -> bool:
        """Whether an engine, or someone about to start one, holds the folder at this moment."""
        with usable(self.path):
            if not (self.path / "lock").exists():
                return False
            lock = self._open_lock()
        try:
            # Shared, so that two who look do not take each other for the holder.
            return not _flock(lock, fcntl.LOCK_SH)
        finally:
            os.close(lock)

    def _read_holder(self) -> Holder | None:
        try:
            return Holder(**json.loads((self.path / "holder.json").read_text("utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            # Cut short by a power cut, or written by another version of graphid.
            return None

    # -- what it holds --

    def password(self) -> str | None:
        """The database password, where one has been set."""
        try:
            return (self.path / "password").read_text("utf-8").strip()
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def new_password(self) -> Iterator[str]:
        """A generated password that is kept if the block, which sets it, succeeds."""
        password = secrets.token_hex(24)  # letters and digits: never an option
        yield password
        _write(self.path / "password", password + "\n", mode=0o600)

    def require_fit(self, release: Release) -> None:
        """Raise EngineError if a later Neo4j wrote the data: it cannot be read by an earlier."""
        try:
            written_by = (self.path / "version").read_text("utf-8").strip()
        except FileNotFoundError:
            return
        if _order(written_by) > _order(release.version):
            raise EngineError(
                f"The data in {self.shown} was written by Neo4j {written_by}, which Neo4j "
                f"{release.version} cannot read: set GRAPHID_ENGINE_VERSION={written_by}, or "
                "choose another folder with GRAPHID_DATA_DIR."
            )

    def prepare(self, release: Release, *, port: int, page_cache: int, brief: bool = False) -> None:
        """Lay out the folders and write neo4j.conf. ``page_cache`` is in megabytes; a ``brief``
        database keeps the plan of a statement, however much it grows meanwhile."""
        for name in ("conf", "data", "logs", "run", "tmp", "import", "plugins"):
            (self.path / name).mkdir(mode=0o700, exist_ok=True)
        lines = (
            "# Written by graphid before each start; changes are lost.",
            f"server.bolt.listen_address=127.0.0.1:{port}",
            f"server.bolt.advertised_address=127.0.0.1:{port}",
            "server.http.enabled=false",
            "server.https.enabled=false",
            "dbms.security.auth_enabled=true",
            "dbms.usage_report.enabled=false",
            f"server.memory.pagecache.size={page_cache}m",
            # The log of past transactions is of use to clusters and backups; keep little.
            "db.tx_log.rotation.retention_policy=keep_none",
            "db.tx_log.preallocate=false",
            "db.index.fulltext.eventually_consistent_refresh_interval=1s",
            *(("dbms.cypher.min_replan_interval=1d",) if brief else ()),
            *release.configuration,
        )
        _write(self.path / "conf" / "neo4j.conf", "\n".join(lines) + "\n", mode=0o600)
        _write(self.path / "version", release.version + "\n", mode=0o644)


@contextlib.contextmanager
def usable(path: Path) -> Iterator[None]:
    """Raises EngineError where the block finds that what is below the data folder cannot be had."""
    try:
        yield
    except OSError as error:
        raise EngineError(
            f"{_shown(path)} cannot be used: {error.strerror}; choose another data folder with "
            "GRAPHID_DATA_DIR."
        ) from error


def _shown(path: Path) -> str:
    try:
        return f"./{path.relative_to(Path.cwd())}"
    except ValueError:
        return str(path)


def _write(file: Path, text: str, *, mode: int) -> None:
    """Whole or not at all, and never readable by others for a moment in between."""
    beside = file.with_name(f"{file.name}.{os.getpid()}.new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as opened:
        opened.write(text)
    beside.replace(file)


def _flock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_alive(process: int) -> bool:
    """Whether there is a process with this id; it may be another's."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _own_name() -> str:
    """The command as typed, without its options: those may hold secrets."""
    words = [Path(sys.argv[0]).name]
    for word in sys.argv[1:3]:
        if word.startswith("-"):
            break
        words.append(word)
    return " ".join(words)


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
