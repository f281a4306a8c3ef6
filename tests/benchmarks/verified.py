"""What ``graphid verify`` takes for each piece of evidence, with few events and with many."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

from graphid.graph.database import Address, Database, Unit
from graphid.graph.engine import Progress
from graphid.graph.evidence import EvidenceUnit
from graphid.graph.policies import Policies
from graphid.graph.schema import migrate
from graphid.identity.ids import Ids
from graphid.identity.values import Assurance, Evidence
from graphid.service.ingest import UNIT, Ingest
from graphid.service.messages import Context, Page, Sender
from graphid.service.reads import now
from tests.benchmarks.town import Town

SECRET = "a secret of the benchmark"
SENDER = Sender(name="bench", assurance=Assurance.CLAIMED, is_browser=True)
SESSION = 50
"""Events of one cookie."""


def told_of(
    address: Address, folder: Path, progress: Progress, *, pieces: int, events: int
) -> Iterator[str]:
    """What the command says of so many pieces of evidence; then with so many events beside."""
    progress.step(f"recording {pieces:,} pieces of evidence")
    asyncio.run(_record(address, pieces))
    yield f"no events: {_verified(address, folder)}"
    progress.step(f"sending {events:,} events")
    asyncio.run(_send(address, events))
    yield f"{events:,} events: {_verified(address, folder)}"


async def _record(address: Address, pieces: int) -> None:
    """A town's history, in order: late evidence takes no longer to verify."""
    database, ids = await Database.connect(address), Ids(SECRET.encode())
    await migrate(database)
    rest = Town(max(pieces // 10, 10), Random(1)).evidence(pieces, late=0)
    while unit := list(islice(rest, UNIT)):
        await _write(database, ids, unit)
    await database.close()


async def _write(database: Database, ids: Ids, pieces: list[Evidence]) -> None:
    async def work(unit: Unit) -> None:
        evidence = [(piece, "") for piece in pieces]
        recording = EvidenceUnit(unit, evidence, Policies(database).of, ids)
        await recording.load()
        await recording.record()

    await database.write(work, timeout=120)


async def _send(address: Address, events: int) -> None:
    database = await Database.connect(address, timeout=120)
    ingest = Ingest(database, Policies(database), Ids(SECRET.encode()), now)
    for first in range(0, events, UNIT):
        pages = [
            Page(
                context=Context(cookie_id=f"anonymous-{number // SESSION}"),
                url="https://shop.example/",
            )
            for number in range(first, min(first + UNIT, events))
        ]
        await ingest.submit(pages, SENDER)
    await database.close()


def _verified(address: Address, folder: Path) -> str:
    """What a process of its own says, which had no evidence in its memory before."""
    done = subprocess.run(
        [sys.executable, "-m", "graphid", "verify"],
        env={
            **os.environ,
            "GRAPHID_NEO4J_URI": address.uri,
            "GRAPHID_NEO4J_USER": address.user,
            "GRAPHID_NEO4J_PASSWORD": address.password,
            "GRAPHID_NEO4J_DATABASE": address.database,
            "GRAPHID_INSTALLATION_SECRET": SECRET,
            "GRAPHID_DATA_DIR": str(folder),
            "GRAPHID_LOG_LEVEL": "warning",
        },
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return "; ".join(done.stdout.split("\n")[-4:]).rstrip("; ")
