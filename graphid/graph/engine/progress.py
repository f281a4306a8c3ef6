"""How the slow steps of getting a database are told to whoever waits."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TransferSpeedColumn
from rich.progress import Progress as Bar


class Progress(Protocol):
    """Told of each step as it begins. Every method may be called from any thread."""

    def step(self, text: str) -> None:
        """A step begins; ``text`` is a short sentence without a full stop."""

    def fetched(self, files: int, of_files: int, size: int) -> None:
        """So many files are here, and ``size`` bytes came over the network so far."""


class SilentProgress:
    """Says nothing."""

    def step(self, text: str) -> None:
        pass

    def fetched(self, files: int, of_files: int, size: int) -> None:
        pass


class TerminalProgress:
    """Steps as lines and downloads as a bar, on standard error; plain lines where no terminal is.

    A context manager, so that a bar never stays on the screen of a command that failed.
    """

    LINE_EVERY = 10.0
    """Seconds between two lines about one download, where there is no terminal to draw on."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._last_line = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_bar()

    def step(self, text: str) -> None:
        self._end_bar()
        self._console.print(f"[dim]graphid[/dim] {text}", highlight=False, soft_wrap=True)

    def fetched(self, files: int, of_files: int, size: int) -> None:
        if not self._console.is_terminal:
            now = time.monotonic()
            if now - self._last_line >= self.LINE_EVERY or files == of_files:
                self._last_line = now
                self._console.print(f"  {files} of {of_files} files, {size / 1e6:.0f} MB")
            return
        if self._bar is None:
            self._bar = Bar(
                TextColumn("  {task.fields[files]} files"),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task("fetch", total=of_files, files="")
            self._bar.start()
        assert self._task is not None
        # The sizes of files that are still to come are unknown, so the bar counts files
        # stretched to the bytes seen so far.
        guess = size * of_files / files if files else None
        self._bar.update(self._task, completed=size, total=guess, files=f"{files}/{of_files}")
        if files == of_files:
            self._end_bar()

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None
