"""Fetching jars: through jgo, from a repository on this machine that can misbehave."""

from __future__ import annotations

import hashlib
import multiprocessing
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from graphid.graph.engine import RELEASES, DownloadFailed, Release, SilentProgress
from graphid.graph.engine.jars import ATTEMPTS, Jar, bring, jars_of, parse

NAME = "a few files"


@dataclass
class Repository:
    """A Maven repository with a few files, and a count of what was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    cut_short: set[str] = field(default_factory=set)
    """Paths whose next answer ends in the middle."""

    def add(self, artifact: str, content: bytes, classifier: str = "") -> Jar:
        jar = Jar("org.example", artifact, "1.0", classifier, hashlib.sha256(content).hexdigest())
        self.files[f"/{jar.path.as_posix()}"] = content
        return jar

    def jars_asked(self) -> int:
        return sum(count for path, count in self.asked.items() if path.endswith(".jar"))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    holding = Repository()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            holding.asked[self.path] += 1
            content = holding.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            if self.path in holding.cut_short:
                holding.cut_short.remove(self.path)
                content = content[: len(content) // 2] if content else None
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    # jgo's own configuration: this repository stands in for Central.
    configuration = tmp_path / "jgo.conf"
    configuration.write_text(
        f"[repositories]\ncentral = http://127.0.0.1:{server.server_address[1]}\n"
    )
    monkeypatch.setenv("JGO_CONFIG_FILE", str(configuration))
    yield holding
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "jars"


@pytest.fixture
def jars(repository: Repository) -> tuple[Jar, ...]:
    return (
        repository.add("one", b"1" * 100_000),
        repository.add("two", b"2" * 50_000, classifier="linux"),
        repository.add("three", b"3"),
    )


def are_right(jars: tuple[Jar, ...], folder: Path) -> bool:
    return all(
        hashlib.sha256((folder / jar.path).read_bytes()).hexdigest() == jar.sha256 for jar in jars
    )


def left_over(folder: Path) -> list[Path]:
    return list(folder.glob(".staging-*"))


def test_each_jar_is_fetched_once(
    repository: Repository, jars: tuple[Jar, ...], folder: Path
) -> None:
    bring(jars, folder, SilentProgress(), name=NAME)
    bring(jars, folder, SilentProgress(), name=NAME)
    assert are_right(jars, folder)
    assert repository.jars_asked() == len(jars)
    assert not any(path.endswith(".pom") for path in repository.asked)
    assert not left_over(folder)


def test_a_corrupted_jar_is_fetched_again_and_only_that(
    repository: Repository, jars: tuple[Jar, ...], folder: Path
) -> None:
    bring(jars, folder, SilentProgress(), name=NAME)
    (folder / jars[1].path).write_bytes(b"2" * 49_999 + b"x")
    repository.asked.clear()
    bring(jars, folder, SilentProgress(), name=NAME)
    assert are_right(jars, folder)
    assert repository.jars_asked() == 1


def test_a_lost_connection_is_tried_again(
    repository: Repository, jars: tuple[Jar, ...], folder: Path
) -> None:
    repository.cut_short.add(f"/{jars[0].path.as_posix()}")
    bring(jars, folder, SilentProgress(), name=NAME)
    assert are_right(jars, folder)
    assert repository.jars_asked() == len(jars) + 1


def test_a_jar_that_is_not_what_was_listed_is_refused_and_the_others_stay(
    repository: Repository, jars: tuple[Jar, ...], folder: Path
) -> None:
    swapped = f"/{jars[2].path.as_posix()}"
    repository.files[swapped] = b"evil"
    with pytest.raises(DownloadFailed, match=r"org\.example:three:1\.0 .*SHA-256") as failed:
        bring(jars, folder, SilentProgress(), name=NAME)
    assert "127.0.0.1" not in str(failed.value)
    assert repository.asked[swapped] == ATTEMPTS
    assert not (folder / jars[2].path).exists()
    assert are_right(jars[:2], folder)
    assert not left_over(folder)


def test_a_jar_that_is_nowhere_is_named(repository: Repository, folder: Path) -> None:
    nowhere = Jar("org.example", "nowhere", "1.0", "", "0" * 64)
    with pytest.raises(DownloadFailed, match=r"org\.example:nowhere:1\.0"):
        bring((nowhere,), folder, SilentProgress(), name=NAME)


def test_what_a_killed_process_left_is_swept(
    repository: Repository, jars: tuple[Jar, ...], folder: Path
) -> None:
    rubbish = folder / ".staging-killed"
    rubbish.mkdir(parents=True)
    (rubbish / "half.jar").write_bytes(b"half")
    bring(jars, folder, SilentProgress(), name=NAME)
    assert not left_over(folder)


def _bring_in_another_process(jars: tuple[Jar, ...], folder: Path) -> None:
    bring(jars, folder, SilentProgress(), name=NAME)


def test_processes_that_fetch_at_once_fetch_once(
    repository: Repository, jars: tuple[Jar, ...], folder: Path
) -> None:
    spawn = multiprocessing.get_context("spawn")
    others = [
        spawn.Process(target=_bring_in_another_process, args=(jars, folder)) for _ in range(3)
    ]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
        assert other.exitcode == 0
        other.close()
    assert are_right(jars, folder)
    assert repository.jars_asked() == len(jars)


@pytest.mark.parametrize("release", RELEASES.values(), ids=lambda release: release.version)
def test_a_committed_list_is_sound(release: Release) -> None:
    jars = jars_of(release)
    names = [f"{jar.group}:{jar.artifact}:{jar.classifier}" for jar in jars]
    assert len(set(names)) == len(names), "two versions of one jar"
    assert f"org.neo4j:neo4j:{release.version}" in {str(jar) for jar in jars}
    assert all(len(jar.sha256) == 64 for jar in jars)
    assert not {jar.group for jar in jars} & {"junit", "org.mockito", "org.hamcrest"}


def test_a_list_says_what_it_means() -> None:
    assert parse("# words\n\na.b:c:1 ff\na.b:c:1:linux-x86_64 ee\n") == (
        Jar("a.b", "c", "1", "", "ff"),
        Jar("a.b", "c", "1", "linux-x86_64", "ee"),
    )
