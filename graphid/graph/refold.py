"""Late evidence: fold all that is stored again, and write what comes out differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from graphid.graph.database import Unit
from graphid.graph.memory import Neighbourhood, as_text
from graphid.graph.projection import properties_of
from graphid.graph.queries import query
from graphid.identity.fold import Resolved, resolve
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.policy import Policy
from graphid.identity.state import Contact, Key, Link, LinkState, Person, Value
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
    stored, evidence = await _everything(unit)
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
    changes: dict[Key, Value] = {
        key: value
        for key, value in resolved.state.items()
        if (
            properties_of(value) != links.get(value.id)
            if isinstance(value, Link)
            else stored.peek(key) != value
        )
    }
    for kind, name in gone:
        if kind == "person" and (heir := _heir(stored, resolved, name)) is not None:
            changes[kind, name] = Person(merged_into=heir)
    return Refolded(changes, {piece.id: resolved.outcomes[piece.id] for piece in new})


async def _everything(unit: Unit) -> tuple[Neighbourhood, list[Evidence]]:
    """All that the fold knows, locked, and all evidence behind it.

    Keys can be born between the lock and the read, so both are repeated until none was.
    """
    stored, known = Neighbourhood(), -1
    evidence: list[Evidence] = []
    while True:
        (row,) = await unit.rows(LOCK_STATES)
        if len(row["values"]) == known:
            return stored, evidence
        known = len(row["values"])
        stored = Neighbourhood()
        stored.load(row["values"])
        evidence = [_bodies.decode(found["body"]) for found in await unit.rows(READ_EVIDENCE)]


def _heir(stored: Neighbourhood, resolved: Resolved, name: str) -> str | None:
    """The person to whom the evidence went that had made somebody who is made no more."""
    contact = stored.peek(("contact", name))
    outcome = resolved.outcomes.get(contact.evidence) if isinstance(contact, Contact) else None
    if outcome is None or outcome.contact is None:
        return None
    heir = resolved.state[("contact", outcome.contact)]
    return heir.person if isinstance(heir, Contact) else None
