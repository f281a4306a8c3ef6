"""Break the fold in each of the ways, run its tests against each, and print who noticed.

    python -m tests.mutation [part of a rule's name or of a module's ...]

Ends with 1 if some went unnoticed. Each runs in a copy of its own; the checkout stays as it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from tests.mutation import MUTATIONS
from tests.mutation.edits import Mutation

ROOT = Path(__file__).parents[2]

STAGES: tuple[tuple[str, ...], ...] = (
    ("tests/identity/test_rules.py", "tests/identity/test_operations.py"),
    ("tests/scenarios/test_in_memory.py::test_as_listed", "tests/identity/test_attribution.py"),
    ("tests/identity", "tests/scenarios/test_in_memory.py"),
)
"""What is run, one after the other, until somebody notices: the quick and plain ones first."""

EXAMPLES = "60"
"""Histories tried of each property: fewer than `make test` tries, as each mutation tries them."""


def main() -> None:
    wanted = sys.argv[1:]
    chosen = [m for m in MUTATIONS if not wanted or any(w in m.rule + m.module for w in wanted)]
    console = Console()
    unbroken = noticed_by(None)
    if unbroken is not None:
        sys.exit(f"unbroken, the fold fails already: {unbroken}")
    table = Table(box=None, pad_edge=False)
    for name in ("rule", "module", "noticed by"):
        table.add_column(name, overflow="fold")
    unnoticed = 0
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        tried = workers.map(noticed_by, chosen)
        for number, (mutation, noticed) in enumerate(zip(chosen, tried, strict=True), 1):
            unnoticed += noticed is None
            found = noticed or "NOBODY"
            console.print(f"{number}/{len(chosen)} {mutation.rule}: {found}", highlight=False)
            table.add_row(mutation.rule, mutation.module, found)
    console.print(table)
    console.print(f"{len(chosen) - unnoticed} of {len(chosen)} noticed")
    sys.exit(1 if unnoticed else 0)


def noticed_by(mutation: Mutation | None) -> str | None:
    """The first test that fails with the fold broken so, or as it is; None where all pass."""
    with TemporaryDirectory(prefix="graphid-mutation-") as folder:
        copy = Path(folder)
        copy_to(copy)
        if mutation is not None:
            module = copy / "graphid" / "identity" / f"{mutation.module}.py"
            text = module.read_text("utf-8")
            assert text.count(mutation.old) == 1, mutation
            module.write_text(text.replace(mutation.old, mutation.new), "utf-8")
        for stage in STAGES:
            failed = first_failure(copy, stage)
            if failed is not None:
                return failed
    return None


def copy_to(copy: Path) -> None:
    """The fold, its tests and the scenarios: without what starts a database."""
    leave_out = shutil.ignore_patterns("__pycache__")
    for part in ("graphid", "tests/identity"):
        shutil.copytree(ROOT / part, copy / part, ignore=leave_out)
    (copy / "tests" / "scenarios").mkdir()
    for name in ("__init__", "scenario", "memory", "test_in_memory"):
        shutil.copy(ROOT / "tests" / "scenarios" / f"{name}.py", copy / "tests" / "scenarios")
    for file in (ROOT / "tests" / "scenarios").glob("*.json"):
        shutil.copy(file, copy / "tests" / "scenarios")
    shutil.copy(ROOT / "tests" / "__init__.py", copy / "tests")
    shutil.copy(ROOT / "pyproject.toml", copy)


def first_failure(copy: Path, tests: tuple[str, ...]) -> str | None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=no", *tests],
        cwd=copy,
        env={**os.environ, "GRAPHID_EXAMPLES": EXAMPLES, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode == 0:
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (?:\S+::)?(\S+)", run.stdout, re.MULTILINE)
    return failed[1] if failed else run.stdout[-200:] + run.stderr[-200:]


if __name__ == "__main__":
    main()
