"""What an operator points at, as the graph has it inside one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from graphid.errors import NotFound, Refused
from graphid.graph.database import Readable
from graphid.graph.memory import as_text, decode, from_text
from graphid.graph.queries import query
from graphid.identity.ids import UNCLAIMED, contact_named_by
from graphid.identity.policy import Policy
from graphid.identity.proposals import anchor_of, anchor_of_visitor
from graphid.identity.state import Key, Person, Review, Value
from graphid.identity.values import OF_OPERATION, Anchor, message_of
from graphid.service.ledger import RecordedOperation
from graphid.service.links import LinkRecord, ReviewRecord
from graphid.service.people import PersonRecord
from graphid.service.reads import Reads
from graphid.service.visitors import VisitorRecord, visitor_id_of

FIND_ERASED = query("erasures/find_erased")
READ_STATES = query("operations/read_states")

_KINDS = {
    "person_": "a person",
    "contact_": "a contact",
    "visitor_": "a visitor",
    "link_": "a link",
    "review_": "a review",
    "identifier_": "an identifier",
    "session_": "a session",
    "event_": "an event",
}


@dataclass(frozen=True)
class Pointed:
    """Whom an id means: the anchor that stands for them, and the person who they are now."""

    anchor: Anchor
    person: str


class Seen:
    """Looks things up. ``policy`` is the one in force."""

    def __init__(self, rows: Readable, reads: Reads, policy: Policy) -> None:
        self.policy = policy
        self.reads = reads
        self.rows = rows

    async def values(self, keys: Iterable[Key]) -> dict[Key, Value]:
        """The latest values of keys of the fold; missing where there is none."""
        rows = await self.rows.read_rows(READ_STATES, keys=[as_text(key) for key in keys])
        found: dict[Key, Value] = {}
        for row in rows:
            key = from_text(row["key"])
            value = decode(key, row["value"])
            if value is not None:
                found[key] = value
        return found

    # ------------------------------------------------------------------ people

    async def person(self, contact: str) -> Person | None:
        """The person whose contact this is, with all their contacts; None where the contact is
        made no more."""
        name: str | None = contact
        while name is not None:
            value = (await self.values([("person", name)])).get(("person", name))
            if not isinstance(value, Person):
                return None
            if value.merged_into is None:
                return value
            name = value.merged_into
        return None

    async def whom(self, id: str, what: str = "id") -> Pointed:
        """Whom an id of a person, a contact or a visitor means, whenever it was given out.

        ``what`` names the argument. Raises NotFound; Refused for the id of something else.
        """
        require_kind(id, "person_", "contact_", "visitor_", what=what)
        record = (await self.reads.people.by_id([id])).get(id)
        if record is None:
            await self.require_not_erased(id)
            raise NotFound(f"{what}: there is nobody who has this id.")
        if visitor_id_of(id) is not None or record.visitor is not None:
            visitor = await self._visitor(id, record)
            unclaimed = record.id.endswith(UNCLAIMED)
            return Pointed(anchor_of_visitor(visitor.visitor, unclaimed=unclaimed), record.id)
        name = contact_named_by(record.id)
        person = None if name is None else await self.person(name)
        if person is None:
            raise NotFound(f"{what}: there is nobody who has this id.")
        named = next((c for c in person.contacts if c.id == id), person.contacts[0])
        return Pointed(anchor_of(named), record.id)

    async def require_not_erased(self, id: str) -> None:
        """Raises Refused where the id was that of somebody who was erased."""
        found = await self.rows.read_rows(FIND_ERASED, id=id)
        if found:
            by = message_of(found[0]["by"])
            raise Refused(
                reasons=[f"Who had the id {id} was erased by operation {by}; what is gone is gone."]
            )

    async def _visitor(self, id: str, record: PersonRecord) -> VisitorRecord:
        if record.visitor is not None:
            return record.visitor
        visitor = visitor_id_of(id) or id
        return (await self.reads.visitors.by_id([visitor]))[visitor]

    # ------------------------------------------------------------------ what acts are about

    async def link(self, id: str) -> LinkRecord | None:
        """A link; None where there is none of that id."""
        return (await self.reads.links.by_id([id])).get(id)

    async def operation(self, id: str) -> RecordedOperation | None:
        """An operation by the id that was given out for it."""
        return await self.recorded(id + OF_OPERATION)

    async def recorded(self, evidence: str | None) -> RecordedOperation | None:
        """An operation by the id of its evidence; None for other evidence."""
        return (
            None if evidence is None else (await self.reads.ledger.by_id([evidence])).get(evidence)
        )

    async def is_withdrawn(self, evidence: str) -> bool:
        """Whether an operation was taken back."""
        return bool(await self.values([("withdrawn", evidence)]))

    async def review(self, id: str) -> tuple[ReviewRecord | None, Review | None]:
        """A review as it is told, and as the fold has it: None where it asks nothing any more."""
        record = (await self.reads.links.reviews([id])).get(id)
        value = (await self.values([("review", id)])).get(("review", id))
        return record, value if isinstance(value, Review) else None


def require_kind(id: str, *wanted: str, what: str = "id") -> None:
    """Raises Refused where an id says that it is of something else."""
    kind = next((prefix for prefix in _KINDS if id.startswith(prefix)), None)
    if kind is not None and kind not in wanted:
        names = " or ".join(_KINDS[prefix] for prefix in wanted)
        raise Refused(reasons=[f"{what} is that of {_KINDS[kind]}; it must be that of {names}."])
