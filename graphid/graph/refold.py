"""Late evidence: fold all that is stored again, and write what comes out differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from graphid.graph.database import Unit
from graphid.graph.memory import Neighbourhood, as_text
from graphid.graph.projection import properties_of
from graphid.graph.queries import query
from graphid.identity.fold import resolve
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.policy import Policy
from graphid.identity.state import Key, Link, LinkState, Value
from graphid.identity.values import ContactUpsert, Evidence, Identify, Logout

LOCK_STATES = query("refold/lock_states")
READ_LINKS = query("refold/read_links")
READ_EVIDENCE = query("refold/read_evidence")
WITHDRAW_UNMADE = query("refold/withdraw_unmade")

_bodies = msgspec.json.Decoder(Identify | Logout | ContactUpsert)


@dataclass(frozen=True)
class Refolded:
    """What a re-fold changes, and the answers to the evidence that brought it about."""

    changes: dict[Key, Value]
    outcomes: dict[str, Outcome]


async def refold(unit: Unit, new: Sequence[Evidence], policy: Policy, ids: Ids) -> Refolded:
    """Fold what is stored and ``new``; withdraw what that no longer makes.

    Returns what is left to write. Holds the lock of every key until the unit ends.
    """
    stored = Neighbourhood()
    (row,) = await unit.rows(LOCK_STATES)
    stored.load(row["values"])
    evidence = [_bodies.decode(found["body"]) for found in await unit.rows(READ_EVIDENCE)]
    resolved = resolve([*evidence, *new], policy, ids)
    (row,) = await unit.rows(READ_LINKS)
    links = {link["id"]: link for link in row["links"]}
    gone = [key for key, value in stored.items() if value is not None and key not in resolved.state]
    await unit.run(
        WITHDRAW_UNMADE,
        unmade={
            "by": new[0].id,
            "at": new[0].recorded_at,
            "keys": [as_text(key) for key in gone],
            "visitors": [id for kind, id in gone if kind == "visitor"],
            "contacts": [id for kind, id in gone if kind == "contact"],
            "links": [
                id
                for id, link in links.items()
                if ("link", id) not in resolved.state and link["state"] != LinkState.SEVERED
            ],
        },
    )
    changes = {
        key: value
        for key, value in resolved.state.items()
        if (
            properties_of(value) != links.get(value.id)
            if isinstance(value, Link)
            else stored.peek(key) != value
        )
    }
    return Refolded(changes, {piece.id: resolved.outcomes[piece.id] for piece in new})
