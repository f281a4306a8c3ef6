"""Lines and rows of files, without a database."""

from __future__ import annotations

import gzip
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from graphid.cli.imports import FileAssurance, files_of
from graphid.errors import InvalidInput
from graphid.http.segment_lines import SegmentLines, parse_line
from graphid.service.files import lines as lines_module
from graphid.service.files.contacts import FIELDS, ContactRows
from graphid.service.files.lines import Block, Lines
from graphid.service.files.reading import Twins
from graphid.service.messages import Contact, Page, Plain, Track
from tests.test_documents import block

AT = datetime(2026, 3, 1, tzinfo=UTC)


def blocks(content: bytes) -> list[Block]:
    return list(Lines(cast("Any", io.BytesIO(content))).blocks())


def said(content: bytes) -> list[bytes | None]:
    return [line for block in blocks(content) for line in block.lines]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_are_the_same_whatever_is_read_at_once(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    content = b"one\ntwo\r\n\nfour\r\rsix\r\nlast"
    monkeypatch.setattr(lines_module, "BLOCK", size)
    expected = [b"one\n", b"two\r\n", b"\n", b"four\r", b"\r", b"six\r\n", b"last"]
    assert said(content) == expected
    assert said(gzip.compress(content)) == expected
    found = blocks(content)
    assert found[0].first == 1
    assert found[-1].last == 7


def test_a_line_is_no_longer_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "BLOCK", 4)
    monkeypatch.setattr(lines_module, "MOST", 8)
    long = b"x" * 30
    assert said(b"a\n" + long + b"\nb\n" + long) == [b"a\n", None, b"b\n", None]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_byte_order_mark_begins_no_line(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(lines_module, "BLOCK", size)
    mark = b"\xef\xbb\xbf"
    assert said(mark + b"one\n" + mark + b"two\n") == [b"one\n", mark + b"two\n"]
    assert said(gzip.compress(mark + b"one")) == [b"one"]
    assert said(mark) == []


def test_a_digest_is_of_all_up_to_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "BLOCK", 8)
    first, other = blocks(b"one\ntwo\nthree\n"), blocks(b"One\ntwo\nthree\n")
    assert first[0].digest != other[0].digest
    assert first[-1].digest != other[-1].digest
    assert first[0].digest == blocks(b"one\ntwo\nTHREE\n")[0].digest


def test_twins_are_two_and_the_same_file_again_is_the_same() -> None:
    for _ in range(2):
        twins = Twins()
        ids = [twins.id_of(line) for line in (b"a\n", b"b\n", b"a\r\n", b"a")]
        assert len(set(ids)) == 4
        assert ids[2] == f"{ids[0]}-2"


def reader() -> SegmentLines:
    return SegmentLines(lambda user, kind, message: f"cookie of {user}", at=AT)


def test_a_call_is_read_with_its_own_time() -> None:
    call = {"type": "page", "anonymousId": "c", "messageId": "m", "sentAt": "2026-05-01T00:00:00Z"}
    timed = reader().read(json.dumps(call | {"timestamp": "2026-04-01T00:00:00Z"}).encode())
    assert isinstance(timed, Plain)
    assert timed.at == datetime(2026, 4, 1, tzinfo=UTC)
    untimed = reader().read(json.dumps(call).encode())
    assert isinstance(untimed, Page)
    assert untimed.context.occurred_at == AT


def test_a_call_without_an_id_or_a_cookie_gets_one() -> None:
    line = b'{"type": "track", "event": "Bought", "userId": "jane"}\n'
    read = reader()
    first, second = read.read(line), read.read(line)
    assert isinstance(first, Track)
    assert isinstance(second, Track)
    assert first.context.cookie_id == "cookie of jane"
    assert second.context.message_id == f"{first.context.message_id}-2"
    again = reader()
    assert [again.read(line), again.read(line)] == [first, second]


def test_an_id_of_white_space_is_none() -> None:
    line = b'{"type": "track", "event": "Bought", "anonymousId": "c", "messageId": " \\t"}\n'
    message = reader().read(line)
    assert isinstance(message, Track)
    assert message.context.message_id == Twins().id_of(line)


def test_a_contact_is_a_line() -> None:
    line = b'{"type": "contact", "source": "crm", "sourceId": "1", "traits": {"email": "a@b.c"}}'
    contact = reader().read(line)
    assert isinstance(contact, Contact)
    assert contact.occurred_at == AT


