"""``graphid demo``, as a newcomer runs it: a process, a database, clients over real sockets."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from graphid.graph.engine import Address

PATIENCE = 120.0


@contextmanager
def running_demo(
    database: Address, folder: Path, *arguments: str
) -> Iterator[subprocess.Popen[str]]:
    environment = {
        **os.environ,
        "GRAPHID_NEO4J_URI": database.uri,
        "GRAPHID_NEO4J_USER": database.user,
        "GRAPHID_NEO4J_PASSWORD": database.password,
        "GRAPHID_NEO4J_DATABASE": database.database,
        "GRAPHID_DATA_DIR": str(folder),
    }
    command = [sys.executable, "-m", "graphid", "demo", "--port", "0", *arguments]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_story_is_told_and_the_service_stays(database: Address, tmp_path: Path) -> None:
    with running_demo(database, tmp_path) as process:
        assert process.stdout is not None
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if "until Ctrl-C" in line:
                break
        text = "".join(said)
        for words in ("John Doe", "Jane Doe", "retroactive", "Football boots", "nothing changed"):
            assert words in text, text
        john, _, jane = text.partition("─ Jane Doe")
        assert "Football boots" in john
        assert "Football boots" not in jane.partition("╰")[0]
        command = next(line for line in said if line.startswith("curl"))
        words_of_command = shlex.split(command)
        answer = httpx.post(
            words_of_command[2],
            headers=dict(w.split(": ") for w in words_of_command if ": " in w and w[0] != "{"),
            content=words_of_command[-1],
            timeout=PATIENCE,
        )
        data = answer.json()["data"]
        assert json.dumps(data).count("Football boots") == 2
        assert data["husband"]["contacts"][0]["sourceId"] == "0031-JDOE"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


def test_with_exit_it_ends_and_told_again_it_is_the_same_story(
    database: Address, tmp_path: Path
) -> None:
    with running_demo(database, tmp_path, "--exit") as process:
        text, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, text
        assert "Jane Doe" in text
        assert "until Ctrl-C" not in text
