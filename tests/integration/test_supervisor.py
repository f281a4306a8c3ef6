"""The small process that ends the database when its owner is gone, with a stand-in for Neo4j."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from graphid.graph.engine import supervisor

# Says that it runs, and when it is asked to stop; "deaf" does not stop when it is asked.
COMMAND = """
import signal, sys, time
def stop(*_):
    print("asked to stop", flush=True)
    if "deaf" not in sys.argv:
        sys.exit(7)
signal.signal(signal.SIGTERM, stop)
print("runs", flush=True)
while True:
    signal.pause()
"""
PATIENCE = 20.0

Supervised = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def supervised(tmp_path: Path, log: Path) -> Iterator[Supervised]:
    """Starts the command below a supervisor; both are gone after the test, whatever it did."""
    started: list[subprocess.Popen[bytes]] = []
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    # The command writes into a named pipe, so that a test can wait for its words.
    os.mkfifo(log)

    command = [sys.executable, "-c", COMMAND]

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-I", supervisor.__file__, str(log), str(lock), *command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(lock,),
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    os.close(lock)
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def test_it_tells_the_process_id_and_ends_the_command_with_its_owner(
    supervised: Supervised, log: Path
) -> None:
    process = supervised()
    assert process.stdin is not None
    assert process.stdout is not None
    with log.open() as said:
        assert said.readline() == "runs\n"
        command = int(process.stdout.readline())
        os.kill(command, 0)
        process.stdin.close()  # all that the kernel does when an owner dies, kill -9 included
        assert said.read() == "asked to stop\n"
    assert process.wait(PATIENCE) == 7
    with pytest.raises(ProcessLookupError):
        os.kill(command, 0)


def test_it_ends_the_command_when_it_is_asked_to_end(supervised: Supervised, log: Path) -> None:
    process = supervised()
    with log.open() as said:
        assert said.readline() == "runs\n"
        process.terminate()
        assert said.read() == "asked to stop\n"
    assert process.wait(PATIENCE) == 7


def test_a_command_that_was_given_up_outlives_its_owner(supervised: Supervised, log: Path) -> None:
    process = supervised()
    assert process.stdin is not None
    with log.open() as said:
        assert said.readline() == "runs\n"
        process.stdin.write(supervisor.STAY)
        process.stdin.close()
        # It would be asked to stop at once; that it is not shows by a signal being the first
        # thing to end it, which the supervisor handles after it has read the pipe.
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        process.terminate()
        assert said.read() == "asked to stop\n"
    assert process.wait(PATIENCE) == 7


def test_a_command_that_does_not_stop_is_killed(
    supervised: Supervised, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(supervisor.GRACE_VARIABLE, "0.2")
    process = supervised("deaf")
    with log.open() as said:
        assert said.readline() == "runs\n"
        process.terminate()
        assert said.read() == "asked to stop\n"
    assert process.wait(PATIENCE) == -signal.SIGKILL % 256


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of it")
def test_the_command_ends_even_when_the_supervisor_is_killed(
    supervised: Supervised, log: Path
) -> None:
    process = supervised()
    with log.open() as said:
        assert said.readline() == "runs\n"
        process.kill()
        assert said.read() == "asked to stop\n"
