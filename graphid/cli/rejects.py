"""The report of lines that were refused: JSON lines, in a file or on standard error."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

import msgspec
from rich.console import Console

from graphid.errors import GraphidError, InvalidInput

if TYPE_CHECKING:
    from graphid.wiring_of_files import File


class _Told(msgspec.Struct, frozen=True):
    """What a line of a report says."""

    file: str
    line: int
    end: int
    code: str
    path: list[str]
    message: str


class Rejects:
    """The report on ``files``. ``file``: None for standard error. A context manager, which closes
    it.

    An earlier report is kept as far as it is not told again: what it says of other files, and what
    was refused by where a run goes on. Every pipe is another file.
    """

    def __init__(self, file: Path | None, files: Sequence[File]) -> None:
        self._file = file
        self._files = files
        self._opened: TextIO | None = None
        self._done: dict[str, int] = {}
        """Of the files that are told of again, behind which line."""
        self.console: Console | None = None
        """Where a bar is drawn just now: what is printed goes above it."""

    def __enter__(self) -> Self:
        """Raises InvalidInput where what is at the path of the report is not to be written to."""
        if self._file is not None:
            try:
                self._require_no_input(self._file)
                self._kept(self._file)
            except OSError as error:
                raise _not_writable(self._file, error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def begin(self, *files: File, done: int = 0) -> None:
        """These files begin, behind so many lines that are done.

        Raises InvalidInput where the report cannot be written.
        """
        self._done |= {file.name: done for file in files if file.size is not None}
        if self._file is None:
            return
        try:
            if self._file.is_file():
                self._close()
                self._leave(self._kept(self._file), self._file.resolve())
            if self._opened is None:
                # A name that is no text can be read back from the escapes, as they are JSON's.
                self._opened = self._file.open("a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise _not_writable(self._file, error) from None

    def end(self, file: File) -> None:
        """All lines of a file are done."""
        self._done.pop(file.name, None)

    def tell(self, name: str, line: int, end: int, error: GraphidError) -> None:
        """The lines from ``line`` to ``end`` were refused; nearly always that is one."""
        told = {
            "file": name,
            "line": line,
            "end": end,
            "code": error.code,
            "path": list(error.path or ()),
            "message": error.message,
        }
        text = json.dumps(told, ensure_ascii=False)
        if self._opened is not None:
            self._opened.write(f"{text}\n")
            self._opened.flush()
        elif self.console is not None:
            self.console.print(text, highlight=False, soft_wrap=True, markup=False)
        else:
            print(text, file=sys.stderr)

    def _require_no_input(self, report: Path) -> None:
        """Raise InvalidInput where the report is a file that is read, by whatever name."""
        if not report.is_file():
            return
        for file in self._files:
            read = os.fstat(sys.stdin.fileno()) if file.path is None else file.path.stat()
            if os.path.samestat(report.stat(), read):
                raise InvalidInput(f"--rejects {report} is {file.name}, which is to be read")

    def _kept(self, report: Path) -> bytes:
        """The lines of an earlier report that are not told again. Raises InvalidInput where the
        file holds anything else than a report: it may be dear to somebody."""
        if not report.is_file():  # not there yet, or a pipe or a terminal, of which nothing is kept
            return b""
        kept = []
        with report.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    told = msgspec.convert(json.loads(line), _Told)
                except (ValueError, RecursionError):
                    raise InvalidInput(
                        f"--rejects {report} is no report of refused lines (line {number} is none "
                        "of ours), and is left as it is: name another file"
                    ) from None
                done = self._done.get(told.file)
                if done is None or told.line <= done:
                    kept.append(line if line.endswith(b"\n") else line + b"\n")
        return b"".join(kept)

    def _leave(self, kept: bytes, report: Path) -> None:
        """Have the report hold this, or what it held, whenever the process may be killed."""
        if kept == report.read_bytes():
            return
        with NamedTemporaryFile(dir=report.parent, delete=False) as beside:
            beside.write(kept)
        shutil.copymode(report, beside.name)
        Path(beside.name).replace(report)

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None


def _not_writable(report: Path, error: OSError) -> InvalidInput:
    return InvalidInput(f"{report} cannot be written: {error.strerror}")
