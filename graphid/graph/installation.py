"""The secret of an installation, by which the ids that derive from identifiers are keyed.

One graph is one installation, so the secret belongs to the graph: every process on it mints the
same ids, with nothing to copy between machines. Whoever can read the graph can read identifiers
anyway; the secret guards against those who only see ids. It may be given by the settings
instead; then the graph keeps a fingerprint, and a process with another secret does not start.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from time import time_ns
from typing import Any

from graphid.errors import SettingsError
from graphid.graph.database import Database
from graphid.graph.queries import query

READ_OR_BEGIN = query("installation/read_or_begin")

VARIABLE = "GRAPHID_INSTALLATION_SECRET"


async def installation_secret(database: Database, given: str | None) -> bytes:
    """The secret of the graph's installation; of a new graph, ``given`` or a random one.

    Raises SettingsError where ``given`` is not the one that the graph was begun with.
    """
    offered = given or secrets.token_hex(32)
    (row,) = await database.write_rows(
        READ_OR_BEGIN,
        fingerprint=_fingerprint(offered),
        secret=None if given else offered,
    )
    kept = row["secret"]
    if given is None and kept is None:
        raise SettingsError([f"{VARIABLE}: this graph was begun with one; set the same"])
    secret: str = given or kept
    if _fingerprint(secret) != row["fingerprint"]:
        raise SettingsError([f"{VARIABLE}: this graph was begun with another one"])
    return secret.encode()


def new_installation(given: str | None) -> tuple[bytes, dict[str, Any]]:
    """The secret of an installation that begins now, ``given`` or random, and its node."""
    secret = given or secrets.token_hex(32)
    node = {
        "name": "graphid",
        "fingerprint": _fingerprint(secret),
        "secret": None if given else secret,
        "begunAt": time_ns() // 1_000_000,
    }
    return secret.encode(), node


def _fingerprint(secret: str) -> str:
    return sha256(b"graphid installation " + secret.encode()).hexdigest()[:16]
