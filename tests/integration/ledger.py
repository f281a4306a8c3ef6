"""A graph of its own, which takes evidence as it is, and is verified as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, LiteralString

from graphid.graph.database import Database, Unit
from graphid.graph.evidence import EvidenceUnit
from graphid.graph.policies import Policies
from graphid.identity.fold import resolve
from graphid.identity.ids import Ids
from graphid.identity.policy import Policy
from graphid.identity.values import (
    Anchor,
    Assurance,
    ContactUpsert,
    Evidence,
    Identify,
    Kind,
    Logout,
    place,
)
from graphid.service.ingest import Ingest
from graphid.service.messages import Context, Page, Sender
from graphid.service.reads import now
from graphid.service.verifying import Verified, verify
from tests.identity.lives import IDS, MINUTE, START
from tests.identity.operator import Operator

EMPTY = "MATCH (n) WHERE NOT n:SchemaMigration AND NOT n:SchemaLock DETACH DELETE n"


class Silent:
    """A progress that nobody looks at."""

    def begin(self, what: str, total: int | None = None) -> None:
        pass

    def advance(self, count: int) -> None:
        pass


class Ledger:
    """Records evidence. ``policies``: by the version that evidence is stamped with."""

    def __init__(self, database: Database, ids: Ids, policies: Mapping[int, Policy]) -> None:
        self.database = database
        self.ids = ids
        self.policies = policies

    async def policy_of(self, version: int) -> Policy:
        return self.policies[version]

    async def empty(self) -> None:
        await self.write(EMPTY)

    async def record(self, pieces: Iterable[Evidence], *, most: int | None = None) -> None:
        """Evidence as one unit of work; ``most`` as of :class:`EvidenceUnit`."""
        evidence = [(piece, "a digest") for piece in pieces]

        async def work(unit: Unit) -> None:
            recording = EvidenceUnit(unit, evidence, self.policy_of, self.ids, most=most)
            await recording.load()
            await recording.follow()
            await recording.record()

        await self.database.write(work, timeout=60)

    async def seen(self, *cookies: str) -> None:
        """A page was seen on each cookie."""
        ingest = Ingest(self.database, Policies(self.database), self.ids, now)
        sender = Sender(name="pk", assurance=Assurance.CLAIMED, is_browser=True)
        contexts = [Context(cookie_id=cookie) for cookie in cookies]
        await ingest.submit([Page(context=c, url="https://x.example/") for c in contexts], sender)

    async def write(self, text: LiteralString, **parameters: Any) -> None:
        async def work(unit: Unit) -> None:
            await unit.run_text(text, **parameters)

        await self.database.write(work, timeout=60)

    async def rows(self, text: LiteralString, **parameters: Any) -> list[dict[str, Any]]:
        async def work(unit: Unit) -> list[dict[str, Any]]:
            return await unit.run_text(text, **parameters)

        return await self.database.read(work, timeout=60)

    async def verified(self, *, mend: bool = False) -> tuple[Verified, list[str]]:
        """What came of it, and the sentences."""
        said: list[str] = []
        verified = await verify(
            self.database,
            self.policy_of,
            self.ids,
            Silent(),
            mend=mend,
            on_finding=lambda finding: said.append(str(finding)),
        )
        return verified, said


# ---------------------------------------------------------------------- what happened


def identify(id: str, at: int, cookie: str, *identifiers: str, server: bool = False) -> Identify:
    assurance = Assurance.ASSERTED if server else Assurance.CLAIMED
    moment = START + at * MINUTE
    return Identify(id, moment, moment, cookie, f"d-{cookie}", assurance, identifiers)


def record(id: str, at: int, row: str, *identifiers: str) -> ContactUpsert:
    moment = START + at * MINUTE
    return ContactUpsert(id, moment, moment, "crm", row, identifiers, traits={"firstName": row})


CLIENTS = (
    record("r1", 1, "1", "crm:1", "email:jo@a.example"),
    record("r2", 2, "2", "crm:2", "email:kim@a.example"),
    identify("i1", 3, "a", "user:jo", "email:jo@b.example"),
    identify("i2", 4, "a", "crm:1", "email:jo@a.example", server=True),
    Logout("l1", START + 5 * MINUTE, START + 5 * MINUTE, "a", "d-a"),
    identify("i3", 6, "a", "user:kim", "email:jo@a.example"),
    identify("i4", 7, "a", "crm:2", server=True),
    identify("i5", 8, "b", "phone:+4420"),
    identify("i6", 9, "c", "email:max@a.example"),
    identify("i7", 10, "d", "email:new@a.example"),
    identify("i8", 11, "d", "email:new@a.example", "crm:1", server=True),
    identify("i9", 12, "e", "crm:1", "email:kim@a.example", server=True),
    identify("late", 2, "c", "phone:+4421"),
)


def history() -> list[Evidence]:
    """Something of everything: links of each kind and state, a review, aliases, operators."""
    said: list[Evidence] = list(CLIENTS)

    def operator(at: int) -> Operator:
        return Operator(resolve(said, Policy(), IDS), f"o{at}", START + at * MINUTE)

    def whose(by: Operator, cookie: str, at: int) -> Anchor:
        return by.whose(cookie, place(START + at * MINUTE, Kind.EVENT, "page"))

    by = operator(20)
    said.append(by.merge(whose(by, "b", 8), whose(by, "c", 10)))
    by = operator(21)
    said.append(by.unmerge("o20"))
    by = operator(22)
    said.append(by.sever("a", place(START + 4 * MINUTE, Kind.EVENT, "page")))
    by = operator(23)
    said.append(by.merge(whose(by, "a", 8), whose(by, "b", 8)))
    return said
