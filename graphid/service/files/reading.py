"""What the lines of a file mean: what every format has in common."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import Protocol

from graphid.service.messages import Message

REMEMBERED = 100_000
"""How far lines are told from their like: twins without a message id, and events of one cookie at
one time, where fewer than so many others are between them."""


HEADER = ("header",)
"""The path of a fault for which no line of the file can be read."""


class Reader(Protocol):
    """Reads the lines of one file, in order."""

    def read(self, line: bytes | None) -> Message | None:
        """The message that the line says, or ends; None where it says none (yet).

        None stands for a line that is too long. Raises InvalidInput whose path names the field.
        """
        ...

    @property
    def lines(self) -> int:
        """How many lines the last message, or what was no message, had."""
        ...

    @property
    def is_between(self) -> bool:
        """Whether the next line begins something."""
        ...

    def end(self) -> Message | None:
        """The file has ended: a last message. Raises InvalidInput where something is cut short."""
        ...


class Twins:
    """Ids of lines that name none: of what a line says, and how often that came before.

    So the same file gives the same ids again, and so does another file that holds the same lines;
    and two equal lines of one file are two, unless ``REMEMBERED`` others are between them.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, int] = OrderedDict()

    def id_of(self, line: bytes) -> str:
        """The message id of a line."""
        digest = blake2b(line.strip(), digest_size=16).digest()
        count = self._seen.pop(digest, 0)
        self._seen[digest] = count + 1
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return digest.hex() + (f"-{count + 1}" if count else "")
