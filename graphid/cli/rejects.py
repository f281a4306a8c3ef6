"""The report of lines that were refused: JSON lines, in a file or on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from rich.console import Console

from graphid.errors import GraphidError, InvalidInput


class Rejects:
    """The report. ``file``: None for standard error. A context manager, which closes it.

    An earlier report is kept as far as it is not told again: what was refused by where a run goes
    on. Of files that have not begun, that is not known yet.
    """

    def __init__(self, file: Path | None, names: Sequence[str]) -> None:
        self._file = file
        self._opened: TextIO | None = None
        self._done: dict[str, int | None] = dict.fromkeys(names)
        self.console: Console | None = None
        """Where a bar is drawn just now: what is printed goes above it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def begin(self, *names: str, done: int = 0) -> None:
        """These files begin, or all where none is named, behind so many lines that are done.

        Raises InvalidInput where the report cannot be written.
        """
        self._done |= dict.fromkeys(names or tuple(self._done), done)
        if self._file is None:
            return
        self._close()
        beside = self._file.with_name(f"{self._file.name}.new")
        try:
            kept: list[str] = []
            if self._file.exists():
                lines = self._file.read_text("utf-8", "replace").splitlines()
                kept = [line for line in lines if self._is_done(line)]
            beside.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
            beside.replace(self._file)
            self._opened = self._file.open("a", encoding="utf-8")
        except OSError as error:
            raise InvalidInput(f"{self._file} cannot be written: {error.strerror}") from None

    def end(self, name: str) -> None:
        """All lines of a file are done."""
        self._done[name] = None

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

    def _is_done(self, line: str) -> bool:
        try:
            told: dict[str, Any] = json.loads(line)
            done = self._done[told["file"]]
            return done is None or bool(told["line"] <= done)
        except (ValueError, KeyError, TypeError):
            return False

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None
