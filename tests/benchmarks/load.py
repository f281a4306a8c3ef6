"""``graphid load`` of a history, beside the online path: ``graphid import`` of its beginning, by
which such lines go through the one way in. Each is a process, on a database of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from graphid.graph.engine import Address, running_database
from tests.benchmarks.traffic import MIXED, PLAIN, Mix

BROWSERS = 20
"""Cookies at once."""
STEP = timedelta(seconds=2)
"""Between one event and the next."""
WARM_UP = 50_000
"""Events that the online path is given first, so that the database has compiled what is asked."""
ONLINE = 100_000
"""Events behind those, at most, whose time is taken."""


@dataclass(frozen=True)
class Compared:
    """Events a second. ``of_database``: seconds of those that the database's own tools took, which
    no load goes without; ``verifying``: seconds that the comparison took besides."""

    mix: Mix
    events: int
    seconds: float
    of_database: float
    verifying: float
    online: float

    def __str__(self) -> str:
        loaded = self.events / self.seconds
        alone = self.events / self.of_database
        return (
            f"{self.mix.name}: {self.events:,} events loaded in {self.seconds:.1f} s = "
            f"{loaded:,.0f} a second, {loaded / self.online:.1f} times the {self.online:,.0f} of "
            f"graphid import; the database's own import, start and indexes alone would be "
            f"{alone / self.online:.1f} times; compared with their evidence in "
            f"{self.verifying:.1f} s"
        )


def compared(events: int) -> Iterator[Compared]:
    """A history of each kind."""
    for mix in (PLAIN, Mix("5 % identifies, 2 % logouts", MIXED.identifies, MIXED.logouts)):
        with TemporaryDirectory(prefix="graphid-bench-") as folder:
            yield _compared(Path(folder), mix, events)


def _compared(folder: Path, mix: Mix, events: int) -> Compared:
    names = ("history.ndjson", "beginning.ndjson", "next.ndjson")
    history, beginning, behind = (folder / name for name in names)
    online = min(ONLINE, events)
    with history.open("w") as all_of_it, beginning.open("w") as first, behind.open("w") as second:
        for number, line in enumerate(_lines(mix, max(events, WARM_UP + online))):
            if number < events:
                all_of_it.write(line)
            if number < WARM_UP:
                first.write(line)
            elif number < WARM_UP + online:
                second.write(line)
    said = _run(folder / "loaded", "load", history)
    seconds, of_database, verifying = map(float, re.findall(r"([\d.]+) s\b", said))
    with running_database(data_dir=folder / "online") as address:
        _run(folder / "online", "import", beginning, uri=address)
        started = time.perf_counter()
        _run(folder / "online", "import", behind, uri=address)
        took = time.perf_counter() - started
    return Compared(mix, events, seconds, of_database, verifying, online / took)


def _run(data: Path, command: str, *files: Path, uri: Address | None = None) -> str:
    where = {} if uri is None else {"URI": uri.uri, "USER": uri.user, "PASSWORD": uri.password}
    done = subprocess.run(
        [sys.executable, "-m", "graphid", command, *map(str, files)],
        env={
            **{n: v for n, v in os.environ.items() if not n.startswith("GRAPHID_NEO4J")},
            **{f"GRAPHID_NEO4J_{name}": value for name, value in where.items()},
            "GRAPHID_DATA_DIR": str(data),
            "GRAPHID_LOG_LEVEL": "warning",
            "GRAPHID_REQUEST_TIMEOUT": "120",
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def _lines(mix: Mix, events: int) -> Iterator[str]:
    """Calls of visitors who come and go, as SDKs would have sent them."""
    random, at = Random(1), datetime.now(UTC) - events * STEP - timedelta(days=1)
    cookies = [*range(BROWSERS)]
    for number in range(events):
        at += STEP
        if random.random() < 0.2:
            cookies[random.randrange(BROWSERS)] = BROWSERS + number
        cookie = random.choice(cookies)
        call = {
            "messageId": f"ajs-next-{number:012}",
            "anonymousId": f"c-{cookie}",
            "timestamp": at.isoformat(),
            "context": {
                "device": {"id": f"d-{cookie}"},
                "library": {"name": "analytics.js", "version": "next-1.70.0"},
                "page": {"path": "/", "title": "A page", "url": "https://shop.example/"},
            },
        }
        share = random.random()
        if share < mix.identifies:
            said: dict[str, object] = {"type": "identify", "userId": f"u-{cookie}"}
            said["traits"] = {"firstName": "Jo", "email": f"{cookie}@example.com"}
        elif share < mix.identifies + mix.logouts:
            said = {"type": "track", "event": "Signed Out"}
        elif number % 2:
            said = {"type": "page", "properties": {"url": f"https://shop.example/{number}"}}
        else:
            said = {"type": "track", "event": "Product Viewed"}
            said["properties"] = {"sku": f"sku-{number % 999}", "price": 12.5}
        yield json.dumps(call | said) + "\n"
