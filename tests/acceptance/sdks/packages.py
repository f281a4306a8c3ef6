"""The SDKs, installed as their users install them, into folders of this run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json", "server.mjs", "jitsu.mjs")
SECONDS = 60
"""For one program; it takes two."""


def installed_by_npm(folder: Path) -> Path:
    """The folder, with npm's packages in it. Skips the test where there is no Node."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("NO NODE HERE: the SDKs from npm were NOT tested")
    for name in FILES:
        shutil.copy(HERE / name, folder)
    _done([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
    return folder


def installed_by_pip(folder: Path, requirements: str) -> Path:
    """The folder, with what a file beside this one requires, and nothing that this needs."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    chosen = ["--no-deps", "--require-hashes", "--requirement", str(HERE / requirements)]
    _done([*pip, *chosen, "--target", str(folder)], folder)
    return folder


def run_program(command: list[str], folder: Path, **environment: str) -> Any:
    """What a program prints, which is JSON."""
    return json.loads(_done(command, folder, **environment))


def _done(command: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
