"""The lines of a share of all cookies, in the order of time: sessions, and rows of events.

Equal times on a cookie are spread by a microsecond, in the order of the file, and sessions follow
one from the other as ``events/append_events`` makes them of events that come in time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import msgspec

from graphid.graph.loading.folding import Mark
from graphid.graph.loading.tables import Table, cell, cells
from graphid.identity.ids import Ids
from graphid.identity.state import Opening
from graphid.identity.values import Identify, Kind, Micros, place
from graphid.service.departures import USER
from graphid.service.loading.told import Piece, Told, decode_told, encode
from graphid.service.moments import Moments

SHARE = 1 << 40
"""Numbers of nodes that a share of the cookies has for itself."""


_KINDS = {kind.value: kind for kind in Kind}
_NO_MARK = cells((None, None))


class Use(msgspec.Struct, array_like=True, gc=False):
    """A device on a cookie. ``used_at``: as ``ON_DEVICE.usedAt`` has it."""

    cookie: str
    number: int
    device: str
    first: Micros
    last: Micros
    used_at: Micros


class Seen(msgspec.Struct, array_like=True, gc=False):
    """A cookie of which evidence tells: its node waits for what the fold makes of it."""

    cookie: str
    number: int
    first: Micros
    last: Micros


def lines_of(file: Path) -> Iterator[Told]:
    """The lines of a share, in the order of the files, at times that each has for itself."""
    moments = Moments()
    with file.open("rb") as opened:
        for line in opened:
            told = decode_told(line)
            at = moments.free(told.cookie, told.at)
            if at != told.at:
                told.at = at
                for piece in (*told.evidence, *_departures(told)):
                    piece.evidence = msgspec.structs.replace(piece.evidence, at=at)
            yield told


def evidence_in(file: Path) -> list[Piece]:
    """The evidence of a share."""
    of_cookies: dict[str, list[Told]] = {}
    for told in lines_of(file):
        if told.evidence or told.departure is not None:
            of_cookies.setdefault(told.cookie, []).append(told)
    return [piece for lines in of_cookies.values() for piece in _evidence_of(lines)]


def _evidence_of(lines: list[Told]) -> Iterator[Piece]:
    """The evidence of a cookie. A call that names nobody is a logout where a user id was the last
    that was said (``service.departures``); in the order of time, that is the first such call."""
    candidates = {id(piece) for told in lines for piece in _departures(told)}
    pieces = [piece for told in lines for piece in (*told.evidence, *_departures(told))]
    is_user = False
    for piece in sorted(pieces, key=lambda piece: piece.evidence.place):
        said = piece.evidence
        if id(piece) in candidates and not is_user:
            continue
        if isinstance(said, Identify):
            is_user = is_user or any(key.startswith(USER) for key in said.identifiers)
        else:
            is_user = False
        yield piece


def _departures(told: Told) -> list[Piece]:
    return [] if told.departure is None else [told.departure]


@dataclass
class Share:
    """One share on its way into rows. ``number``: which, from 0."""

    folder: Path
    file: Path
    number: int
    timeout: Micros
    ids: Ids
    marks: Mapping[str, Mark] = field(default_factory=dict)
    """Of events that only say again what is so, by message id."""

    def write(self) -> int:
        """Write its rows; how many events. Uses of devices, and cookies with evidence, are noted
        beside: ``uses.N`` and ``seen.N``."""
        lines = sorted(lines_of(self.file), key=lambda told: (told.cookie, told.at))
        with ExitStack() as stack:
            rows = _Rows(self, stack)
            for cookie, group in groupby(lines, key=lambda told: told.cookie):
                rows.cookie(cookie, list(group))
        return len(lines)


class _Rows:
    """The tables of a share."""

    def __init__(self, share: Share, stack: ExitStack) -> None:
        self._ids, self._timeout, self._marks = share.ids, share.timeout, share.marks
        part = str(share.number)

        def table(name: str) -> Table:
            return stack.enter_context(Table(share.folder, name, part))

        self._events, self._in_session = table("Event"), table("IN_SESSION")
        self._sessions, self._on_cookie = table("Session"), table("ON_COOKIE")
        self._cookies, self._of_cookie = table("Cookie"), table("OF_COOKIE")
        self._visitors = table("Visitor")
        self._uses = stack.enter_context((share.folder / f"uses.{part}").open("wb"))
        self._seen = stack.enter_context((share.folder / f"seen.{part}").open("wb"))
        self._cookie = self._session = self._event = (share.number + 1) * SHARE

    def cookie(self, cookie: str, lines: list[Told]) -> None:
        """Write what happened on a cookie, given in the order of time."""
        self._cookie += 1
        number, first, last = self._cookie, lines[0].at, lines[-1].at
        if any(told.evidence for told in lines):
            self._seen.write(encode(Seen(cookie, number, first, last)) + b"\n")
        else:
            self._cookies.add(number, cookie, first, last, None)
            put_birth(self._visitors, self._of_cookie, self._ids.birth(cookie), cookie, number)
        self._runs(cookie, number, lines)
        uses: dict[str, Use] = {}
        for told in lines:
            if told.device is not None:
                self._use(uses, told.device, told)
        for use in uses.values():
            self._uses.write(encode(use) + b"\n")

    def _runs(self, cookie: str, number: int, lines: list[Told]) -> None:
        """Events, in sessions."""
        started = last = -1
        session, named = "", cell(cookie)
        for told in lines:
            if started < 0 or told.at - last > self._timeout:
                if started >= 0:
                    self._sessions.add(self._session, session, cookie, started, last)
                self._session += 1
                started, session = told.at, self._ids.session(cookie, told.id)
                self._on_cookie.write(f"{self._session},{number}\n")
            last = told.at
            self._event += 1
            position = cell(place(last, _KINDS[told.rank], told.id))
            mark = self._marks.get(told.id)
            said = _NO_MARK if mark is None else cells(mark)
            self._events.write(
                f"{self._event},{cell(told.id)},{named},{position},{last},"
                f'"{session}",{said},{told.rest}\n'
            )
            self._in_session.write(f"{self._event},{self._session}\n")
        self._sessions.add(self._session, session, cookie, started, last)

    def _use(self, uses: dict[str, Use], device: str, told: Told) -> None:
        use = uses.get(device)
        if use is None:
            uses[device] = Use(told.cookie, self._cookie, device, told.at, told.at, told.at)
            return
        use.last = told.at
        if told.at > use.used_at + self._timeout:
            use.used_at = told.at


def put_birth(visitors: Table, of_cookie: Table, id: str, cookie: str, number: int) -> None:
    """The visitor that a cookie is born with, of whom no evidence tells; it has its number."""
    row = {"id": id, "cookie": cookie, "opening": Opening.BIRTH.value, "start": ""}
    visitors.put(number, row=row)
    of_cookie.write(f"{number},{number}\n")
