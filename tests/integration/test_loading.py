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
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from graphid.errors import Refused
from graphid.graph.database import Database, Unit
from graphid.graph.engine import Address, Engine, SilentProgress, release_of, running_database
from graphid.graph.engine import Folder as EngineFolder
from graphid.graph.engine.jars import class_path
from graphid.graph.engine.java import java_for
from graphid.graph.engine.process import Installation
from graphid.graph.installation import installation_secret
from graphid.graph.loading.kept import require_no_history
from graphid.graph.policies import Policies
from graphid.graph.schema import all_migrations, migrate
from graphid.identity.ids import Ids
from graphid.service.files.source import FileSource
from graphid.service.files.spread import Spread
from graphid.service.ingest import Ingest
from graphid.service.reads import now
from graphid.service.sequencer import Sequencer
from graphid.wiring_of_files import File
from tests.integration.asking import Asked

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
            # As SDKs say it with each call from then on.
            again = {"type": "page", "userId": f"user-{who}", "messageId": f"again-{number}"}
            yield from [call | again][number % 2 :]
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
        for name in ("recordedAt", "receivedAt", "retractedAt", "lock", "writes"):
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


JOURNEY = """query ($cookie: ID!) {
  personByCookie(cookieId: $cookie) { id kind displayName identifiers { type value } mergedFrom
    contacts { id source state } sessions(first: 50) { edges { node { id startedAt } } }
    journey(first: 200) { edges { node { messageId type occurredAt person { id } session { id }
      attribution { basis explanation assurance link { id state rule } } } } } } }
"""


async def journeys(database: Database, ids: Ids) -> dict[str, Any]:
    """What clients are told of the person on each cookie."""
    asked = Asked(database, ids)
    cookies = [f"cookie-{device}-{of}" for device in range(6) for of in range(2)]
    return {cookie: await asked.ask(JOURNEY, cookie=cookie) for cookie in cookies}


class Folder:
    """A data folder, with the command on it."""

    def __init__(self, path: Path, engine_version: str) -> None:
        self.path = path
        self.environment = {
            **{n: v for n, v in os.environ.items() if not n.startswith("GRAPHID_NEO4J")},
            "GRAPHID_DATA_DIR": str(path / "data"),
            "GRAPHID_ENGINE_VERSION": engine_version,
            # What an engine that has just started takes is no request's: there is time for it.
            "GRAPHID_REQUEST_TIMEOUT": "0.001",
        }

    @property
    def data(self) -> Path:
        return self.path / "data"

    def load(self, *files: str, database: Address | None = None) -> subprocess.Popen[str]:
        given = {}
        if database is not None:
            given["GRAPHID_NEO4J_URI"] = database.uri
            given["GRAPHID_NEO4J_PASSWORD"] = database.password
        return subprocess.Popen(
            [sys.executable, "-m", "graphid", "load", *files],
            env=self.environment | given,
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def loaded(self, *files: str, database: Address | None = None) -> tuple[int, str, str]:
        process = self.load(*files, database=database)
        said, told = process.communicate(timeout=PATIENCE)
        return process.returncode, said, told


def imported(files: Path, store: Path, version: str) -> None:
    """Make a store as whoever has a Neo4j of their own does, with its own command."""
    release, folder = release_of(version), EngineFolder(store)
    store.mkdir()
    folder.prepare(release, port=0, page_cache=64)
    jars = class_path(release, SilentProgress())
    installation = Installation(release, java_for(release), jars, folder)
    subprocess.run(
        installation.command(
            *("org.neo4j.cli.AdminTool", "database", "import", "full"),
            *("@import.args", "--overwrite-destination", "neo4j"),
            options=("-XX:TieredStopAtLevel=1",),
        ),
        env=installation.environment(),
        cwd=files,
        stdout=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=True,
    )


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
    source = FileSource(file.lines, partial(file.reader, ids), file.sender, None, Spread())
    source.open()
    async for sent in source.messages():
        assert sent.message is not None
        await ingest.submit([sent.message], file.sender)
    sequencer = Sequencer(database)
    while await sequencer.turn():
        pass


async def checked(store: Path, version: str, secret: bytes) -> Counter[str]:
    """What an imported store holds, once somebody has started on it."""
    with Engine(store, version=version, brief=True) as engine:
        assert engine.address is not None
        database = await Database.connect(engine.address, timeout=60)
        assert len(await migrate(database)) == len(all_migrations())
        assert await installation_secret(database, None) == secret
        assert (await Policies(database).current()).version == 2
        held = await dump(database)
        await database.close()
    return held


def kill_in_the_middle(folder: Folder, file: str) -> None:
    process = folder.load(file)
    assert process.stderr is not None
    while "making the store" not in (said := process.stderr.readline()):
        assert said, process.wait()
    process.send_signal(signal.SIGKILL)
    process.communicate()


async def test_a_history_is_loaded_as_ingest_makes_it(tmp_path: Path, engine_version: str) -> None:
    folder = Folder(tmp_path, engine_version)
    lines = [*history(Random(7))]
    again = [line for line in lines if "messageId" in line][:10]
    file = tmp_path / "history.ndjson"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in (*lines, *again)))

    # Killed in the middle: all is as it was.
    kill_in_the_middle(folder, file.name)
    assert not (folder.data / "engine" / "data").exists()
    assert not (folder.data / "engine.loaded").exists()

    with running_database(
        data_dir=folder.data, engine_version=engine_version, brief=True
    ) as address:
        database = await Database.connect(address, timeout=60)
        await prepare(database)
        secret = await installation_secret(database, None)
        await database.close()
        # A space, and what would have a meaning in a pattern of names.
        written = folder.loaded(file.name, "--into", "the files+", database=address)
        assert written[0] == 0, written[2]
        assert "neo4j-admin database import full @import.args" in written[1]

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
        assert any('"label": "Repetition"' in row for row in loaded)
        read = await journeys(database, Ids(secret))
        await online(database, Ids(secret), File(file, "ndjson"))
        told_online = await dump(database)
        assert await journeys(database, Ids(secret)) == read
        await database.close()
    history_only = loaded - Counter(kept)
    assert ([*(history_only - told_online)], [*(told_online - history_only)]) == ([], [])

    imported(tmp_path / "the files+", tmp_path / "store", engine_version)
    of_own = await checked(tmp_path / "store", engine_version, secret)
    assert ([*(loaded - of_own)], [*(of_own - loaded)]) == ([], [])
