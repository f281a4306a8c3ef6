"""The report of refused lines: what of an earlier one stays, and which files are left alone."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from graphid.cli.imports import USAGE
from graphid.cli.main import app
from graphid.cli.rejects import Rejects
from graphid.errors import InvalidInput
from graphid.wiring_of_files import File

LINE = '{"type": "page", "anonymousId": "c"}\n'


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRAPHID_DATA_DIR", "data")


def file(name: str) -> File:
    Path(name).write_text(LINE)
    return File(Path(name), "ndjson")


def run(report: str, files: Sequence[File], *lines: int, done: int = 0) -> None:
    """A run that refuses these lines of each of the files, behind so many that are done."""
    with Rejects(Path(report), files) as rejects:
        for each in files:
            rejects.begin(each, done=done)
            for line in lines:
                rejects.tell(each.name, line, line, InvalidInput(f"Wrong\u2028: {line}"))
            rejects.end(each)


def told(report: str) -> list[tuple[str, int]]:
    lines = Path(report).read_text("utf-8").split("\n")
    assert lines.pop() == ""
    return [(line["file"], line["line"]) for line in map(json.loads, lines)]


def test_what_is_said_of_other_files_stays() -> None:
    one, two = file("1.ndjson"), file("2.ndjson")
    run("r", [one], 1, 2)
    run("r", [two], 3)
    assert told("r") == [("1.ndjson", 1), ("1.ndjson", 2), ("2.ndjson", 3)]
    run("r", [one], 2)
    assert told("r") == [("2.ndjson", 3), ("1.ndjson", 2)]
    run("r", [two], 9, done=5)
    assert told("r") == [("2.ndjson", 3), ("1.ndjson", 2), ("2.ndjson", 9)]


def test_of_files_that_have_not_begun_the_earlier_report_stays() -> None:
    one, two = file("1.ndjson"), file("2.ndjson")
    run("r", [one, two], 1)
    with Rejects(Path("r"), [one, two]) as rejects:
        rejects.begin(one)
    assert told("r") == [("2.ndjson", 1)]


def test_of_pipes_all_stays() -> None:
    os.mkfifo("fifo")
    pipe = File(Path("fifo"), "ndjson")
    run("r", [pipe], 1)
    run("r", [pipe], 1)
    assert told("r") == [(pipe.name, 1)] * 2


def test_a_name_that_is_no_text_is_told_and_known_again() -> None:
    odd = file(os.fsdecode(b"\xff.ndjson"))
    run("r", [odd], 1)
    run("r", [odd], 2)
    assert told("r") == [(odd.name, 2)]


def test_a_report_is_changed_where_it_lies_and_keeps_its_mode() -> None:
    one = file("1.ndjson")
    run("r", [one], 1)
    Path("r").chmod(0o640)
    Path("link").symlink_to("r")
    run("link", [one], 2)
    assert Path("link").is_symlink()
    assert told("r") == [("1.ndjson", 2)]
    assert Path("r").stat().st_mode & 0o777 == 0o640
    assert {each.name for each in Path().iterdir()} == {"1.ndjson", "r", "link"}


def test_what_is_no_file_is_only_written_to() -> None:
    """Not read, and not replaced: never try that with /dev/null, which a fault would replace."""
    one, two = file("1.ndjson"), file("2.ndjson")
    os.mkfifo("fifo")
    reader = os.open("fifo", os.O_RDONLY | os.O_NONBLOCK)
    run("fifo", [one, two], 1)
    assert os.read(reader, 9_999).count(b"\n") == 2
    os.close(reader)
    assert Path("fifo").is_fifo()


@pytest.mark.parametrize("command", ["import", "load"])
@pytest.mark.parametrize("named", ["d.ndjson", "./d.ndjson", "link", "twin"])
def test_a_file_that_is_read_is_never_written(command: str, named: str) -> None:
    data = file("d.ndjson").path
    assert data is not None
    Path("link").symlink_to(data)
    Path("twin").hardlink_to(data)
    done = CliRunner().invoke(app, [command, "--rejects", named, "d.ndjson"])
    assert (done.exit_code, done.stdout) == (USAGE, "")
    assert f"--rejects {Path(named)} is d.ndjson, which is to be read" in done.stderr
    assert data.read_text() == LINE


@pytest.mark.parametrize(
    "content",
    [
        LINE,
        "source,email\n",
        "\n",
        "[]\n",
        "1\n",
        "\0\xff",
        '{"file": "x", "line": 1}\n',
        "[" * 99_999,
    ],
)
def test_a_file_that_is_no_report_is_left_as_it_is(content: str) -> None:
    one = file("1.ndjson")
    run("r", [one], 1)
    report = Path("r").read_bytes() + content.encode("latin-1")
    Path("r").write_bytes(report)
    done = CliRunner().invoke(app, ["import", "--rejects", "r", "1.ndjson"])
    assert (done.exit_code, done.stdout) == (USAGE, "")
    assert "--rejects r is no report of refused lines (line 2 " in done.stderr
    assert Path("r").read_bytes() == report


def test_a_report_that_cannot_be_written_says_so() -> None:
    file("1.ndjson")
    for report in (".", "not/there"):
        with (
            pytest.raises(InvalidInput, match="cannot be written: "),
            Rejects(Path(report), [File(Path("1.ndjson"), "ndjson")]) as rejects,
        ):
            rejects.begin(file("1.ndjson"))
