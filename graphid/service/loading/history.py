"""A whole history, from files to the rows of a graph: as ingest would have made it of the same
lines, had they come in the order of time.

1. The lines are read, and shared out by cookie into files; a message id counts once.
2. The evidence of all shares is folded in its order.
3. Each share is put in the order of time, and becomes rows of events and sessions: meanwhile,
   where no event says who somebody is besides; else when it is known what is only said again.
4. Cookies and devices are written, with what the fold made of them.

Memory: the ids of all messages, the evidence and what the fold knows, and one share of the events
for each process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from graphid.errors import InvalidInput
from graphid.graph.loading.folding import Folding, Known, Mark
from graphid.graph.loading.tables import Table
from graphid.graph.verifying import Progress
from graphid.identity.ids import Ids
from graphid.identity.repetition import may_repeat
from graphid.identity.values import OF_RECORD, Evidence, Place
from graphid.service.files.lines import Lines
from graphid.service.files.reading import HEADER, Reader, Twins
from graphid.service.loading.cookies import (
    Seen,
    Share,
    Use,
    evidence_in,
    put_birth,
)
from graphid.service.loading.parsing import (
    CHUNK,
    CONTACTS,
    Fault,
    Line,
    Pool,
    Read,
    Sharing,
    Task,
    share_of,
)
from graphid.service.loading.told import Piece, decode_piece, encode

SHARE_SIZE = 64 << 20
"""Bytes of the files that one share stands for, about."""

MOST_SHARES = 256

T = TypeVar("T")

_seen = msgspec.json.Decoder(Seen).decode
_use = msgspec.json.Decoder(Use).decode


@dataclass(frozen=True)
class Input:
    """A file of a history. ``rows``: what reads it where lines are no units of their own."""

    name: str
    lines: Callable[[], Lines]
    rows: Callable[[], Reader] | None = None


@dataclass
class Written:
    """What was written. ``known``: messages whose id came before. ``refused``: lines."""

    events: int = 0
    known: int = 0
    contacts: int = 0
    refused: int = 0
    changes: int = 0
    evidence: int = 0


@dataclass
class History:
    """A history on its way into ``folder``, which is empty.

    ``on_refused`` is told of lines that cannot be read: the file, which lines, and why.
    """

    folder: Path
    task: Task
    progress: Progress
    on_refused: Callable[[str, Fault], None] = lambda name, fault: None
    written: Written = field(default_factory=Written)

    def write(self, inputs: Sequence[Input]) -> Written:
        """Write its rows. Raises InvalidInput where a file cannot be read."""
        ids = Ids(self.task.secret)
        with closing(Pool(self.task)) as pool:
            self._share_out(inputs, pool)
            files = [self._file(number) for number in range(self.task.shares)]
            evidence = self._evidence(files, pool)
            pieces = len(evidence)
            if any(may_repeat(piece.evidence) for piece in evidence):
                known = self._fold(evidence, ids)
                shares = self._begin_shares(files, pool, known.marks)
            else:  # then nothing that the fold finds is told with an event
                shares = self._begin_shares(files, pool, {})
                known = self._fold(evidence, ids)
            self.written.events = sum(share.result() for share in shares)
        self.written.evidence = pieces - sum(map(len, known.marks.values()))
        self._finish(known, ids)
        self.written.changes = known.changes
        return self.written

    def _file(self, number: int) -> Path:
        return self.folder / f"share.{number}"

    # ------------------------------------------------------------------ 1: share out

    def _share_out(self, inputs: Sequence[Input], pool: Pool) -> None:
        self.progress.begin("lines")
        with ExitStack() as stack:
            files = {
                number: stack.enter_context(self._file(number).open("wb"))
                for number in (*range(self.task.shares), CONTACTS)
            }
            met: set[str] = set()
            for number, given in enumerate(inputs):
                for count, read in enumerate(self._read(number, given, pool)):
                    if isinstance(read, Fault):
                        self.written.refused += read.end - read.line + 1
                        self.on_refused(given.name, read)
                    else:
                        self._take(read, files[read.share], met)
                    if count % CHUNK == CHUNK - 1:
                        self.progress.advance(CHUNK)

    def _take(self, read: Read, file: BinaryIO, met: set[str]) -> None:
        """Put it into its share, if it is new."""
        # Records have message ids of their own.
        id = read.id + OF_RECORD if read.share == CONTACTS else read.id
        if id in met:
            self.written.known += 1
            return
        met.add(id)
        self.written.contacts += read.share == CONTACTS
        file.write(read.text)
        file.write(b"\n")

    def _read(self, number: int, given: Input, pool: Pool) -> Iterator[Read | Fault]:
        try:
            if given.rows is None:
                twins = Twins()
                yield from pool.parsed(number, _chunks(given.lines(), twins), twins.id_of)
            else:
                yield from self._read_rows(given.lines(), given.rows())
        except InvalidInput as error:
            raise InvalidInput(f"{given.name} {error.message}") from None

    def _read_rows(self, lines: Lines, reader: Reader) -> Iterator[Read | Fault]:
        """Rows may have several lines, so that no other process can read them by themselves."""
        sharing = Sharing(self.task)
        number = 0
        for block in lines.blocks():
            for number, line in enumerate(block.lines, block.first):
                try:
                    message = reader.read(line)
                except InvalidInput as error:
                    if error.path == HEADER:
                        raise
                    yield Fault(number - reader.lines + 1, number, error.path or (), error.message)
                    continue
                if message is not None:
                    yield sharing.read(message)
        try:
            reader.end()
        except InvalidInput as error:
            yield Fault(number - reader.lines + 1, number, (), error.message)

    # ------------------------------------------------------------------ 2: fold

    def _evidence(self, files: list[Path], pool: Pool) -> list[Piece]:
        """All evidence, in the order of the fold."""
        self.progress.begin("shares of evidence", len(files))
        found: list[Piece] = []
        for texts in pool.each(partial(_evidence_in, file) for file in files):
            found += map(decode_piece, texts)
            self.progress.advance(1)
        with self._file(CONTACTS).open("rb") as contacts:
            found += map(decode_piece, contacts)
        found.sort(key=_place)
        return found

    def _fold(self, evidence: list[Piece], ids: Ids) -> Known:
        self.progress.begin("pieces of evidence", len(evidence))
        policy = self.task.in_force.policy
        folding = Folding(self.folder, policy, ids, self.task.received_at)
        evidence.reverse()

        def taken() -> Iterator[tuple[Evidence, str]]:
            while evidence:  # each is let go of once it is folded
                piece = evidence.pop()
                yield piece.evidence, piece.digest

        return folding.run(taken(), self.progress.advance)

    def _begin_shares(
        self, files: list[Path], pool: Pool, marks: Mapping[str, Mapping[str, Mark]]
    ) -> list[Future[int]]:
        """Have the shares written, each with the marks of its cookies."""
        parts: list[dict[str, Mark]] = [{} for _ in files]
        for cookie, of_cookie in marks.items():
            parts[share_of(cookie, len(files))] |= of_cookie
        return [
            pool.run(partial(_write_share, self.folder, file, number, self.task, part))
            for number, (file, part) in enumerate(zip(files, parts, strict=True))
        ]

    # ------------------------------------------------------------------ 4: cookies and devices

    def _finish(self, known: Known, ids: Ids) -> None:
        """Cookies of which evidence tells, and devices, with what the fold made of them."""
        self.progress.begin("devices")
        devices: dict[str, list[int]] = {}
        with ExitStack() as stack:

            def table(name: str) -> Table:
                return stack.enter_context(Table(self.folder, name, "known"))

            cookies, visitors = table("Cookie"), table("Visitor")
            of_cookie, on_device = table("OF_COOKIE"), table("ON_DEVICE")
            for seen in self._noted("seen", _seen):
                is_known = True if seen.cookie in known.cookies else None
                cookies.add(seen.number, seen.cookie, seen.first, seen.last, is_known)
                if seen.cookie not in known.births:
                    birth = ids.birth(seen.cookie)
                    put_birth(visitors, of_cookie, birth, seen.cookie, seen.number)
                for number in known.visitors.get(seen.cookie, ()):
                    of_cookie.write(f"{number},{seen.number}\n")
            for use in self._noted("uses", _use):
                device = devices.setdefault(use.device, [len(devices), use.first, use.last])
                device[1] = min(device[1], use.first)
                device[2] = max(device[2], use.last)
                is_known = use.cookie in known.cookies
                on_device.add(use.number, device[0], use.device, is_known, use.used_at)
            rows = table("Device")
            for id, (number, first, last) in devices.items():
                rows.add(number, id, first, last, known.shared.get(id))

    def _noted(self, name: str, decode: Callable[[bytes], T]) -> Iterator[T]:
        for number in range(self.task.shares):
            with (self.folder / f"{name}.{number}").open("rb") as file:
                yield from map(decode, file)


def _chunks(lines: Lines, twins: Twins) -> Iterator[list[Line]]:
    chunk: list[Line] = []
    for block in lines.blocks():
        for number, text in enumerate(block.lines, block.first):
            # Nearly always, who names no id says so nowhere.
            id = "" if text is None or b'"messageId"' in text else twins.id_of(text)
            chunk.append(Line(number, text, id))
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


def _place(piece: Piece) -> Place:
    return piece.evidence.place


def _evidence_in(file: Path) -> list[bytes]:
    """In a process of its own."""
    return [encode(piece) for piece in evidence_in(file)]


def _write_share(
    folder: Path, file: Path, number: int, task: Task, marks: Mapping[str, Mark]
) -> int:
    """In a process of its own."""
    timeout = task.in_force.policy.session_timeout
    return Share(folder, file, number, timeout, Ids(task.secret), marks).write()


def shares_of(size: int) -> int:
    """Into how many shares a history of so many bytes is best divided."""
    return min(1 + size // SHARE_SIZE, MOST_SHARES)
