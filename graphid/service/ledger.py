"""The ledger of operations: what operators did, why, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import msgspec

from graphid.graph.database import Readable
from graphid.graph.memory import evidence_decoder, links_decoder
from graphid.graph.queries import query
from graphid.identity.state import Link
from graphid.identity.values import OF_OPERATION, Judged, Placed

READ_OPERATIONS = query("operations/read_operations")


class Told(msgspec.Struct, frozen=True):
    """What an operation was answered: ids of people and links, how many events changed hands
    (None: nobody asked), and the version of the graph that it met."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    links: tuple[str, ...]
    events: int | None
    version: str


_told = msgspec.json.Decoder(Told)


class RecordedOperation(msgspec.Struct, frozen=True):
    """An operation as it was recorded. ``links``: those that it makes or changes, as things are.

    ``is_pending``: its effect is left to a job.
    """

    piece: Placed | Judged
    digest: str
    links: tuple[Link, ...]
    told: Told | None
    is_pending: bool

    @property
    def id(self) -> str:
        """Of its evidence."""
        return self.piece.id


class Ledger:
    """Reads operations."""

    def __init__(self, database: Readable) -> None:
        self._database = database

    async def by_id(self, ids: Iterable[str]) -> dict[str, RecordedOperation]:
        """The operations of these ids of evidence, as many as there are."""
        wanted = [id for id in ids if is_operation(id)]
        if not wanted:
            return {}
        rows = await self._database.read_rows(READ_OPERATIONS, ids=wanted)
        return {
            row["id"]: RecordedOperation(
                piece=cast("Placed | Judged", evidence_decoder.decode(row["body"])),
                digest=row["digest"],
                links=tuple(links_decoder.decode(row["links"])),
                told=None if row["answer"] is None else _told.decode(row["answer"]),
                is_pending=row["isPending"],
            )
            for row in rows
        }


def is_operation(evidence: str) -> bool:
    """Whether the id of a piece of evidence is an operation's."""
    return evidence.endswith(OF_OPERATION)
