"""The database as a child process: its command lines, its start, its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graphid.graph.engine import supervisor
from graphid.graph.engine.address import Address, require_answer
from graphid.graph.engine.errors import EngineError, WrongPassword
from graphid.graph.engine.folder import Folder
from graphid.graph.engine.releases import Release

ADMIN_TIMEOUT = 180.0
"""Seconds for one neo4j-admin command, on a machine that is busy with other things."""
STOP_TIMEOUT = supervisor.GRACE + 10
ANSWER_TIMEOUT = 5.0
"""Seconds for one try of whether the database takes transactions."""
LOG_TAIL = 25
"""Lines of the database's own words that an error carries."""

# What Neo4j's own start script gives to Java, less what belongs to parts that we leave out.
_JAVA_OPTIONS = (
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
    "-Djol.skipHotspotSAAttach=true",
    "-Dlog4j2.disable.jmx=true",
    # Neo4j closes its logs itself; log4j's hook fails when the stop comes soon after the start.
    "-Dlog4j2.shutdownHookEnabled=false",
    "-Dfile.encoding=UTF-8",
    # Java keeps counters in the system's temporary folder, where we leave nothing.
    "-XX:-UsePerfData",
)


_BRIEF_OPTIONS = ("-XX:TieredStopAtLevel=1",)
"""For a database that lives for minutes: code is compiled once, quickly, and not again, better."""


@dataclass(frozen=True)
class Installation:
    """Everything that a command of Neo4j needs."""

    release: Release
    java: Path
    class_path: Sequence[Path]
    folder: Folder

    def command(self, main_class: str, *arguments: str, options: Sequence[str] = ()) -> list[str]:
        return [
            str(self.java),
            *_JAVA_OPTIONS,
            f"-Djava.io.tmpdir={self.folder.path / 'tmp'}",
            f"-XX:ErrorFile={self.folder.path / 'logs' / 'java-error-%p.log'}",
            *options,
            "-cp",
            os.pathsep.join(str(jar) for jar in self.class_path),
            main_class,
            *arguments,
        ]

    def environment(self) -> dict[str, str]:
        """A small one: our keys are not Neo4j's business, and JAVA_TOOL_OPTIONS not ours."""
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
        return {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "NEO4J_HOME": str(self.folder.path),
            "NEO4J_CONF": str(self.folder.path / "conf"),
        }

    def admin(
        self,
        *arguments: str,
        lock: int | None = None,
        timeout: float | None = ADMIN_TIMEOUT,
        brief: bool = False,
    ) -> str:
        """Run ``neo4j-admin`` with these arguments on the stopped database; what it printed.

        Its tool is called directly: Neo4j's own launcher (``Neo4jAdminCommand``) only starts a
        second Java for it, which takes another second and forgets our options.
        ``lock`` is the folder's, so that it stays locked should we be killed meanwhile;
        ``timeout`` is in seconds. ``brief``: it takes a minute at most.
        Raises EngineError with what it printed, less the arguments: one may be a password.
        """
        name = " ".join(arguments[:2])
        try:
            done = subprocess.run(
                self.command(
                    "org.neo4j.cli.AdminTool",
                    *arguments,
                    options=_BRIEF_OPTIONS if brief else (),
                ),
                env=self.environment(),
                cwd=self.folder.path,  # it leaves reports where it is called
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=timeout,
                pass_fds=() if lock is None else (lock,),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"neo4j-admin {name} took longer than {timeout:.0f} s.") from error
        if done.returncode != 0:
            raise EngineError(f"neo4j-admin {name} failed:\n{_tail(done.stdout)}")
        return done.stdout


class PortTaken(EngineError):
    """Another process took the port between our choosing and the database's binding it."""


