"""``graphid load``: the graph is the one that ingest makes of the same lines, node by node."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from graphid.errors import Refused
from graphid.graph.database import Database, Unit
from graphid.graph.engine import running_database
from graphid.graph.installation import installation_secret
from graphid.graph.loading.store import require_no_history
from graphid.graph.policies import Policies
from graphid.graph.schema import migrate
from graphid.identity.ids import Ids
from graphid.service.ingest import Ingest
from graphid.service.reads import now
from graphid.service.sequencer import Sequencer
from graphid.wiring_of_files import File

pytestmark = pytest.mark.skipif(
    "config.getoption('--engine') != 'local'", reason="loads into a local engine"
)

CALLS = 300
PATIENCE = 180.0

NODES = """
MATCH (n) WHERE NOT n:SchemaMigration AND NOT n:SchemaLock AND NOT n:Installation
  AND NOT n:Policy AND NOT n:Lease
RETURN labels(n)[0] AS label, properties(n) AS properties
"""
RELATIONSHIPS = """
MATCH (a)-[r]->(b)
RETURN type(r) AS type, coalesce(a.messageId, a.id) AS source, coalesce(b.key, b.id) AS target,
  properties(r) AS properties
"""

POLICY = {"session": {"timeout": 600}}


def history(random: Random) -> Iterator[dict[str, Any]]:
    """Calls of a few people in the order of time: who share devices, log out and in as another,
    claim what is others', whom a CRM knows; some lines name no id, or no time of their own."""
    at = datetime(2026, 2, 1, tzinfo=UTC)
    cookie, device = "cookie-0-0", 0
    for number in range(CALLS):
        who, kind = random.randrange(9), random.random()
        # Now and then, the next call on a cookie is of the very same moment.
        if random.random() < 0.7 or 0.4 < kind < 0.5:
            at += timedelta(seconds=random.choice([1, 20, 60, 700]))
            device = random.randrange(6)
            cookie = f"cookie-{device}-{random.randrange(2)}"
        call: dict[str, Any] = {
            "messageId": f"m-{number}",
            "anonymousId": cookie,
            "timestamp": at.isoformat(),
        }
        if random.random() < 0.8:
            call["context"] = {"device": {"id": f"device-{device}"}}
        if kind < 0.2:
            named = random.choice(
                [
                    {"email": f"u{who}@example.com"},
                    {"email": f"u{who}@example.com", "crm_account_id": f"A{who}"},
                    {"email": f"u{who}@work.example", "firstName": 'Ünal "x\\y";\''},
                    {"phone": f"+4420794609{who:02}", "crm_account_id": f"A{who}"},
                ]
            )
            yield call | {"type": "identify", "traits": named, "userId": f"user-{who}"}
        elif kind < 0.3:
            yield call | {"type": "track", "event": "Signed Out"}
        elif kind < 0.4:
            yield call | {"type": "page", "userId": f"user-{who}"}
        elif kind < 0.5:
            held = [{"type": "email", "value": f"u{who}@example.com"}]
            if random.random() < 0.5:
                held.append({"type": "crm_account_id", "value": f"A{who}"})
            fields: dict[str, Any] = {"source": "crm", "sourceId": str(who), "identifiers": held}
            fields |= {"traits": {"firstName": "Jo"}, "curated": random.random() < 0.3}
            yield fields | {"type": "contact", "timestamp": call["timestamp"]}
        elif kind < 0.6:
            del call["messageId"]
            yield from 2 * [call | {"type": "track", "event": "Twin"}]
        elif kind < 0.66:
            yield call | {"type": "identify"} | random.choice([{}, {"userId": "null"}])
        elif kind < 0.74:
            yield call | {"type": "page", "userId": ""}
        else:
            said = {"url": f"https://shop.example/{number}", "note": 'a "quote", \\ and\nline'}
            yield call | {"type": "page", "properties": said}


def canonical(value: Any) -> Any:
    """A property without when it was recorded, and lists of keys without their order."""
    if isinstance(value, str):
        return re.sub(r'"(recorded_at|retracted_at)":\d+', r'"\1":0', value)
    if isinstance(value, list):
        return sorted(value)
    return value


