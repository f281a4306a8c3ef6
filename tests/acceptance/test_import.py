"""``graphid import``: real files, a real process, which is killed, too."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from graphid.graph.database import Database, Unit
from graphid.graph.engine import Address
from graphid.graph.installation import installation_secret
from graphid.identity.ids import Ids
from graphid.identity.values import Assurance, ContactUpsert, Identify
from tests.stored import World

PATIENCE = 120.0
MANY = 8_000
"""Lines of a file that is read in several blocks."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def own() -> str:
    """A word that is in all of this test's ids."""
    return f"import-{uuid4().hex[:8]}"


@pytest.fixture
def environment(database: Address, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "GRAPHID_NEO4J_URI": database.uri,
        "GRAPHID_NEO4J_USER": database.user,
        "GRAPHID_NEO4J_PASSWORD": database.password,
        "GRAPHID_NEO4J_DATABASE": database.database,
        "GRAPHID_DATA_DIR": str(tmp_path / "data"),
        "GRAPHID_REQUEST_TIMEOUT": "60",
    }


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """The command, with these arguments and on that input, to its end."""

    def completed(*arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            env=environment,
            cwd=tmp_path,
            input=input,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    return completed


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "graphid", "import", *arguments]


def begun(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """The command, which goes on beside the test."""
    return subprocess.Popen(command(*arguments), **options)


@asynccontextmanager
async def world(address: Address, own: str) -> AsyncIterator[World]:
    database = await Database.connect(address, timeout=60)
    yield World(database, Ids(await installation_secret(database, None)), own)
    await database.close()


def page(own: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "page",
        "anonymousId": f"{own}-{number % 40}",
        "timestamp": f"2026-03-01T10:{number // 60 % 60:02}:{number % 60:02}Z",
        "properties": {"url": f"https://shop.example/{number}"},
        **more,
    }


def ndjson(lines: Sequence[dict[str, Any] | str]) -> str:
    said = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    return "".join(f"{line}\n" for line in said)


async def test_lines_are_stored_once_and_what_cannot_be_is_told(
    run: Run, own: str, database: Address, tmp_path: Path
) -> None:
    twin = page(own, 3)
    lines: list[dict[str, Any] | str] = [
        page(own, 0, messageId=f"{own}-first"),
        page(own, 0, messageId=f"{own}-first"),
        {"type": "identify", "anonymousId": f"{own}-0", "timestamp": "2026-03-01T11:00:00Z"}
        | {"userId": f"{own}-jane", "messageId": f"{own}-identify"},
        '{"type": "page", "anonymousId": ',
        page(own, 1, timestamp="yesterday"),
        {"type": "contact", "source": f"crm-{own}", "sourceId": "1"}
        | {"identifiers": [{"type": "user_id", "value": f"{own}-jane"}]},
        twin,
        "",
        twin,
        {"type": "contact", "source": f"crm-{own}", "timestamp": "2026-03-01T10:00:00Z"},
        page(own, 4, timestamp="2999-01-01T00:00:00Z"),
    ]
    packed = tmp_path / "history.ndjson.gz"
    packed.write_bytes(gzip.compress(ndjson(lines).encode()))
    first = run(packed.name, "--rejects", "rejects")
    assert first.returncode == 1, first.stderr
    assert first.stdout, first.stderr
    assert first.stdout == "history.ndjson.gz: 6 stored, 1 known already, 3 refused\n"
    told = [json.loads(line) for line in (tmp_path / "rejects").read_text().splitlines()]
    assert [(line["line"], line["path"]) for line in told] == [
        (4, []),
        (5, ["timestamp"]),
        (10, ["sourceId"]),
    ]
    assert "column 33" in told[0]["message"]
    # The same lines come again, by another way, and are known, but for the contact that says no
    # time: of a pipe, it is so now.
    again = run("-", input=ndjson(lines))
    assert again.stdout == "standard input: 1 stored, 6 known already, 3 refused\n"
    assert [json.loads(line)["line"] for line in again.stderr.splitlines() if "{" in line] == [
        *(4, 5, 10)
    ]
    async with world(database, own) as found:
        assert await found.faults() == []
        assert len(await found.events()) == 5
        evidence = await found.evidence()
        assert {(type(piece), getattr(piece, "assurance", None)) for piece in evidence} == {
            (Identify, Assurance.CLAIMED),
            (ContactUpsert, Assurance.ASSERTED),
        }
        # What says no time was so when the file was written.
        assert int(packed.stat().st_mtime) * 1_000_000 in [piece.at for piece in evidence]


async def test_contacts_are_rows(run: Run, own: str, database: Address, tmp_path: Path) -> None:
    rows = [
        "\ufeffSource;Source ID;email;First name;identifier:loyalty;crm_account_id;note;curated",
        f'crm-{own};1;{own}-A@example.com;Jane;L1;{own}-1;"two\nlines";yes',
        f"crm-{own};2;not an address;John;;{own}-2;;perhaps",
        f'crm-{own};3;"{own}-c@example.com";;;;a 5" pipe;no',
        f"crm-{own};;{own}-d@example.com;;;;;",
        f'crm-{own};5;{own}-e@example.com;;;;"open',
        f"crm-{own};6;{own}-f@example.com;;;;;",
    ]
    (tmp_path / "contacts.csv").write_text("\n".join(rows), encoding="utf-8")
    done = run("contacts.csv")
    assert done.stdout == "contacts.csv: 2 stored, 0 known already, 4 refused\n", done.stderr
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert [(line["line"], line["end"], line["path"]) for line in told] == [
        (4, 4, ["curated"]),
        (6, 6, ["Source ID"]),
        (7, 8, []),
    ]
    async with world(database, own) as found:
        upserts = [p for p in await found.evidence() if isinstance(p, ContactUpsert)]
        jane = next(piece for piece in upserts if piece.source_id == "1")
        assert set(jane.identifiers) == {
            f"email:{own}-a@example.com",
            "loyalty:L1",
            f"crm_account_id:{own}-1",
        }
        assert jane.traits == {"firstName": "Jane", "note": "two\nlines"}
        assert jane.curated
        assert await found.faults() == []
    refused = run("--source", f"crm-{own}", "--format", "csv", "-", input="email\na@example.com\n")
    assert refused.returncode == 2
    assert "no column is sourceId" in refused.stderr


async def test_of_a_pipe_a_value_that_comes_back_is_new(
    run: Run, own: str, database: Address
) -> None:
    record = {"type": "contact", "source": f"crm-{own}", "sourceId": "1"}
    for name in ("Ann", "Bea", "Ann"):
        done = run("-", input=ndjson([record | {"identifiers": [], "traits": {"firstName": name}}]))
        assert done.stdout == "standard input: 1 stored, 0 known already, 0 refused\n", done.stderr
    async with world(database, own) as found:
        upserts = [p for p in await found.evidence() if isinstance(p, ContactUpsert)]
    upserts.sort(key=lambda piece: piece.at)
    assert [piece.traits["firstName"] for piece in upserts] == ["Ann", "Bea", "Ann"]


async def test_of_a_slow_pipe_what_is_said_at_one_time_stays_in_order(
    own: str, database: Address, environment: dict[str, str], tmp_path: Path
) -> None:
    calls = [
        {"type": "identify", "userId": f"{own}-jane"},
        {"type": "track", "event": "Signed Out"},
        {"type": "page"},
        {"type": "page"},
    ]
    ids = [f"{own}-{4 - number}" for number in range(4)]
    common = {"anonymousId": own, "timestamp": "2026-03-01T10:00:00Z"}
    process = begun("-", env=environment, cwd=tmp_path, stdin=subprocess.PIPE, text=True)
    assert process.stdin is not None
    async with world(database, own) as found:
        for number, call in enumerate(calls):
            process.stdin.write(ndjson([common | call | {"messageId": ids[number]}]))
            process.stdin.flush()
            deadline = monotonic() + PATIENCE
            while len(await found.events()) <= number:
                assert monotonic() < deadline
        process.stdin.close()
        assert process.wait(PATIENCE) == 0
        rows = await found.rows(
            "MATCH (e:Event {cookie: $run}) RETURN e.messageId AS id ORDER BY e.position"
        )
        assert [row["id"] for row in rows] == ids
        assert await found.faults() == []


async def test_killed_in_the_middle_it_goes_on(
    run: Run, own: str, database: Address, environment: dict[str, str], tmp_path: Path
) -> None:
    lines = [
        *("no JSON" if number == 7 else page(own, number) for number in range(MANY // 2)),
        *({**page(own, n), "messageId": f"{own}-{n}"} for n in range(MANY // 2, MANY)),
    ]
    lines[-1] = {"type": "nothing"}
    (tmp_path / "history.ndjson").write_text(ndjson(lines))
    process = begun(
        "history.ndjson",
        "--rejects",
        "rejects",
        env=environment,
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    points = tmp_path / "data" / "imports"
    deadline = monotonic() + PATIENCE
    while not list(points.glob("*.json")):
        assert process.poll() is None
        assert monotonic() < deadline
    process.kill()
    assert process.wait() == -signal.SIGKILL
    done = run("history.ndjson", "--rejects", "rejects")
    assert done.returncode == 1
    assert "goes on behind line" in done.stderr
    assert not list(points.iterdir())
    assert "2 refused" in done.stdout
    told = [json.loads(line)["line"] for line in (tmp_path / "rejects").read_text().splitlines()]
    assert told == [8, MANY]
    async with world(database, own) as found:
        rows = await found.rows(
            "MATCH (e:Event) WHERE e.cookie STARTS WITH $run RETURN e.detail AS detail"
        )
    urls = Counter(row["detail"] for row in rows)
    assert len(urls) == len(rows) == MANY - 2
    # Once more, from its beginning: all is known, also what names no id.
    again = run("history.ndjson")
    assert again.stdout == f"history.ndjson: 0 stored, {MANY - 2:,} known already, 2 refused\n"
    await forget_events(database, own)


async def forget_events(address: Address, own: str) -> None:
    """Delete thousands of them: tests that come later look through the whole database."""

    async def work(unit: Unit) -> None:
        await unit.run_text(
            "MATCH (e:Event) WHERE e.cookie STARTS WITH $own DETACH DELETE e", own=own
        )

    database = await Database.connect(address, timeout=60)
    await database.write(work)
    await database.close()


async def test_a_database_that_is_away_at_the_start_is_waited_for(
    run: Run, own: str, database: Address, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "history.ndjson").write_text(ndjson([page(own, 1)]))
    here = urlsplit(database.uri)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onwards = await asyncio.open_connection(here.hostname, here.port)
        await asyncio.gather(pour(reader, onwards), pour(there, writer))

    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # where nobody listens yet
        environment["GRAPHID_NEO4J_URI"] = f"bolt://127.0.0.1:{reserved.getsockname()[1]}"
        given_up = await asyncio.to_thread(run, "history.ndjson", "--patience", "0")
        assert given_up.returncode == 3
        assert "run the same command again. It goes on where it was" in given_up.stderr
        process = begun(
            *("history.ndjson", "--patience", str(PATIENCE)),
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        while "waiting for the database" not in (
            said := await asyncio.to_thread(process.stderr.readline)
        ):
            assert said
        async with await asyncio.start_server(pass_on, sock=reserved):
            said, _ = await asyncio.to_thread(process.communicate)
        assert (process.returncode, said) == (
            0,
            "history.ndjson: 1 stored, 0 known already, 0 refused\n",
        )


async def pour(source: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
    while part := await source.read(65_536):
        into.write(part)
    into.close()


def test_a_file_that_is_cut_short_is_said_to_be(run: Run, tmp_path: Path) -> None:
    cut = tmp_path / "cut.ndjson.gz"
    cut.write_bytes(gzip.compress(b'{"type": "page"}\n' * 1000)[:-20])
    done = run(cut.name)
    assert done.returncode == 2
    assert "is not whole" in done.stderr