def test_of_a_pipe_what_says_no_time_is_so_now() -> None:
    """So a value that comes back is a new one, each time that it is read."""
    began = datetime.now(UTC)
    contact = b'{"type": "contact", "source": "crm", "sourceId": "1"}'
    calls, contacts = SegmentLines(lambda *_: "cookie"), ContactRows()
    contacts.read(b"source,sourceId\n")
    page = calls.read(b'{"type": "page", "anonymousId": "c"}')
    assert isinstance(page, Page)
    told = [page.context.occurred_at]
    for read in (calls.read(contact), contacts.read(b"crm,1\n")):
        assert isinstance(read, Contact)
        told.append(read.occurred_at)
    assert all(at is not None and began <= at <= datetime.now(UTC) for at in told)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"a": nope}', "column 7"),
        (b'{"a": "\xff"}', "not UTF-8: byte 8"),
        (b"[1]", "must be an object"),
        (b'{"a": "\\ud800"}', "Unicode"),
        (b'{"a": NaN}', "is not JSON: NaN"),
        (b'{"a":' * 100_000, "nested deeper"),
        (b'{"a": ' + b"9" * 400 + b"}", "larger than a double"),
    ],
)
def test_a_line_that_is_none_says_why(line: bytes, message: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_line(line)
    assert message in raised.value.message
    assert "body" not in raised.value.message


def test_what_a_line_can_be_is_told() -> None:
    with pytest.raises(InvalidInput, match=r"must be one of identify, .*, group, contact"):
        reader().read(b'{"type": "contract"}')


def rows(text: str, **options: Any) -> list[Contact | str]:
    """The contacts, and the faults, as their paths and messages."""
    found: list[Contact | str] = []
    reading = ContactRows(at=AT, **options)
    for line in text.encode().splitlines(keepends=True):
        try:
            contact = reading.read(line)
        except InvalidInput as error:
            found.append(str(error))
        else:
            found += [] if contact is None else [contact]
    return found


def test_columns_are_fields_identifiers_and_traits() -> None:
    (contact,) = rows(
        "source_id\tEMAIL\tidentifier:loyalty\tplan\t\tdeleted\n7\ta@b.c\tL7\tgold\tx\tfalse\n",
        source="crm",
    )
    assert isinstance(contact, Contact)
    assert (contact.source, contact.source_id, contact.deleted) == ("crm", "7", False)
    assert [(i.type, i.value) for i in contact.identifiers] == [("loyalty", "L7")]
    assert contact.traits is not None
    assert (contact.traits.email, contact.traits.custom) == ("a@b.c", {"plan": "gold"})
    assert contact.occurred_at == AT


def test_faults_of_rows_name_their_columns() -> None:
    text = (
        "source,sourceId,identifier:9,When,occurred at\n"
        "crm,1,x,,\n"
        "crm,2,,,soon\n"
        'crm,3,"a"b,,\n'
        "crm,4,,,,,\n"
        "\n"
        "crm,5,,,2026-03-02\n"
    )
    *faults, last = rows(text)
    assert [str(fault).partition(":")[0] for fault in faults] == [
        "identifier",
        "occurred at",
        "is not CSV",
        "has 7 cells, and there are 5 columns",
    ]
    assert isinstance(last, Contact)
    assert last.occurred_at == datetime(2026, 3, 2, tzinfo=UTC)


def test_a_quote_that_is_never_closed_costs_what_a_row_may_hold() -> None:
    text = "source,sourceId,note\n" + 'crm,1,"open\n' + "crm,2,fine\n" * 10_000
    found = rows(text)
    assert "never closed" in str(found[0])
    assert sum(isinstance(contact, Contact) for contact in found) > 3_000


@pytest.mark.parametrize("head", ["source,email\n", "sourceId\n", "source,sourceId,source_id\n"])
def test_without_its_columns_nothing_is_read(head: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        ContactRows().read(head.encode())
    assert raised.value.path == ("header",)


def test_files_are_known_by_their_names(tmp_path: Path) -> None:
    for name in ("a.CSV", "b.jsonl.gz", "C.NDJSON.GZ", "c"):
        (tmp_path / name).touch()

    def formats(*names: str) -> list[str]:
        files = files_of([str(tmp_path / n) for n in names], None, None, FileAssurance.CLAIMED)
        return [file.format for file in files]

    assert formats("a.CSV", "b.jsonl.gz", "C.NDJSON.GZ") == ["csv", "ndjson", "ndjson"]
    for name, message in (("c", "--format"), ("", "is a folder"), ("d.csv", "is not there")):
        with pytest.raises(InvalidInput, match=message):
            formats(name)


DOCUMENT = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")


def test_the_examples_of_the_document_can_be_read() -> None:
    read = reader()
    calls = [read.read(line.encode()) for line in block(DOCUMENT, "ndjson").splitlines()]
    assert [None if call is None else call.kind for call in calls] == [
        *("page", "identify", "track", "contact"),
    ]
    jane, john = rows(block(DOCUMENT, "csv"))
    assert isinstance(jane, Contact)
    assert isinstance(john, Contact)
    assert [identifier.type for identifier in jane.identifiers] == ["loyalty"]
    assert jane.traits is not None
    assert jane.traits.custom == {"crm_account_id": "999888", "plan": "gold"}
    assert (jane.curated, john.curated, john.occurred_at) == (True, False, AT)


def test_the_document_names_every_column() -> None:
    table = DOCUMENT.partition("| column |")[2].partition("\n\n")[0]
    named = {name.casefold() for name in re.findall(r"`(\w+)`", table)}
    assert set(FIELDS) <= named
