"""The audit without a database: what is told to it, and when it is written."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
import structlog

from graphid.errors import DatabaseUnavailable
from graphid.graph.database import Database
from graphid.identity.ids import Ids
from graphid.service.audit.audit import BATCH, LOST, Audit
from graphid.service.audit.entries import (
    LONGEST_AGENT,
    MOST_SUBJECTS,
    Entry,
    Origin,
    Outcome,
    given_out,
    of_row,
    shortened,
    to_row,
)

IDS = Ids(b"a secret of the tests")
ORIGIN = Origin(actor="sk:1", address="192.0.2.1", agent="curl/8", request_id="r-1")


class Kept:
    """A database that keeps what is written, or is away."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.is_away = False
        self.wrote = asyncio.Event()

    async def write_rows(self, _query: object, **given: Any) -> list[dict[str, Any]]:
        if self.is_away:
            raise DatabaseUnavailable
        self.rows += given.get("batch", {}).get("entries", [])
        self.wrote.set()
        return [{"entries": 0}]

    @property
    def actions(self) -> list[str]:
        return [row["action"] for row in self.rows]


def audit(kept: Kept, **options: Any) -> Audit:
    return Audit(cast(Database, kept), lambda: 1_789_000_000_000_000, days=400, **options)


async def test_an_act_is_there_when_it_is_answered() -> None:
    kept = Kept()
    witness = audit(kept).of(lambda: ORIGIN)
    await witness.record("mergePeople", subjects=["a", "b", "a"], operation="operation_1")
    (row,) = kept.rows
    assert row["subjects"] == ["a", "b"]
    assert (row["actor"], row["address"], row["requestId"]) == ("sk:1", "192.0.2.1", "r-1")
    assert (row["outcome"], row["operation"]) == ("DONE", "operation_1")


async def test_an_act_that_cannot_be_written_is_not_answered() -> None:
    kept = Kept()
    kept.is_away = True
    with structlog.testing.capture_logs() as logs, pytest.raises(DatabaseUnavailable):
        await audit(kept).of(lambda: ORIGIN).record("setPolicy")
    assert [line["event"] for line in logs] == ["act_not_in_audit"]


async def test_reads_wait_and_are_written_in_their_order() -> None:
    kept = Kept()
    told = audit(kept)
    for number in range(BATCH + 1):
        told.of(lambda: ORIGIN).note(str(number))
    assert kept.rows == []
    await told.flush()
    assert kept.actions == [str(number) for number in range(BATCH + 1)]


async def test_what_could_not_be_written_waits_on() -> None:
    kept = Kept()
    told = audit(kept)
    for number in range(3):
        told.of(lambda: ORIGIN).note(str(number))
    kept.is_away = True
    with pytest.raises(DatabaseUnavailable):
        await told.flush()
    kept.is_away = False
    await told.flush()
    assert kept.actions == ["0", "1", "2"]


async def test_what_waits_is_bounded_and_what_is_lost_is_told() -> None:
    kept = Kept()
    told = audit(kept, most=10)
    for number in range(13):
        told.of(lambda: ORIGIN).note(str(number))
    kept.is_away = True
    with pytest.raises(DatabaseUnavailable):
        await told.flush()
    kept.is_away = False
    await told.flush()
    assert kept.actions == [*map(str, range(10)), LOST]
    assert kept.rows[-1]["omitted"] == 3
    await told.flush()
    assert len(kept.rows) == 11


async def test_it_writes_by_itself_and_the_rest_at_the_end() -> None:
    kept = Kept()
    told = audit(kept, gather=0.0)
    async with told.running():
        kept.wrote.clear()
        told.of(lambda: ORIGIN).note("first")
        await kept.wrote.wait()
        assert kept.actions == ["first"]
    later = audit(kept, gather=3600.0)
    async with later.running():
        later.of(lambda: ORIGIN).note("second")
    assert kept.actions == ["first", "second"]


async def test_what_is_lost_at_the_end_is_in_the_log() -> None:
    kept = Kept()
    told = audit(kept, gather=3600.0)
    with structlog.testing.capture_logs() as logs:
        async with told.running():
            told.of(lambda: ORIGIN).note("a read")
            kept.is_away = True
    lost = next(line for line in logs if line["event"] == "audit_lost")
    assert lost["entries"] == 1


def test_only_what_we_made_ourselves_counts_as_an_id() -> None:
    ours = [
        IDS.person(IDS.contact("email:jane@example.com")),
        IDS.contact("email:jane@example.com"),
        IDS.birth("c"),
        IDS.birth("c") + "~unclaimed",
        IDS.link("HAS_IDENTIFIER", "e", "a", "b"),
        IDS.review("SUGGESTED_MERGE", "a", "b"),
        IDS.identifier("email:jane@example.com"),
        IDS.session("c", "m"),
        IDS.chat("c", "named"),
        "operation_" + "0" * 32,
    ]
    theirs = ["jane@example.com", "person_jane", "", "+442079460958", "operation_jane@x.example"]
    assert given_out([*ours, *theirs]) == ours
    assert given_out([ours[0] + "\njane"]) == []


def test_an_entry_is_read_as_it_was_written() -> None:
    entry = Entry.of(ORIGIN, "person", Outcome.PREVIEWED, ["person_1"], at=5, operation="o")
    assert of_row(to_row(entry)) == entry
    many = Entry.of(ORIGIN, "reviews", Outcome.DONE, map(str, range(MOST_SUBJECTS + 7)), at=5)
    assert (len(many.subjects), many.omitted) == (MOST_SUBJECTS, 7)
    assert Entry.of(ORIGIN, "a", Outcome.DONE, (), at=9).position < entry.position.replace(
        "0000000000000005", "0000000000000010"
    )


def test_a_user_agent_is_shortened() -> None:
    assert shortened("curl/8.1\x00\n é") == "curl/8.1 "
    assert len(shortened("x" * 10_000)) == LONGEST_AGENT
