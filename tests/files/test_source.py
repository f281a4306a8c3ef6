"""A file as a source of messages, without a database."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from graphid.identity.values import Assurance
from graphid.service.files import lines as lines_module
from graphid.service.files.contacts import ContactRows
from graphid.service.files.lines import Lines
from graphid.service.files.reading import Reader
from graphid.service.files.source import At, FileSource
from graphid.service.messages import Sender
from graphid.service.sources import Sent

AT = datetime(2026, 3, 1, tzinfo=UTC)
SENDER = Sender(name="the test", assurance=Assurance.CLAIMED, is_browser=False)


def source_of(content: bytes, reader_of: Callable[[], Reader]) -> FileSource:
    return FileSource(
        lambda: Lines(cast("Any", io.BytesIO(content))),
        reader_of,
        SENDER,
    )


async def sent_by(source: FileSource) -> list[Sent[At]]:
    source.open()
    return [sent async for sent in source.messages()]


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