async def dump(database: Database) -> Counter[str]:
    """All that a graph holds of a history."""

    async def work(unit: Unit) -> list[Any]:
        return [await unit.run_text(NODES), await unit.run_text(RELATIONSHIPS)]

    nodes, relationships = await database.read(work)
    found: list[Any] = []
    for row in (*nodes, *relationships):
        properties = row["properties"]
        for name in ("recordedAt", "receivedAt", "retractedAt", "lock"):
            properties.pop(name, None)
        if row.get("label") == "State" and "place" not in properties:
            continue  # what was locked and came to nothing
        if row.get("label") == "Review":
            properties["position"] = properties["position"][16:]
        row["properties"] = {
            name: canonical(value) for name, value in sorted(properties.items()) if value != []
        }
        found.append(row)
    return Counter(json.dumps(row, sort_keys=True) for row in found)


class Folder:
    """A data folder, with the command on it."""

    def __init__(self, path: Path, engine_version: str) -> None:
        self.path = path
        self.environment = {
            **{n: v for n, v in os.environ.items() if not n.startswith("GRAPHID_NEO4J")},
            "GRAPHID_DATA_DIR": str(path / "data"),
            "GRAPHID_ENGINE_VERSION": engine_version,
        }

    @property
    def data(self) -> Path:
        return self.path / "data"

    def load(self, *files: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "graphid", "load", *files],
            env=self.environment,
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def loaded(self, *files: str) -> tuple[int, str, str]:
        process = self.load(*files)
        said, told = process.communicate(timeout=PATIENCE)
        return process.returncode, said, told


async def prepare(database: Database) -> None:
    """A graph without a history: a secret, a policy, a key, an entry of the audit."""
    await migrate(database)
    await installation_secret(database, None)
    await Policies(database).set(POLICY, "the test")

    async def work(unit: Unit) -> None:
        await unit.run_text(
            "CREATE (:AccessKey {id: 'key_kept', position: '1', scopes: ['event:write']}) "
            "CREATE (:AuditEntry {id: 'kept', position: '1', subjects: ['key_kept']})"
        )

    await database.write(work)


async def online(database: Database, ids: Ids, file: File) -> None:
    """Take the same lines in, one after the other."""

    async def empty(unit: Unit) -> None:
        await unit.run_text(
            "MATCH (n) WHERE NOT n:SchemaMigration AND NOT n:SchemaLock AND NOT n:Installation "
            "AND NOT n:Policy DETACH DELETE n"
        )

    await database.write(empty)
    ingest = Ingest(database, Policies(database), ids, now)
    reader, moments = file.reader(ids), set[tuple[str, int]]()
    for block in file.lines().blocks():
        for line in block.lines:
            assert line is not None
            message = reader.read(line)
            assert message is not None
            await ingest.submit([message], file.sender, taken=moments)
    sequencer = Sequencer(database)
    while await sequencer.turn():
        pass


async def test_a_history_is_loaded_as_ingest_makes_it(tmp_path: Path, engine_version: str) -> None:
    folder = Folder(tmp_path, engine_version)
    lines = [*history(Random(7))]
    again = [line for line in lines if "messageId" in line][:10]
    file = tmp_path / "history.ndjson"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in (*lines, *again)))

    # Killed in the middle: all is as it was.
    process = folder.load(file.name)
    assert process.stderr is not None
    while "making the store" not in (said := process.stderr.readline()):
        assert said, process.wait()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (folder.data / "engine" / "data").exists()
    assert not (folder.data / "engine.loaded").exists()

    with running_database(
        data_dir=folder.data, engine_version=engine_version, brief=True
    ) as address:
        database = await Database.connect(address, timeout=60)
        await prepare(database)
        secret = await installation_secret(database, None)
        await database.close()

    code, said, told = folder.loaded(file.name)
    assert code == 0, told
    assert f"{len(again)} known already, 0 refused" in said
    assert "the graph is what its" in said
    assert sorted(path.name for path in folder.data.iterdir()) == ["engine"]

    with running_database(
        data_dir=folder.data, engine_version=engine_version, brief=True
    ) as address:
        database = await Database.connect(address, timeout=60)
        assert await migrate(database) == []
        assert await installation_secret(database, None) == secret
        assert (await Policies(database).current()).version == 2
        loaded = await dump(database)
        kept = [row for row in loaded if 'kept"' in row]
        assert len(kept) == 4, "the key, the entry, its mention, and of which entry it is"
        with pytest.raises(Refused, match="holds cookies, devices, events"):
            await require_no_history(database)
        await online(database, Ids(secret), File(file, "ndjson"))
        told_online = await dump(database)
        await database.close()
    loaded -= Counter(kept)
    assert ([*(loaded - told_online)], [*(told_online - loaded)]) == ([], [])
