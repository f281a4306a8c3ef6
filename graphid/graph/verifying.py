"""Going through the graph beside the fold of its evidence, and looking again at what differs.

The first look takes no locks, so what arrives meanwhile may seem to differ. Whatever seems to is
looked at again under the locks of the keys concerned, once all evidence is folded that is there
by then: what differs still, differs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, Protocol, TypeVar

from graphid.graph.checks import Check, Subject
from graphid.graph.checks_of_marks import READ_MARKS, Marks, mark_in
from graphid.graph.checks_of_memory import (
    BODY,
    PENDING,
    SIZE,
    Pieces,
    States,
    piece_of,
    touch_faults,
)
from graphid.graph.checks_of_nodes import (
    Contacts,
    Devices,
    Identifiers,
    People,
    Reviews,
    Visitors,
)
from graphid.graph.database import Database, Unit
from graphid.graph.evidence import PolicyOf
from graphid.graph.folded import Folded, History, Told
from graphid.graph.memory import as_text, from_text
from graphid.graph.queries import Query, query
from graphid.identity.ids import Ids
from graphid.identity.state import Key
from graphid.identity.values import Place

T = TypeVar("T")

READ_EVIDENCE = query("verify/read_evidence")
LIST_PLACES = query("verify/list_places")
FIND_DISPLACED = query("verify/find_displaced")
COUNT_EVIDENCE = query("verify/count_evidence")
LIST_TOUCHES = query("verify/list_touches")
READ_TOUCHES = query("verify/read_touches")
READ_COOKIES = query("verify/read_cookies")
LIST_REPETITIONS = query("verify/list_repetitions")
LOCK_KEYS = query("verify/lock_keys")

CHECKS: tuple[type[Check], ...] = (
    *(States, Visitors, Devices, Contacts),
    *(People, Identifiers, Reviews),
)
"""What is gone through page by page, beside evidence, touches and cookies."""

PLURALS = {"person": "people"}

PAGE = 500
"""Rows of a page."""

PLACES = 5000
"""Rows of a page that only names places."""

AT_ONCE = 200
"""Subjects that are looked at again in one transaction."""

PATIENCE = 600.0
"""Seconds that one statement, or one transaction of many, may take."""

Ask = Callable[..., Awaitable[list[dict[str, Any]]]]
"""Runs a reading statement: alone, or inside a transaction."""


class Progress(Protocol):
    """Told how far a long job has come."""

    def begin(self, what: str, total: int | None = None) -> None:
        """A part begins; ``total``: how many there are of ``what``, where that is known."""

    def advance(self, count: int) -> None:
        """So many more are done."""


class Finding(NamedTuple):
    """One difference: what it is about, and the rest of the sentence."""

    subject: Subject
    text: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.text}."


class Looked(NamedTuple):
    """A subject as it was read again, under its locks, and what is wrong with it."""

    subject: Subject
    row: list[Any] | None
    faults: list[str]


@dataclass
class Verification:
    """One comparison of the graph with the fold of its evidence.

    ``suspects``: what seemed to differ at the first look.
    """

    database: Database
    policy_of: PolicyOf
    ids: Ids
    progress: Progress
    suspects: dict[Subject, None] = field(default_factory=dict)
    pending: int = 0
    """Pieces of evidence that wait for a job, and were left out."""

    def __post_init__(self) -> None:
        self.folded = Folded(self.policy_of, self.ids)
        self.pieces = Pieces(self.folded)
        self.marks = Marks(self.folded)
        self.checks: dict[str, Check] = {
            check.kind: check
            for check in (self.pieces, self.marks, *(of(self.folded) for of in CHECKS))
        }
        self._counted: dict[str, Any] = {}

    # ------------------------------------------------------------------ the first look

    async def look(self) -> None:
        """Fold all evidence, and go through the whole graph beside it."""
        await self._fold()
        self._stepped_again(await self.catch_up(self._ask))
        await self._look_at_touches()
        await self._look_at_marks()
        for kind in CHECKS:
            await self._look_at(self.checks[kind.kind])
        await self._look_at_cookies()

    async def _ask(self, statement: Query, **parameters: Any) -> list[dict[str, Any]]:
        return await self.database.read_rows(statement, within=PATIENCE, **parameters)

    def _suspect(self, kind: str, id: str, place: str = "") -> None:
        self.suspects[Subject(kind, id, place)] = None

    async def _fold(self) -> None:
        (counted,) = await self._ask(COUNT_EVIDENCE)
        self.progress.begin("pieces of evidence", counted["pieces"])
        async for rows in self._pages(READ_EVIDENCE):
            await self._take_in(rows)
            self.progress.advance(len(rows))
        displaced = [row["id"] for row in await self._ask(FIND_DISPLACED)]
        for ids in batched(displaced, PAGE):
            await self._take_in(await self._named(self._ask, ids))

    async def _take_in(self, rows: list[list[Any]]) -> None:
        """Fold rows of evidence, and compare with them what is stored of them."""
        self.pending += sum(row[PENDING] is not None for row in rows)
        self._stepped_again(await self.folded.fold(list(pieces_of(rows))))
        for row in rows:
            if any(True for _ in self.pieces.faults(row[0], row)):
                self._suspect(Pieces.kind, row[0])

    def _stepped_again(self, places: Iterable[str]) -> None:
        for place in places:
            taken = self.folded.taken.get(place)
            if taken is not None:
                self._suspect(Pieces.kind, taken.id)

    async def _look_at_touches(self) -> None:
        self.progress.begin("touches")
        after = ["", True, ""]
        of_key: dict[str, None] = {}
        last: History | None = None
        while True:
            key, wrote, place = after
            page = {"key": key, "wrote": wrote, "place": place, "size": PAGE}
            (found,) = await self._ask(LIST_TOUCHES, named=page)
            for row in found["rows"]:
                history = self.folded.history(from_text(row[0]))
                if last is None or history.key != last.key:
                    self._end_of_key(last, of_key)
                    last, of_key = history, {}
                if row[2] in of_key or any(True for _ in touch_faults(history, row[2], [row])):
                    self._suspect("touch", row[0], row[2])
                of_key[row[2]] = None
            self.progress.advance(len(found["rows"]))
            if len(found["rows"]) < PAGE:
                break
            after = found["rows"][-1][:3]
        self._end_of_key(last, of_key)
        for history in self.folded.histories():
            if history.touched and not history.met:
                self._missing(history, history.touched)

    def _end_of_key(self, history: History | None, places: dict[str, None]) -> None:
        if history is not None:
            history.met = len(places)
            if len(places) < len(history.touched):
                self._missing(history, (at for at in history.touched if at not in places))

    def _missing(self, history: History, places: Iterable[str]) -> None:
        for place in places:
            self._suspect("touch", as_text(history.key), place)

    async def _look_at_marks(self) -> None:
        self.progress.begin("repetitions")
        after = ""
        while True:
            (found,) = await self._ask(LIST_REPETITIONS, named={"after": after, "size": PAGE})
            for repetition in found["ids"]:
                await self._look_at_marks_of(repetition)
            self.progress.advance(len(found["ids"]))
            if len(found["ids"]) < PAGE:
                return
            after = found["ids"][-1]

    async def _look_at_marks_of(self, repetition: str) -> None:
        after = ""
        while True:
            page = {"ids": [], "repetition": repetition, "after": after, "size": PAGE}
            (found,) = await self._ask(READ_MARKS, named=page)
            await self.marks.learn(found["rows"], self.policy_of)
            for row in found["rows"]:
                mark = mark_in(row)
                for key in self.marks.rests(mark):
                    self.folded.rest(key, mark.piece.place)
                if any(True for _ in self.marks.faults(row[0], row)):
                    self._suspect(Marks.kind, row[0])
            if len(found["rows"]) < PAGE:
                return
            after = found["rows"][-1][1]["position"]

    async def _look_at(self, check: Check) -> None:
        self.progress.begin(PLURALS.get(check.kind, f"{check.kind}s"))
        met: set[str] = set()
        async for rows in self._pages(check.reads):
            for row in rows:
                if check.kind == "state":
                    self.folded.history(from_text(row[0])).is_met = True
                else:
                    met.add(row[0])
                if any(True for _ in check.faults(row[0], row)):
                    self._suspect(check.kind, row[0])
            self.progress.advance(len(rows))
        for id in check.expected():
            if id not in met:
                self._suspect(check.kind, id)

    async def _look_at_cookies(self) -> None:
        self.progress.begin("cookies")
        after: str | None = ""
        while after is not None:
            page = {"ids": [], "after": after, "size": PLACES}
            (found,) = await self._ask(READ_COOKIES, named=page)
            for id, _, _ in found["rows"]:
                self._suspect("cookie", id)
            self.progress.advance(PLACES)
            after = found["last"]

    async def _pages(self, statement: Query) -> AsyncIterator[list[list[Any]]]:
        after = ""
        while True:
            page = {"ids": [], "after": after, "size": PAGE}
            (found,) = await self._ask(statement, named=page)
            if found["rows"]:
                yield found["rows"]
            if len(found["rows"]) < PAGE:
                return
            last = found["rows"][-1]
            after = last[1] if statement is READ_EVIDENCE else last[0]

    async def _named(self, ask: Ask, ids: list[str]) -> list[list[Any]]:
        """Rows of evidence."""
        (found,) = await ask(READ_EVIDENCE, named={"ids": ids, "after": None, "size": 0})
        rows: list[list[Any]] = found["rows"]
        return rows

    # ------------------------------------------------------------------ what arrived meanwhile

    async def catch_up(self, ask: Ask) -> set[str]:
        """Fold in what has arrived since, was finished, restamped or withdrawn: the places of
        what was stepped for that."""
        (counted,) = await ask(COUNT_EVIDENCE)
        if counted == self._counted:
            return set()
        other: list[str] = []
        there: set[Place] = set()
        async for id, place, policy, pending, size in self._places(ask):
            if pending is not None:
                continue
            at = self.folded.place_of(id)
            taken = None if at is None else self.folded.taken[at]
            if at is not None:
                there.add(at)
            if taken is None or (at, taken.policy, taken.size) != (place, policy, size):
                other.append(id)
        gone = self.folded.taken.keys() - there
        new: list[Told] = []
        restated: list[Told] = []
        for ids in batched(other, PAGE):
            for told in pieces_of(await self._named(ask, ids)):
                is_new = self.folded.place_of(told.piece.id) is None
                (new if is_new else restated).append(told)
        self._counted = counted
        if not (new or restated or gone):
            return set()
        return await self.folded.follow(new, restated=restated, gone=gone)

    async def _places(self, ask: Ask) -> AsyncIterator[list[Any]]:
        after = ""
        while True:
            (found,) = await ask(LIST_PLACES, named={"after": after, "size": PLACES})
            for row in found["rows"]:
                yield row
            if len(found["rows"]) < PLACES:
                break
            after = found["rows"][-1][1]
        displaced = [row["id"] for row in await ask(FIND_DISPLACED)]
        for ids in batched(displaced, PAGE):
            for row in await self._named(ask, ids):
                yield [row[0], row[1], row[5], row[PENDING], row[SIZE]]

    # ------------------------------------------------------------------ the second look

    async def look_again(self, unit: Unit, subjects: list[Subject]) -> list[Looked]:
        """What is wrong with subjects, under the locks of all that would change them."""
        found = await self._read(unit.rows, subjects)
        keys = {key for subject, row in found.items() for key in self._keys(subject, row)}
        await unit.run(LOCK_KEYS, keys=sorted(map(as_text, keys)))
        await self.catch_up(unit.rows)
        found = await self._read(unit.rows, subjects)
        return [
            Looked(subject, row, list(self._faults(subject, row))) for subject, row in found.items()
        ]

    async def findings(self) -> list[Finding]:
        """What differs, of what seemed to. Nothing is written."""
        self.progress.begin("of what differs", len(self.suspects))
        found: list[Finding] = []
        for subjects in batched(self.suspects, AT_ONCE):
            for looked in await self._look_and_leave(subjects):
                found += (Finding(looked.subject, text) for text in looked.faults)
            self.progress.advance(len(subjects))
        return found

    async def _look_and_leave(self, subjects: list[Subject]) -> list[Looked]:
        async def work(unit: Unit) -> None:
            # The locks are taken by writing: the way out takes that back.
            raise _Seen(await self.look_again(unit, subjects))

        try:
            await self.database.write(work, timeout=PATIENCE)
        except _Seen as seen:
            return seen.looked
        raise AssertionError

    async def _read(self, ask: Ask, subjects: list[Subject]) -> dict[Subject, list[Any] | None]:
        """The rows of subjects; of a touch, the list of its rows."""
        found: dict[Subject, list[Any] | None] = dict.fromkeys(subjects)
        of_kind: dict[str, list[str]] = {}
        touches = [subject for subject in subjects if subject.kind == "touch"]
        for subject in subjects:
            if subject.kind != "touch":
                of_kind.setdefault(subject.kind, []).append(subject.id)
        for kind, ids in of_kind.items():
            statement = READ_COOKIES if kind == "cookie" else self.checks[kind].reads
            named = {"ids": ids, "after": None, "repetition": None, "size": 0}
            (answer,) = await ask(statement, named=named)
            if kind == Marks.kind:
                await self.marks.learn(answer["rows"], self.policy_of)
            found |= {Subject(kind, row[0]): row for row in answer["rows"]}
        if touches:
            asked = [{"key": touch.id, "place": touch.place} for touch in touches]
            (answer,) = await ask(READ_TOUCHES, asked=asked)
            found |= {touch: [] for touch in touches}
            for row in answer["rows"]:
                rows = found[Subject("touch", row[0], row[2])]
                assert rows is not None
                rows.append(row)
        return found

    def _keys(self, subject: Subject, row: list[Any] | None) -> set[Key]:
        match subject.kind:
            case "touch":
                return {from_text(subject.id)}
            case "cookie":
                return {("cookie", subject.id)}
            case kind:
                return self.checks[kind].keys(subject.id, row)

    def _faults(self, subject: Subject, row: list[Any] | None) -> Iterator[str]:
        match subject.kind:
            case "touch":
                history = self.folded.history(from_text(subject.id))
                yield from touch_faults(history, subject.place, row or [])
            case "cookie":
                if row is not None and row[1] is not None:
                    yield f"{row[1]} visitors begin with its birth, and one has to"
                if row is not None and row[2]:
                    yield "its devices do not say how it was used there"
            case kind:
                yield from self.checks[kind].faults(subject.id, row)


class _Seen(Exception):
    """What was seen in a transaction that is to leave no trace."""

    def __init__(self, looked: list[Looked]) -> None:
        super().__init__()
        self.looked = looked


def pieces_of(rows: Iterable[list[Any]]) -> Iterator[Told]:
    """What of rows of evidence is to be folded: what is not pending and can be read."""
    for row in rows:
        piece = piece_of(row) if row[PENDING] is None else None
        if piece is not None:
            yield Told(piece, row[BODY], row[SIZE])


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of so many, and a last one of fewer."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