class Process:
    """The running database and the supervisor that watches over it."""

    def __init__(
        self, installation: Installation, *, lock: int, port: int, heap: int, brief: bool = False
    ) -> None:
        """Start it. ``heap`` is in megabytes, at most; it grows to that when needed.

        ``brief`` is for a database that lives for minutes.
        """
        self._folder = installation.folder
        self._port = port
        command = installation.command(
            installation.release.main_class,
            f"--home-dir={self._folder.path}",
            f"--config-dir={self._folder.path / 'conf'}",
            "--console-mode",
            # Out of memory it would limp on; dead, it is started again.
            options=(
                "-Xms128m",
                f"-Xmx{heap}m",
                "-XX:+ExitOnOutOfMemoryError",
                *(_BRIEF_OPTIONS if brief else ()),
            ),
        )
        # The supervisor runs in a session of its own: Ctrl-C in a terminal reaches every process
        # of the foreground, and the service wants the database until it has finished its work.
        # Our end of its standard input is closed on exec, so no program that we start keeps it open
        # when we are gone; a mere fork (multiprocessing's "fork") would.
        self._supervisor = subprocess.Popen(
            [
                sys.executable,
                "-I",
                supervisor.__file__,
                str(self._folder.console_log),
                str(lock),
                *command,
            ],
            env=installation.environment(),
            cwd=self._folder.path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(lock,),
            start_new_session=True,
        )
        assert self._supervisor.stdout is not None
        with self._supervisor.stdout as said:
            first_line = said.readline()
        self.supervisor_pid = self._supervisor.pid
        if not first_line:
            self._supervisor.communicate()
            raise EngineError(f"Java could not be started: {installation.java}")
        self.pid = int(first_line)

    @property
    def is_running(self) -> bool:
        return self._supervisor.poll() is None

    def wait(self) -> int:
        """Wait until it has ended: its exit code, or minus the signal that ended its supervisor."""
        return self._supervisor.wait()

    def wait_until_it_answers(self, address: Address, *, timeout: float) -> None:
        """Return when the database takes transactions.

        ``timeout`` is in seconds. Raises EngineError, with the end of the database's log, when it
        dies or takes longer; PortTaken when only another port is needed.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.is_running:
                log = self.log_tail()
                if "already in use" in log:
                    raise PortTaken(f"Port {self._port} was taken meanwhile.")
                raise EngineError(
                    f"The database stopped while it was starting. {self._where_to_look(log)}"
                )
            if _is_open(self._port) and self._takes_transactions(address):
                return
            time.sleep(0.05)
        raise EngineError(
            f"The database did not answer within {timeout:.0f} s. "
            f"{self._where_to_look(self.log_tail())}"
        )

    def _takes_transactions(self, address: Address) -> bool:
        try:
            require_answer(address, timeout=ANSWER_TIMEOUT)
        except WrongPassword as error:
            raise WrongPassword(
                f"{error.message}. The password in {self._folder.shown}/password is not that of "
                f"the data in {self._folder.shown}/data."
            ) from error
        except EngineError:
            # Not yet; or somebody else listens on our port, and the database will die of it.
            return False
        return True

    def stay(self) -> None:
        """Let it run on when this process ends."""
        assert self._supervisor.stdin is not None
        self._supervisor.stdin.write(supervisor.STAY)
        self._supervisor.stdin.close()
        # Not ours any more; Python need not warn that we leave it running.
        self._supervisor.returncode = 0

    def stop(self) -> None:
        """Ask it to stop, wait until it has, and kill it if it will not. May be repeated."""
        if self._supervisor.stdin is not None:
            self._supervisor.stdin.close()
        try:
            self._supervisor.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(self.supervisor_pid, signal.SIGKILL)
            self._supervisor.wait()

    def log_tail(self) -> str:
        try:
            return _tail(self._folder.console_log.read_text("utf-8", errors="replace"))
        except FileNotFoundError:
            return ""

    def _where_to_look(self, log: str) -> str:
        return f"The end of its log ({self._folder.console_log}):\n{log}"


def free_port() -> int:
    """A port on the loopback address that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_open(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _tail(text: str) -> str:
    return "\n".join(text.rstrip().splitlines()[-LOG_TAIL:])
