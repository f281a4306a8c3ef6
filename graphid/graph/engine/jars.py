"""The jars of one release: a committed list, fetched once into the user's cache folder.

Resolving Maven's dependency trees takes a minute of CPU, so it was done once (``make jars``) and
the outcome is committed: one jar a line, ``group:artifact:version[:classifier] sha256``, without
any address. Where a jar comes from is the business of jgo and its configuration; that it is the
right one is ours: every jar's SHA-256 is checked before every start, and a jar that does not match
is fetched again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from graphid.graph.engine.errors import DownloadFailed
from graphid.graph.engine.progress import Progress
from graphid.graph.engine.releases import Release

if TYPE_CHECKING:
    from jgo.maven import MavenContext

THREADS = 8
ATTEMPTS = 3
"""How often one jar is tried: a registry that hiccups once among 200 requests is ordinary."""
NETWORK_TIMEOUT = 60
"""Seconds without a byte until a request is given up."""


@dataclass(frozen=True)
class Jar:
    """One file of the class path."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where the jar lies below a repository folder, as Maven lays it out."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        name = f"{self.artifact}-{self.version}{suffix}.jar"
        return Path(*self.group.split("."), self.artifact, self.version, name)

    def __str__(self) -> str:
        parts = (self.group, self.artifact, self.version, self.classifier)
        return ":".join(part for part in parts if part)


def parse(text: str) -> tuple[Jar, ...]:
    """The jars of a list. Empty lines and lines that begin with # say nothing."""
    jars = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            coordinate, sha256 = line.split()
            group, artifact, version, *classifier = coordinate.split(":")
            jars.append(Jar(group, artifact, version, "".join(classifier), sha256))
    return tuple(jars)


def jars_of(release: Release) -> tuple[Jar, ...]:
    """The committed list of this release."""
    return parse((resources.files(__package__) / release.jar_list).read_text("utf-8"))


def cache_folder() -> Path:
    """graphid's folder among the user's caches, as the platform has it. May not exist yet."""
    if configured := os.environ.get("XDG_CACHE_HOME"):
        return Path(configured) / "graphid"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "graphid"
    return Path.home() / ".cache" / "graphid"


def class_path(release: Release, progress: Progress, *, cache: Path | None = None) -> list[Path]:
    """Files of all jars of the release, each checked, in the order of the list.

    ``cache`` is the folder to keep them in, by default ours among the user's caches. Raises
    DownloadFailed when a jar cannot be had.
    """
    folder = (cache or cache_folder()) / "jars"
    jars = jars_of(release)
    bring(jars, folder, progress, name=f"Neo4j {release.version}")
    return [folder / jar.path for jar in jars]


def bring(jars: tuple[Jar, ...], folder: Path, progress: Progress, *, name: str) -> None:
    """Have every jar in the folder and right: fetch those that are not, and only those.

    Safe when several processes ask at once: one fetches, the others wait for it and then find
    everything there. Raises DownloadFailed when a jar cannot be had.
    """
    missing = _unfit(jars, folder)
    if not missing:
        return
    progress.step(f"fetching {name}: {len(missing)} of {len(jars)} files, once, into {folder}")
    with _sole_fetcher(folder, progress) as staging:
        # Whoever held the lock before us may have brought them.
        _fetch(_unfit(missing, folder), folder, staging, progress)


def _unfit(jars: tuple[Jar, ...], folder: Path) -> tuple[Jar, ...]:
    """The jars that are not in the folder or are not what the list says."""
    # hashlib lets go of the interpreter while it works, so threads use every core.
    with ThreadPoolExecutor(THREADS) as threads:
        fits = threads.map(lambda jar: _sha256(folder / jar.path) == jar.sha256, jars)
        return tuple(jar for jar, fit in zip(jars, fits, strict=True) if not fit)


def _sha256(file: Path) -> str | None:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError:
        return None


@contextmanager
def _sole_fetcher(folder: Path, progress: Progress) -> Iterator[Path]:
    """Be the only process that fetches into the folder; yields an empty folder beside the jars."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.step("waiting for another process that fetches the same files")
            fcntl.flock(lock, fcntl.LOCK_EX)
        # With the lock in hand, what others staged is rubbish of processes that were killed.
        for left in folder.glob(".staging-*"):
            shutil.rmtree(left, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=folder))
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _fetch(jars: tuple[Jar, ...], folder: Path, staging: Path, progress: Progress) -> None:
    """Fetch, check and put in place. Raises DownloadFailed; what arrived before stays."""
    count = _Count(len(jars), progress)
    context = _maven(staging, count)
    with ThreadPoolExecutor(THREADS) as threads:
        work = [threads.submit(partial(_fetch_one, jar, folder, context, count)) for jar in jars]
        try:
            for one in work:
                one.result()
        except BaseException:
            for one in work:
                one.cancel()
            raise


def _fetch_one(jar: Jar, folder: Path, context: MavenContext, count: _Count) -> None:
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    artifact = component.artifact(jar.classifier)
    staged = context.repo_cache / jar.path
    fault = ""
    for _ in range(ATTEMPTS):
        # jgo takes a file that is there for whole, also one that a lost connection cut short.
        staged.unlink(missing_ok=True)
        try:
            arrived = artifact.resolve()
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
            fault = type(error).__name__
            continue
        found = _sha256(arrived)
        if found == jar.sha256:
            place = folder / jar.path
            place.parent.mkdir(parents=True, exist_ok=True)
            arrived.replace(place)
            count.one_more()
            return
        fault = f"its SHA-256 is {found}, not {jar.sha256}"
    raise DownloadFailed(
        f"Could not fetch {jar} ({fault}). Check the network and, where Maven packages come from "
        "a mirror, the [repositories] in jgo's configuration; then run the same command again: "
        "what has arrived stays."
    )


def _maven(staging: Path, count: _Count) -> MavenContext:
    """jgo's way to Maven Central, and to the repositories that the user has configured for it.

    One that is configured by the name ``central`` stands in for Central, as in Maven.
    """
    # Imported here because it costs a start 0.2 s, and only the first start fetches.
    from jgo.config import GlobalSettings  # noqa: PLC0415
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415

    return MavenContext(
        resolver=PythonResolver(progress_callback=count.one_file),
        repo_cache=staging,
        remote_repos={"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories},
        timeout=NETWORK_TIMEOUT,
    )


class _Count:
    """What has arrived, added up over all threads."""

    def __init__(self, of_files: int, progress: Progress) -> None:
        self._lock = threading.Lock()
        self._progress = progress
        self._of_files = of_files
        self._files = 0
        self._bytes = 0

    def one_more(self) -> None:
        with self._lock:
            self._files += 1
            self._tell()

    @contextmanager
    def one_file(self, _name: str, _size: int) -> Iterator[_Count]:
        """jgo's progress callback: a context in which it calls what it is given with each chunk."""
        yield self

    def __call__(self, size: int) -> None:
        with self._lock:
            self._bytes += size
            # Chunks are 8 kB; a terminal wants to hear less often.
            if self._bytes % (1 << 20) < size:
                self._tell()

    def _tell(self) -> None:
        self._progress.fetched(self._files, self._of_files, self._bytes)
