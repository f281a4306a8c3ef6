"""What identifies and records said, beside what their people held then."""

from __future__ import annotations

from collections.abc import Collection

from graphid.graph.database import Readable
from graphid.graph.memory import evidence_decoder
from graphid.graph.past.past import Past
from graphid.graph.queries import query
from graphid.identity.state import LinkKind, LinkState
from graphid.identity.values import ContactUpsert, Identify, Statement
from graphid.service.statements import Hold, Statements

READ_EVIDENCE = query("past/read_evidence")


class PastStatements(Statements):
    """Reads statements, which never change, of people as they were."""

    def __init__(self, database: Readable, past: Past) -> None:
        super().__init__(database)
        self._past = past

    async def _read(
        self, evidence: Collection[str], contacts: Collection[str]
    ) -> tuple[list[Statement], list[Hold]]:
        (row,) = await self._database.read_rows(READ_EVIDENCE, ids=list(evidence))
        pieces = map(evidence_decoder.decode, row["bodies"])
        people = await self._past.people(contacts)
        members = {
            contact: {member.id for member in named.person.contacts}
            for contact, named in people.items()
        }
        links = await self._past.links_at({id for some in members.values() for id in some})
        holds = [
            Hold(contact, link.target, link.ended_at)
            for contact, own in members.items()
            for link in links
            if link.kind is LinkKind.HAS_IDENTIFIER
            and link.state is not LinkState.SEVERED
            and link.source in own
        ]
        return [piece for piece in pieces if isinstance(piece, Identify | ContactUpsert)], holds
