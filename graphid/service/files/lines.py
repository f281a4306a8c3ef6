"""Files as lines: plain or gzip, of bounded length, with a digest of all up to each block."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import BinaryIO, cast

from graphid.errors import InvalidInput

MOST = 1 << 20
"""The longest line, in bytes."""

BLOCK = 1 << 18
"""Bytes that are read at once."""

TOO_LONG = f"is longer than {MOST:,} bytes"

GZIP = b"\x1f\x8b"

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""What programs of Windows write before text in UTF-8."""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that were read at once, with their ends. ``first``: the number of the first, from 1.

    None stands for a line that is too long. ``digest``: of the file up to the end of the last.
    """

    first: int
    lines: list[bytes | None]
    digest: str

    @property
    def last(self) -> int:
        """The number of the last line."""
        return self.first + len(self.lines) - 1


class Lines:
    """A stream of bytes as blocks of lines. ``is_live``: a block is what is there, as of a pipe."""

    def __init__(self, stream: BinaryIO, *, is_live: bool = False) -> None:
        self._raw = stream
        self._is_live = is_live
        self.position = 0
        """Bytes of the stream that were read, as it lies there; of a pipe, as they are unpacked."""

    def blocks(self) -> Iterator[Block]:
        """All lines. Raises InvalidInput where the stream ends in the middle, or breaks off."""
        hashed = blake2b(digest_size=16)
        number, rest, is_long = 1, b"", False
        for chunk in self._chunks():
            hashed.update(chunk)
            text = rest + chunk
            if number == 1:
                text = text.removeprefix(BYTE_ORDER_MARK)
            lines: list[bytes | None] = list(text.splitlines(keepends=True))
            # bytes.splitlines also ends lines at a lone "\r", as old spreadsheets write them.
            rest = cast("bytes", lines.pop()) if lines else b""
            if rest.endswith(b"\n"):
                lines.append(rest)
                rest = b""
            if is_long and lines:
                lines[0], is_long = None, False
            if len(rest) > MOST:
                rest, is_long = b"", True
            lines = [line if line is None or len(line) <= MOST else None for line in lines]
            if lines:
                # Of the beginning of the next line, the digest is told with that line's block.
                mark = hashed.copy()
                mark.update(b"%d" % len(rest))
                yield Block(number, lines, mark.hexdigest())
                number += len(lines)
        if rest or is_long:
            yield Block(number, [None if is_long else rest], hashed.hexdigest())

    def _chunks(self) -> Iterator[bytes]:
        try:
            read = self._opened()
            while chunk := read(BLOCK):
                self.position = self.position + len(chunk) if self._is_live else self._raw.tell()
                yield chunk
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InvalidInput(f"is not whole: {error}") from None
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror or error}") from None
        finally:
            self._raw.close()

    def _opened(self) -> Callable[[int], bytes]:
        buffered = io.BufferedReader(cast("io.RawIOBase", self._raw), max(BLOCK, 512))
        # A file is read in blocks that are the same each time; a pipe tells what it has.
        if buffered.peek(2)[:2] != GZIP:
            return buffered.read1 if self._is_live else buffered.read
        unpacked = gzip.GzipFile(fileobj=buffered)
        return unpacked.read1 if self._is_live else unpacked.read
