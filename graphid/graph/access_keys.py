"""The keys that the graph keeps: what opens them, and what they may do.

Of a secret only a salted hash is here. A key is never deleted, so that every name in provenance
means something for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from graphid.errors import NotFound
from graphid.graph.database import Database, Unit
from graphid.graph.queries import query
from graphid.identity.values import Micros

FIND_KEYS = query("keys/find_keys")
LIST_KEYS = query("keys/list_keys")
CREATE_KEY = query("keys/create_key")
TAKE_KEY = query("keys/take_key")
CHANGE_KEY = query("keys/change_key")
NOTE_USE = query("keys/note_use")

END = "~"
"""Behind every position."""


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One secret of a key: its hash and salt in hexadecimal digits.

    ``until``: when it ends; None for the newest, which ends with the key. ``public_key``: the PEM
    that signatures are verified with beside it, where the site signs with a key of its own.
    """

    number: int
    salt: str
    digest: str
    until: Micros | None = None
    public_key: str | None = None


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key. ``versions``: its secrets, the newest first; those before it may have ended.

    ``kind``: PUBLISHABLE or SECRET. ``limits``: numbers by name. ``signing``: the algorithm of
    signed identities, None where the key verifies none. ``revoked_by``, ``created_by``: names of
    callers.
    """

    id: str
    kind: str
    name: str
    scopes: tuple[str, ...]
    versions: tuple[KeyVersion, ...]
    created_at: Micros
    created_by: str
    origins: tuple[str, ...] | None = None
    limits: Mapping[str, int] | None = None
    signing: str | None = None
    expires_at: Micros | None = None
    rotated_at: Micros | None = None
    revoked_at: Micros | None = None
    revoked_by: str | None = None
    reason: str | None = None
    last_used_at: Micros | None = None

    @property
    def position(self) -> str:
        """Sorts keys as they were made."""
        return f"{self.created_at:016d}{self.id}"

    @property
    def former_until(self) -> Micros | None:
        """Until when former secrets are taken, or were; None where nothing is kept of any."""
        return max((v.until for v in self.versions if v.until is not None), default=None)


class AccessKeys:
    """Reads and writes keys. Every method may raise DatabaseUnavailable or Busy."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self, ids: Sequence[str], *, within: float | None = None
    ) -> dict[str, AccessKey]:
        """The keys of these ids, as many as there are; asked for in ``within`` seconds."""
        rows = await self._database.read_rows(FIND_KEYS, ids=list(ids), within=within)
        return {row["key"]["id"]: _key(row["key"]) for row in rows}

    async def newest(self, limit: int, after: str | None) -> list[AccessKey]:
        """The latest ``limit`` keys that were made before the position ``after``."""
        rows = await self._database.read_rows(LIST_KEYS, before=after or END, limit=limit)
        return [_key(row["key"]) for row in rows]

    async def create(self, key: AccessKey) -> None:
        """Keep a new key."""
        await self._database.write_rows(CREATE_KEY, key=_row(key))

    async def change(self, id: str, changed: Callable[[AccessKey], AccessKey]) -> AccessKey:
        """What ``changed`` makes of the key, once that is kept; nobody changes it meanwhile.

        Raises NotFound, and what ``changed`` raises: then it stays as it is.
        """

        async def work(unit: Unit) -> AccessKey:
            rows = await unit.rows(TAKE_KEY, id=id)
            if not rows:
                raise NotFound("There is no key of this id.", path=["id"])
            before = _key(rows[0]["key"])
            after = changed(before)
            if after != before:
                await unit.run(CHANGE_KEY, id=id, changes=_row(after))
            return after

        return await self._database.write(work)

    async def note_use(self, id: str, at: Micros, *, every: Micros) -> None:
        """Note that a key was used, unless a use was noted less than ``every`` before, or later."""
        await self._database.write_rows(NOTE_USE, id=id, at=at, before=at - every)


_versions = msgspec.json.Decoder(tuple[KeyVersion, ...])


def _key(row: Mapping[str, Any]) -> AccessKey:
    limits = row.get("limits")
    origins = row.get("origins")
    return AccessKey(
        id=row["id"],
        kind=row["kind"],
        name=row["name"],
        scopes=tuple(row["scopes"]),
        versions=_versions.decode(row["versions"]),
        created_at=row["createdAt"],
        created_by=row["createdBy"],
        origins=None if origins is None else tuple(origins),
        limits=None if limits is None else msgspec.json.decode(limits),
        signing=row.get("signing"),
        expires_at=row.get("expiresAt"),
        rotated_at=row.get("rotatedAt"),
        revoked_at=row.get("revokedAt"),
        revoked_by=row.get("revokedBy"),
        reason=row.get("reason"),
        last_used_at=row.get("lastUsedAt"),
    )


def _row(key: AccessKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "position": key.position,
        "kind": key.kind,
        "name": key.name,
        "scopes": list(key.scopes),
        "versions": msgspec.json.encode(key.versions).decode(),
        "createdAt": key.created_at,
        "createdBy": key.created_by,
        "origins": None if key.origins is None else list(key.origins),
        "limits": None if key.limits is None else msgspec.json.encode(key.limits).decode(),
        "signing": key.signing,
        "expiresAt": key.expires_at,
        "rotatedAt": key.rotated_at,
        "revokedAt": key.revoked_at,
        "revokedBy": key.revoked_by,
        "reason": key.reason,
        "lastUsedAt": key.last_used_at,
    }
