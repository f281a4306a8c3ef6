"""What the fold's own memory in the graph should hold: evidence, States, touches."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

import msgspec

from graphid.graph.checks import MISSING, Check, differing, same, says
from graphid.graph.folded import History
from graphid.graph.memory import (
    as_text,
    encode,
    evidence_decoder,
    from_text,
    links_decoder,
    refs_of,
)
from graphid.graph.queries import query
from graphid.graph.rows import Row, evidence_as_row
from graphid.identity.outcome import Outcome
from graphid.identity.state import Key, Link
from graphid.identity.values import Evidence, Place

READ_EVIDENCE = query("verify/read_evidence")
READ_STATES = query("verify/read_states")

HEADER = ("place", "kind", "at", "recordedAt", "policy", "cookie", "operation")
PENDING, BODY, SIZE, TOUCHED, LINKS = range(len(HEADER) + 1, len(HEADER) + 6)
"""Columns of a row of evidence, which begins with the id and the header."""


class Pieces(Check):
    """Evidence: what else is stored of it than what was said."""

    kind = "evidence"
    reads = READ_EVIDENCE

    def faults(self, id: str, row: list[Any] | None) -> Iterator[str]:
        if row is None or (row[1] is None and row[BODY] is None):
            return  # what is not there, or is erased, says nothing
        piece = piece_of(row)
        if piece is None:
            yield "its body cannot be read"
            return
        yield from differing(dict(zip(HEADER, row[1:PENDING], strict=True)), header_of(piece))
        yield from self._says(row, *self.told(id, is_pending=row[PENDING] is not None))

    def told(self, id: str, *, is_pending: bool) -> tuple[list[str], tuple[Link, ...]]:
        """The keys that it touches and the links that it writes; none while it is pending, and
        none when it is withdrawn."""
        place = None if is_pending else self.folded.place_of(id)
        if place is None:
            return [], ()
        taken = self.folded.taken[place]
        return [as_text(history.key) for history in taken.touched], taken.links

    def _says(self, row: list[Any], touched: list[str], links: tuple[Link, ...]) -> Iterator[str]:
        if sorted(row[TOUCHED] or ()) != sorted(touched):
            found, expected = set(row[TOUCHED] or ()), set(touched)
            extra, missing = sorted(found - expected), sorted(expected - found)
            yield says("what it touches beyond that", extra, missing)
        if (row[LINKS] or "[]") != encode(links):
            try:
                found_links = {link.id: link for link in links_decoder.decode(row[LINKS] or "[]")}
            except msgspec.DecodeError:
                found_links = {}
            if found_links != {link.id: link for link in links}:
                told = [link.id for link in links]
                yield says("what it writes of links", list(found_links), told)

    def expected(self) -> Iterator[str]:
        return iter(())

    def keys(self, id: str, row: list[Any] | None) -> set[Key]:
        touched = [from_text(text) for text in (row[TOUCHED] if row else None) or ()]
        place = self.folded.place_of(id)
        told = () if place is None else self.folded.taken[place].touched
        return {*touched, *(history.key for history in told)}


def piece_of(row: list[Any]) -> Evidence | None:
    """The evidence of a row; None where it cannot be read."""
    try:
        piece: Evidence = evidence_decoder.decode(row[BODY] or "")
    except msgspec.DecodeError:
        return None
    return piece


def header_of(piece: Evidence) -> Row:
    """What of evidence is stored beside it, to be found by."""
    row = evidence_as_row(piece, Outcome(), None)
    return {name: row[name] for name in HEADER}


class States(Check):
    """The latest values of the fold's keys."""

    kind = "state"
    reads = READ_STATES

    def faults(self, id: str, row: list[Any] | None) -> Iterator[str]:
        key = from_text(id)
        history = self.folded.history(key)
        value, wrote, touched = history.present
        if row is None:
            if is_known(history):
                yield MISSING
            return
        if not same(key, row[1], value):
            yield says("value", row[1], value)
        if (row[2] or "") != wrote:
            yield says("wrote", row[2], wrote)
        if (row[3] or "") != touched:
            yield says("place", row[3], touched)
        if (row[4] or []) != refs_of(value):
            yield says("refs", row[4], refs_of(value))
        if (row[5] or "") < history.rested:
            yield says("repeated", row[5], history.rested)

    def expected(self) -> Iterator[str]:
        return (as_text(h.key) for h in self.folded.histories() if not h.is_met and is_known(h))

    def keys(self, id: str, row: list[Any] | None) -> set[Key]:
        return {from_text(id)}


def is_known(history: History) -> bool:
    """Whether any step touched it."""
    return bool(history.touched or history.versions)


def touch_faults(history: History, place: Place, rows: list[Any]) -> Iterator[str]:
    """What is wrong with a touch, of which there should be one row, or none."""
    index = bisect_left(history.touched, place)
    is_told = index < len(history.touched) and history.touched[index] == place
    if not is_told:
        if rows:
            yield "the evidence touches nothing there"
        return
    if not rows:
        yield MISSING
        return
    if len(rows) > 1:
        yield f"is there {len(rows)} times"
    written = history.at(place)
    for _, wrote, _, value in rows:
        if wrote != (written is not None):
            yield says("wrote", wrote, written is not None)
        if not same(history.key, value, None if written is None else written[1]):
            yield says("value", value, None if written is None else written[1])
