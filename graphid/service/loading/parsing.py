"""Lines of files as lines of a history, by several processes.

Files are read, and what one line has to do with another is decided, in one process; what a line
says by itself, in the others.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, TypeVar
from zlib import crc32

from graphid.errors import InvalidInput
from graphid.identity.ids import Ids
from graphid.identity.policy import PolicyVersion
from graphid.identity.values import Micros
from graphid.service.contents import contact_id_of
from graphid.service.files.reading import Reader
from graphid.service.loading.told import Telling, encode
from graphid.service.messages import ChatLine, Contact, Message, Plain, Sender

CONTACTS = -1
"""The share of contacts, which are on no cookie."""

AHEAD = 3
"""Chunks of lines that are under way for each process."""

T = TypeVar("T")

CHUNK = 1000
"""Lines of a chunk."""


class Line(NamedTuple):
    """A line of a file: its number, what it says (None: too much), and the message id that it has
    where it names none; empty where whether it names one is not known yet."""

    number: int
    text: bytes | None
    id: str


class Read(NamedTuple):
    """What a line came to: its share, its id there, and the text of a Told or a Piece."""

    share: int
    id: str
    text: bytes


class Fault(NamedTuple):
    """Why the lines from ``line`` to ``end`` are none."""

    line: int
    end: int
    path: tuple[str, ...]
    message: str


class Nameless(Exception):
    """A line names no message id, and has been given none."""


ReaderOf = Callable[[Ids, Callable[[bytes], str]], Reader]
"""Makes a reader of lines, which asks for the message id of a line that names none."""


@dataclass(frozen=True)
class Task:
    """All that a process has to know. ``readers``: of each file, what reads its lines."""

    readers: tuple[ReaderOf, ...]
    secret: bytes
    sender: Sender
    in_force: PolicyVersion
    received_at: Micros
    shares: int


def share_of(cookie: str, shares: int) -> int:
    """The share that a cookie is in, of so many."""
    return crc32(cookie.encode("utf-8", "surrogatepass")) % shares


class Sharing:
    """Turns messages into what is to be written, each into its share."""

    def __init__(self, task: Task) -> None:
        self.ids = Ids(task.secret)
        self._shares = task.shares
        self._telling = Telling(task.sender, task.in_force, task.received_at)

    def read(self, message: Message) -> Read:
        """What a message comes to."""
        if isinstance(message, Contact):
            id = message.message_id or contact_id_of(message)
            return Read(CONTACTS, id, encode(self._telling.contact(message, id)))
        assert not isinstance(message, ChatLine), "no file holds chats"
        if isinstance(message, Plain):
            id, cookie = message.message_id, message.cookie
        else:
            assert message.context.message_id is not None
            id, cookie = message.context.message_id, message.context.cookie_id
        return Read(share_of(cookie, self._shares), id, encode(self._telling.event(message, id)))


class Parsing:
    """Reads lines, each by itself."""

    def __init__(self, task: Task) -> None:
        self._sharing = Sharing(task)
        self._id = ""
        self._readers = [reader(self._sharing.ids, self._given) for reader in task.readers]

    def _given(self, _line: bytes) -> str:
        if not self._id:
            raise Nameless
        return self._id

    def read(self, file: int, line: Line) -> Read | Fault | Line | None:
        """What a line of a file comes to; itself, where it needs an id; None where it says
        nothing."""
        self._id = line.id
        try:
            message = self._readers[file].read(line.text)
        except Nameless:
            return line
        except InvalidInput as error:
            return Fault(line.number, line.number, error.path or (), error.message)
        return None if message is None else self._sharing.read(message)


_parsing: Parsing | None = None
"""Of a process that does nothing else."""


def _begin(task: Task) -> None:
    global _parsing  # noqa: PLW0603 - the one way to keep something in a process of a pool
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever began it ends it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _parsing = Parsing(task)


# What goes from process to process is bare tuples: naming each costs more than reading it.
_Bare = tuple[int, str, bytes]
_BareLine = tuple[int, bytes | None, str]


def _parse(file: int, lines: list[_BareLine]) -> list[_Bare | Fault | Line]:
    assert _parsing is not None
    found = (_parsing.read(file, Line(*line)) for line in lines)
    return [
        (one.share, one.id, one.text) if isinstance(one, Read) else one
        for one in found
        if one is not None
    ]


def processes() -> int:
    """How many are worth it."""
    return max(1, (os.cpu_count() or 1))


@dataclass
class Pool:
    """The processes that read lines; ends with the block that it is opened by."""

    task: Task
    _own: Parsing = field(init=False)

    def __post_init__(self) -> None:
        self._own = Parsing(self.task)
        # Not forked: it would keep the pipes open by which a database ends with us.
        self._pool = ProcessPoolExecutor(
            processes(),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(self.task,),
        )

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def run(self, work: Callable[[], T]) -> Future[T]:
        """Do something in one of the processes."""
        return self._pool.submit(work)

    def each(self, work: Iterable[Callable[[], T]]) -> Iterator[T]:
        """What several things come to, in their order; a few ahead are done meanwhile."""
        under_way: deque[Future[T]] = deque()
        for one in work:
            under_way.append(self.run(one))
            if len(under_way) >= AHEAD * processes():
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def parsed(
        self, file: int, chunks: Iterable[list[Line]], id_of: Callable[[bytes], str]
    ) -> Iterator[Read | Fault]:
        """What the lines of a file come to, in their order; ``id_of``: the id of a line that names
        none."""
        bare = ([(line.number, line.text, line.id) for line in chunk] for chunk in chunks)
        for found in self.each(partial(_parse, file, chunk) for chunk in bare):
            for one in found:
                if isinstance(one, Line):
                    assert one.text is not None
                    settled = self._own.read(file, one._replace(id=id_of(one.text)))
                    assert not isinstance(settled, Line)
                    if settled is not None:
                        yield settled
                elif isinstance(one, Fault):
                    yield one
                else:
                    yield Read(*one)
