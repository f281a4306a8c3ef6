"""Parts of the first load, without a database."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from graphid.errors import InvalidInput
from graphid.graph.engine import SilentProgress, exchange
from graphid.graph.loaded import Kept, loaded_rows
from graphid.graph.loading.tables import Table, cell, cells, write_arguments
from graphid.http.segment_calls import Clock, translate
from graphid.http.segment_lines import LinesOf
from graphid.http.segment_plain import plain_of
from graphid.identity.ids import Ids
from graphid.identity.policy import DEFAULT, PolicyVersion
from graphid.identity.values import Assurance
from graphid.service.files.reading import Twins
from graphid.service.loading.cookies import Share, lines_of
from graphid.service.loading.parsing import Line, Nameless, Parsing, Read, Task
from graphid.service.loading.told import Telling, decode_told, encode
from graphid.service.messages import (
    Message,
    Sender,
)
from graphid.service.recording import Recorder
from graphid.settings import Settings
from graphid.wiring_of_files import File
from graphid.wiring_of_loads import Watching, write_history
from tests.integration.ledger import Silent

SENDER = Sender(name="graphid import", assurance=Assurance.CLAIMED, is_browser=False)
IDS = Ids(b"a secret of the tests")
IN_FORCE = PolicyVersion(1, DEFAULT, 0)
RECEIVED_AT = 1_900_000_000_000_000
MINUTE = 60_000_000
LINES = LinesOf(Assurance.CLAIMED, datetime(2026, 3, 1, tzinfo=UTC))


def message_of(call: dict[str, Any]) -> Message:
    return translate(call, clock=Clock(None, datetime.now(UTC)), cookie_of=lambda *_: "none")


@pytest.mark.parametrize(
    "said",
    [
        {"type": "page"},
        {"type": "page", "timestamp": "2026-01-01T00:00:00Z", "context": {"sessionId": "s"}},
        {"type": "page", "properties": {"url": 'https://a.example/"x"', "title": "Ü", "n": [1]}},
        {"type": "track", "event": "Bought", "timestamp": "2999-01-01T00:00:00Z"},
        {"type": "screen", "name": "Home", "context": {"sessionId": "s", "device": {"id": "d"}}},
        {"type": "track", "event": "Bought", "userId": ""},
        {"type": "group", "groupId": "g", "timestamp": "2026-01-01T00:00:00.5Z"},
    ],
)
def test_what_is_no_evidence_is_told_as_the_recorder_records_it(said: dict[str, Any]) -> None:
    call = said | {"anonymousId": "c", "messageId": "m"}
    message = plain_of(call) or message_of(call)
    told = Telling(SENDER, IN_FORCE, RECEIVED_AT).event(message, "m")
    event = Recorder(SENDER, IN_FORCE, RECEIVED_AT).record(message, "m").event
    assert event is not None
    properties = event.properties()
    order = (
        "type",
        "kind",
        "nobody",
        "receivedAt",
        "digest",
        "device",
        "clientSession",
        "actor",
        "detail",
    )
    assert told.rest == cells(map(properties.get, order))
    assert (told.id, told.cookie, told.at, told.device) == ("m", "c", event.at, event.device)
    assert told.rank == event.position[16]


def parsing() -> Parsing:
    return Parsing(Task((LINES,), b"a secret", SENDER, IN_FORCE, RECEIVED_AT, 4))


def test_a_line_that_names_no_id_comes_back_for_one() -> None:
    text = b'{"type": "page", "anonymousId": "c", "properties": {"messageId": "of another"}}'
    line = Line(1, text, "")
    assert parsing().read(0, line) is line
    read = parsing().read(0, line._replace(id=Twins().id_of(text)))
    assert isinstance(read, Read)
    assert decode_told(read.text).id == read.id
    blank = line._replace(text=text.replace(b'"page",', b'"page", "messageId": "  ",'))
    assert parsing().read(0, blank) is blank
    with pytest.raises(Nameless):
        LINES(IDS, parsing()._given).read(text)


def told_at(*times: int, **more: Any) -> list[bytes]:
    """Lines of one cookie, at these minutes."""
    return [
        encode(
            Telling(SENDER, IN_FORCE, RECEIVED_AT).event(
                message_of(
                    {"type": "page", "anonymousId": "c", "messageId": f"m{number}", **more}
                    | {"timestamp": datetime.fromtimestamp(60 * at, UTC).isoformat()}
                ),
                f"m{number}",
            )
        )
        for number, at in enumerate(times)
    ]


START = 30_000_000
"""A minute, in minutes since 1970."""


def test_equal_times_are_spread_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "share"
    lines = told_at(START, START, START + 1, START, userId="jane")
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    found = list(lines_of(file))
    assert [told.at - START * MINUTE for told in found] == [0, 1, MINUTE, 2]
    assert [told.evidence[0].evidence.at for told in found] == [told.at for told in found]


def test_sessions_end_where_a_gap_is_longer_than_the_timeout(tmp_path: Path) -> None:
    file = tmp_path / "share"
    lines = told_at(START + 41, START, START + 20, context={"device": {"id": "d"}})
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    assert Share(tmp_path, file, 0, 20 * MINUTE, IDS).write() == 3
    _, first, second = (tmp_path / "Session.0.csv").read_text().splitlines()
    expected = [(START, START + 20, "m1"), (START + 41, START + 41, "m0")]
    for row, (began, ended, message) in zip((first, second), expected, strict=True):
        session = IDS.session("c", message)
        assert row.split(",")[1:] == [
            f'"{session}"',
            '"c"',
            str(began * MINUTE),
            str(ended * MINUTE),
        ]
    (use,) = (tmp_path / "uses.0").read_bytes().splitlines()
    assert json.loads(use)[-1] == (START + 41) * MINUTE
    assert len((tmp_path / "Visitor.0.csv").read_text().splitlines()) == 2


def test_what_is_only_said_again_is_marked(tmp_path: Path) -> None:
    file = tmp_path / "share"
    file.write_bytes(b"".join(line + b"\n" for line in told_at(START, START + 1, userId="jane")))
    Share(tmp_path, file, 0, 20 * MINUTE, IDS, {"m1": ("repetition_a", "where")}).write()
    with (tmp_path / "Event.0.csv").open() as rows:
        names = [f"{name}:string" for name in ("messageId", "repetition", "said")]
        said = [tuple(row[name] for name in names) for row in csv.DictReader(rows)]
    assert said == [("m0", "", ""), ("m1", "repetition_a", "where")]


def test_cells() -> None:
    found = cells(["", None, 'a "b"\\', True, 7, (), ["x", "y;"]])
    assert found == '"",,"a ""b""\\",true,7,,"x\x1ey;"'
    with pytest.raises(ValueError, match="empty text"):
        cell([""])


def test_a_table_says_its_columns(tmp_path: Path) -> None:
    with Table(tmp_path, "ON_DEVICE", "a") as table:
        table.put(1, 2, row={"device": "d", "usedAt": 3})
    assert (tmp_path / "ON_DEVICE.a.csv").read_text() == (
        ':START_ID(Cookie),:END_ID(Device),device:string,known:boolean,usedAt:long\n1,2,"d",,3\n'
    )


def test_one_engine_takes_the_place_of_another_also_in_two_lives(tmp_path: Path) -> None:
    def make(name: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "which").write_text(name)

    make("engine")
    make("engine.loading")
    exchange.put_in_place(tmp_path)
    assert (tmp_path / "engine" / "which").read_text() == "engine.loading"
    assert [path.name for path in tmp_path.iterdir()] == ["engine"]
    # Killed between the two steps: whoever asks for the engine does the second.
    (tmp_path / "engine").rename(tmp_path / "engine.before")
    make("engine.loaded")
    exchange.sweep(tmp_path)
    assert (tmp_path / "engine" / "which").read_text() == "engine.loaded"
    # Killed before the first: the old one stays.
    make("engine.loaded")
    (tmp_path / "engine" / "which").write_text("old")
    exchange.finish(tmp_path)
    assert (tmp_path / "engine" / "which").read_text() == "old"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda into: (into / "anything").mkdir(parents=True), "is not empty"),
        (lambda into: into.write_text(""), "cannot be written"),
    ],
    ids=["not empty", "a file"],
)
def test_files_for_an_importer_are_written_into_an_empty_folder(
    tmp_path: Path, make: Callable[[Path], object], why: str
) -> None:
    into = tmp_path / "into"
    make(into)
    nobody = Watching(SilentProgress(), Silent(), lambda name, fault: None)
    with pytest.raises(InvalidInput, match=why):
        write_history(Settings(), [], into, nobody)


def test_lines_are_refused_as_by_import(tmp_path: Path) -> None:
    calls, rows = tmp_path / "calls.ndjson", tmp_path / "rows.csv"
    call = '{"type": "page", "anonymousId": "c", "messageId": "  ", "properties": {}}\n'
    calls.write_text(f"\ufeff{call}{'z' * (1 << 20)}\n{call}")
    rows.write_text(
        'source,sourceId,note\ncrm,1,"a\nb"\n'
        f'{"z" * (1 << 20)}\ncrm,2,"open\ncrm,3,lost\ncrm,4,"quoted, cell"\n'
    )
    faults: list[tuple[int, int]] = []
    watching = Watching(
        SilentProgress(), Silent(), lambda _, fault: faults.append((fault.line, fault.end))
    )
    files = [File(calls, "ndjson"), File(rows, "csv")]
    written = write_history(Settings(), files, tmp_path / "into", watching)
    assert (written.events, written.contacts, written.known) == (2, 1, 0)
    assert faults == [(2, 2), (4, 4), (5, 7)]
    assert written.refused == 5


def test_of_a_pipe_what_says_no_time_is_so_when_the_load_begins(tmp_path: Path) -> None:
    contact = '{"type": "contact", "source": "crm", "sourceId": "1"}\n'
    told = {"ndjson": contact * 2, "csv": "source,sourceId\ncrm,1\ncrm,1\n"}
    files = [File(tmp_path / "a", "ndjson"), File(tmp_path / "b", "csv")]
    with ThreadPoolExecutor() as writing:
        for file in files:
            assert file.path is not None
            os.mkfifo(file.path)
            writing.submit(file.path.write_text, told[file.format])
        nobody = Watching(SilentProgress(), Silent(), lambda name, fault: None)
        written = write_history(Settings(), files, tmp_path / "into", nobody)
    assert (written.contacts, written.known, written.refused) == (1, 3, 0)


def test_the_arguments_of_the_importer_name_every_file(tmp_path: Path) -> None:
    for name, part in (("Event", "1"), ("Event", "0"), ("ON_COOKIE", "0")):
        with Table(tmp_path, name, part):
            pass
    write_arguments(tmp_path)
    assert (tmp_path / "import.args").read_text().splitlines() == [
        "--id-type=integer",
        "--array-delimiter=U+001E",
        "--nodes=Event=./Event.0.csv",
        "--nodes=Event=./Event.1.csv",
        "--relationships=ON_COOKIE=./ON_COOKIE.0.csv",
    ]


def test_what_a_loaded_graph_lacks_is_told_in_small_parts() -> None:
    kept = Kept(
        {"name": "graphid"}, keys=({"scopes": []},), entries=tuple({"id": n} for n in range(1001))
    )
    first, *entries = loaded_rows(kept, 7, 16)
    assert json.loads(first["settings"])["keys"] == [{"scopes": []}]
    assert json.loads(first["settings"])["lease"]["last"] == 7
    assert [len(json.loads(row["settings"])) for row in entries] == [1000, 1]
    assert [(row["number"], row["migrations"]) for row in (first, *entries)] == [
        (number, 16) for number in range(3)
    ]
