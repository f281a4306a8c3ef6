"""What identifies and records of sources said, for the sentences that tell of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, cast

from graphid.graph.database import Readable
from graphid.graph.memory import evidence_decoder
from graphid.graph.queries import query
from graphid.identity.state import Link, LinkKind
from graphid.identity.values import Assurance, IdentifierKey, Micros, Statement, type_of

READ_STATEMENTS = query("links/read_statements")


class About(NamedTuple):
    """A statement (its evidence's id), and the contacts about whom it is asked."""

    evidence: str
    contacts: tuple[str, ...]


class Stated(NamedTuple):
    """What a statement said of contacts.

    ``named``: the types of those of its identifiers that their people hold, or held at the time
    until a source listed them no more. What is blocked, or somebody else's, is not among them.
    """

    named: tuple[str, ...]
    assurance: Assurance


def made_by(link: Link) -> About:
    """The statement that a link was made by, and whom the link is about."""
    contacts = {
        LinkKind.IDENTIFIED_AS: (link.target,),
        LinkKind.HAS_IDENTIFIER: (link.source,),
    }.get(link.kind, (link.source, link.target))
    return About(link.evidence, contacts)


class Hold(NamedTuple):
    """An identifier that a contact's person holds; ``until``: when a source listed it no more."""

    contact: str
    identifier: IdentifierKey
    until: Micros | None


class Statements:
    """Reads statements."""

    def __init__(self, database: Readable) -> None:
        self._database = database

    async def of(self, asked: Collection[About]) -> dict[About, Stated]:
        """What each said; operations, and what was erased, are missing."""
        pieces, holds = await self._read(
            {about.evidence for about in asked},
            {contact for about in asked for contact in about.contacts},
        )
        held: dict[tuple[str, IdentifierKey], list[Micros | None]] = {}
        for contact, identifier, until in holds:
            held.setdefault((contact, identifier), []).append(until)
        said = {piece.id: piece for piece in pieces}
        found: dict[About, Stated] = {}
        for about in asked:
            piece = said.get(about.evidence)
            if piece is not None:
                named = (
                    type_of(identifier)
                    for identifier in piece.identifiers
                    for contact in about.contacts
                    for until in held.get((contact, identifier), ())
                    if until is None or until > piece.at
                )
                found[about] = Stated(tuple(dict.fromkeys(named)), piece.assurance)
        return found

    async def _read(
        self, evidence: Collection[str], contacts: Collection[str]
    ) -> tuple[list[Statement], list[Hold]]:
        """The statements among evidence, and what the people of contacts hold."""
        (row,) = await self._database.read_rows(
            READ_STATEMENTS, evidence=list(evidence), contacts=list(contacts)
        )
        pieces = [cast(Statement, evidence_decoder.decode(body)) for body in row["statements"]]
        return pieces, [Hold(*hold) for hold in row["held"]]
