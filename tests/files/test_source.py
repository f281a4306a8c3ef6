"""A file as a source of messages, without a database."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from graphid.http.segment_lines import SegmentLines
from graphid.identity.values import Assurance
from graphid.service.files import lines as lines_module
from graphid.service.files import spread as spread_module
from graphid.service.files.contacts import ContactRows
from graphid.service.files.lines import Lines
from graphid.service.files.points import Point, PointFile, Points
from graphid.service.files.reading import Reader
from graphid.service.files.source import At, FileSource
from graphid.service.files.spread import Spread
from graphid.service.messages import Identify, Message, Plain, Sender, Track
from graphid.service.sources import Sent

AT = datetime(2026, 3, 1, tzinfo=UTC)
SENDER = Sender(name="the test", assurance=Assurance.CLAIMED, is_browser=False)


def source_of(
    content: bytes,
    reader_of: Callable[[], Reader],
    point: PointFile | None = None,
    spread: Spread | None = None,
) -> FileSource:
    def lines() -> Lines:
        return Lines(cast("Any", io.BytesIO(content)))

    return FileSource(lines, reader_of, SENDER, point, spread or Spread())


async def sent_by(source: FileSource) -> list[Sent[At]]:
    source.open()
    return [sent async for sent in source.messages()]


DAY = "2026-11-20T00:00:00Z"


def call(number: int, cookie: str = "c", at: str = DAY, **more: Any) -> dict[str, Any]:
    said = {"type": "track", "event": "Bought", "messageId": f"m{number}", "anonymousId": cookie}
    return said | {"timestamp": at} | more


def ndjson(calls: Iterable[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(call)}\n" for call in calls).encode()


def lines_of() -> SegmentLines:
    return SegmentLines(lambda *_: "cookie", at=AT)


def moment_of(message: Message | None) -> datetime:
    if isinstance(message, Plain):
        return message.at
    assert isinstance(message, Track | Identify)
    assert message.context.occurred_at is not None
    return message.context.occurred_at


def micros_after(sent: Iterable[Sent[At]], start: str = DAY) -> list[int]:
    """Microseconds from then on, at which each message is."""
    began = datetime.fromisoformat(start)
    return [(moment_of(each.message) - began) // timedelta(microseconds=1) for each in sent]


async def test_equal_times_on_a_cookie_are_spread_in_the_order_of_the_file() -> None:
    calls = [
        call(0),
        call(1, context={"device": {"id": "d"}}),  # seen at a glance
        call(2, type="identify", userId="jane"),
        call(3, cookie="other"),
        call(4, at="2026-11-20T00:00:00.000001Z"),
        call(1, context={"device": {"id": "d"}}),  # once more
        call(5),
    ]
    found = await sent_by(source_of(ndjson(calls), lines_of))
    assert micros_after(found) == [0, 1, 2, 0, 3, 1, 4]
    # A day's events of one cookie, more than any list of them.
    found = await sent_by(source_of(ndjson(map(call, range(3_000))), lines_of))
    assert micros_after(found) == [*range(3_000)]
    # It is cut when it is recorded.
    last = "9999-12-31T23:59:59.999999Z"
    found = await sent_by(source_of(ndjson(call(n, at=last) for n in range(2)), lines_of))
    assert micros_after(found, last) == [0, 0]


async def test_the_files_of_one_command_are_spread_together() -> None:
    spread = Spread()
    first = source_of(ndjson([call(0), call(1)]), lines_of, spread=spread)
    then = source_of(ndjson([call(1), call(2)]), lines_of, spread=spread)
    assert micros_after(await sent_by(first)) == [0, 1]
    assert micros_after(await sent_by(then)) == [1, 2]


async def test_what_is_spread_is_forgotten_behind_many_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spread_module, "REMEMBERED", 10)
    others = [call(n, cookie=f"c{n}") for n in range(1, 50)]
    found = await sent_by(source_of(ndjson([call(0), *others[:5], call(90)]), lines_of))
    assert micros_after(found)[-1] == 1
    # Else it is as good as the first: memory has a bound.
    found = await sent_by(source_of(ndjson([call(0), *others, call(90)]), lines_of))
    assert micros_after(found)[-1] == 0


def test_where_a_point_cannot_be_kept_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    point = Points(tmp_path / "file", "graph").of("file")
    point.write(Point(1, "digest", 0))
    assert point.read() is None
    point.drop()


async def test_where_it_goes_on_each_line_has_the_moment_that_it_had(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lines_module, "BLOCK", 400)
    content = ndjson([*map(call, range(5)), {"type": "none"}, *map(call, range(5, 10))])
    point = Points(tmp_path, "graph").of("file")
    killed = source_of(content, lines_of, point)
    killed.open()
    messages = killed.messages()
    sent = [await anext(messages) for _ in range(8)]
    await killed.stored(sent[-2].position)
    again = source_of(content, lines_of, point)
    found = await sent_by(again)
    assert 0 < again.resumed.line == 11 - len(found)
    assert micros_after(found) == [*range(10)][-len(found) :]


async def test_a_row_is_told_by_its_first_line_and_its_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines_module, "MOST", 40)
    long = "z" * 41
    text = (
        "source,sourceId,note\n"
        'crm,1,"a\nb\nc"\n'
        f"crm,2,{long}\n"
        'crm,3,"open\n'
        "crm,4,lost\n"
        'crm,5,"quoted, cell"\n'
        'crm,6,"a\n'
        f"{long}\n"
        "crm,7,fine\n"
        'crm,8,"open\n'
        "crm,9,lost"
    )
    source = source_of(text.encode(), lambda: ContactRows(at=AT))
    found = [(*sent.position, sent.fault is None) for sent in await sent_by(source)]
    assert found == [
        (2, 4, True),
        (5, 5, False),
        (6, 8, False),
        (9, 10, False),
        (11, 11, True),
        (12, 13, False),
    ]
    for sent in await sent_by(source):
        if sent.fault is not None:
            source.refused(sent.position)
    assert source.lines_refused == 8
