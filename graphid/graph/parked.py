"""Evidence that was parked, because it takes too many steps for a request, is followed to its end.

One transaction: the evidence stays pending until what follows from it is committed with it.
"""

from __future__ import annotations

from graphid.graph.database import Database, Unit
from graphid.graph.evidence import (
    NO_EVENTS,
    WRITE_REFOLD,
    EvidenceUnit,
    PolicyOf,
)
from graphid.graph.memory import Reached, as_text, encode, evidence_decoder
from graphid.graph.queries import query
from graphid.identity.ids import Ids
from graphid.identity.values import Erase, Evidence

FIND_PARKED = query("evidence/find_parked")
COUNT_PARKED = query("evidence/count_parked")
TAKE_PARKED = query("evidence/take_parked")
FIND_PLACES = query("evidence/find_places")

MOST_COUNTED = 10_000
"""Where counting what is parked stops."""


async def find_parked(database: Database, passed: set[str]) -> str | None:
    """The id of the evidence that has been pending longest, ``passed`` ones left out."""
    rows = await database.read_rows(FIND_PARKED, passed=list(passed))
    return rows[0]["id"] if rows else None


async def count_parked(database: Database, *, within: float) -> int:
    """How much evidence is pending, up to ``MOST_COUNTED``; asked for no more seconds than that."""
    (row,) = await database.read_rows(COUNT_PARKED, within=within, most=MOST_COUNTED)
    parked: int = row["parked"]
    return parked


async def finish_parked(
    unit: Unit, id: str, policy_of: PolicyOf, ids: Ids, reached: Reached
) -> bool:
    """Follow what a parked piece of evidence changes, and write it; False: it is not pending.

    ``reached``: what earlier attempts met; it takes in what this one meets.
    """
    rows = await unit.rows(TAKE_PARKED, id=id)
    if not rows:
        return False
    piece = evidence_decoder.decode(rows[0]["body"])
    parked = _ParkedUnit(unit, [(piece, rows[0]["digest"])], policy_of, ids, reached=reached)
    await parked.load()
    await parked.finish()
    return True


class _ParkedUnit(EvidenceUnit):
    """A unit of work about one piece of evidence that is stored, and waits."""

    spares = False

    @property
    def new(self) -> list[tuple[Evidence, str]]:
        return list(self._evidence)

    async def finish(self) -> None:
        """Step it, follow what that changes, write it all; comes after :meth:`load`."""
        ((piece, _),) = self.new
        withdrawn: set[str] = set()
        if isinstance(piece, Erase):
            rows = await self._unit.rows(FIND_PLACES, ids=list(piece.withdraws))
            withdrawn = {row["place"] for row in rows}
        difference = await self.follow(withdrawn=withdrawn)
        assert difference is not None, "no limit is set"
        stepped = self._following.steps[piece.place]
        finished = {
            "place": piece.place,
            "properties": {
                "touched": [as_text(key) for key in stepped.touched],
                "links": encode(list(stepped.links.values())),
                "outcome": encode(stepped.outcome),
                "pendingSince": None,
            },
        }
        refold = difference.refold()
        refold["evidence"].append(finished)
        await self._unit.run(WRITE_REFOLD, refold=refold)
        await self._write(NO_EVENTS, difference.rows(), is_last=False)
