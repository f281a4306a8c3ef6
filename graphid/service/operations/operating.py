"""Operations: what an operator asks for is done once, whole, or not at all.

An act is one write unit: look, form the operation, lock what it is about, look again, follow what
it changes through the fold, and write; or say why not, and leave everything as it was.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import blake2b

import msgspec

from graphid.errors import NotFound, Refused, Retryable, StaleGraph
from graphid.graph.database import Database, Retry, Unit
from graphid.graph.evidence import EvidenceUnit
from graphid.graph.memory import Reached
from graphid.graph.policies import Policies
from graphid.graph.projection import Difference
from graphid.graph.queries import query
from graphid.graph.rehearsal import Rehearsal, Within
from graphid.identity.ids import Ids
from graphid.identity.policy import PolicyVersion
from graphid.identity.values import OF_OPERATION, Micros, Placed, message_of
from graphid.service.erasures import AT_ONCE, Erasures
from graphid.service.ledger import RecordedOperation, Told
from graphid.service.messages import Terms
from graphid.service.operations.block import BlockIdentifier
from graphid.service.operations.changes import (
    MOST_TOLD,
    Change,
    concerned,
    count_events,
    moved,
    overruled,
    people_of,
)
from graphid.service.operations.erase import ErasePerson, Erasing
from graphid.service.operations.merge import MergePeople
from graphid.service.operations.promote import PromoteContact
from graphid.service.operations.proposing import Header, Proposal, named_in, refused
from graphid.service.operations.restore import RestoreLink
from graphid.service.operations.review import DecideReview
from graphid.service.operations.seeing import Seen
from graphid.service.operations.sever import SeverLink
from graphid.service.operations.unmerge import Unmerge
from graphid.service.people import PersonRecord
from graphid.service.reads import Reads
from graphid.service.visitors import Slice

RECORD_ANSWER = query("operations/record_answer")

Act = (
    MergePeople
    | Unmerge
    | SeverLink
    | RestoreLink
    | PromoteContact
    | BlockIdentifier
    | DecideReview
    | ErasePerson
)
"""What operators ask for."""

ERASED = "operationId: was used before, for an act on somebody who has been erased."

_json = msgspec.json.Encoder()


def _digest_of(act: Act, terms: Terms) -> str:
    """What tells whether an operation id came again with another act."""
    try:
        said = _json.encode([act, terms.reason])
    except UnicodeEncodeError:
        raise refused("What was sent is not valid Unicode.") from None
    return blake2b(said, digest_size=12).hexdigest()


class Operations:
    """Does what operators ask for. ``clock`` answers microseconds since 1970 UTC; ``on_parked``
    is called when an act was parked, ``on_written`` when one was done."""

    def __init__(
        self,
        database: Database,
        policies: Policies,
        ids: Ids,
        clock: Callable[[], Micros],
        *,
        on_parked: Callable[[], None] = lambda: None,
        on_written: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._policies = policies
        self._ids = ids
        self._clock = clock
        self._on_parked = on_parked
        self._on_written = on_written
        self._erasures = Erasures(database, policies, ids, clock)

    async def do(self, act: Act, terms: Terms, *, actor: str, count: bool = False) -> Change:
        """Do it. ``count``: also count the events that change hands.

        Raises NotFound, Refused or StaleGraph, and then nothing has changed; DatabaseUnavailable
        or Busy: the same act can be sent again under its operation id.
        """
        change = await self._database.write(await self._work(act, terms, actor, count))
        self._on_written()
        if change.is_pending:
            self._on_parked()
        elif isinstance(act, ErasePerson):
            await self._erase_events(change)
        return change

    async def _erase_events(self, change: Change) -> None:
        """It is done, whatever becomes of this: what is left is left to the job."""
        try:
            done = await self._erasures.erase_events(
                f"{change.operation_id}{OF_OPERATION}", most=AT_ONCE
            )
        except Retryable:
            done = False
        if not done:
            self._on_parked()

    async def rehearse(
        self, act: Act, terms: Terms, *, actor: str, count: bool = False
    ) -> tuple[Change, Rehearsal[Change]]:
        """What :meth:`do` would do, and where to read what would be so; it is for the caller to
        end. Raises as :meth:`do`."""
        rehearsal = Rehearsal(self._database, await self._work(act, terms, actor, count))
        return await rehearsal.begin(), rehearsal

    def reads(self, rehearsal: Rehearsal[Change]) -> Reads:
        """Readers of what would be so."""
        return Reads.on(rehearsal, self._policies, clock=self._clock)

    async def _work(
        self, act: Act, terms: Terms, actor: str, count: bool
    ) -> Callable[[Unit], Awaitable[Change]]:
        act.check()
        operating = _Operating(
            act,
            terms,
            actor,
            count,
            in_force=await self._policies.current(),
            policies=self._policies,
            ids=self._ids,
            clock=self._clock,
        )
        return operating.run


class _Operating:
    """One act as a unit of work, which can be run again from the start."""

    def __init__(
        self,
        act: Act,
        terms: Terms,
        actor: str,
        count: bool,
        *,
        in_force: PolicyVersion,
        policies: Policies,
        ids: Ids,
        clock: Callable[[], Micros],
    ) -> None:
        self._act = act
        self._terms = terms
        self._count = count
        self._in_force = in_force
        self._policies = policies
        self._ids = ids
        self._clock = clock
        self._header = Header(
            id=(terms.operation_id or f"operation_{uuid.uuid4().hex}") + OF_OPERATION,
            recorded_at=clock(),
            actor=actor,
            reason=terms.reason,
            policy=in_force.version,
        )
        self._digest = _digest_of(act, terms)
        self._reached = Reached()

    async def run(self, unit: Unit) -> Change:
        """What the act did. Raises as :meth:`Operations.do`."""
        self._unit = unit
        self._rows = Within(unit)
        self._reads = Reads.on(self._rows, self._policies, clock=self._clock)
        self._seen = Seen(self._rows, self._reads, self._in_force.policy)
        try:
            return await self._answered_before() or await self._do()
        except (NotFound, Refused):
            # Who asks twice at once may meet here what the first of the two has done.
            told = await self._answered_before()
            if told is None:
                raise
            return told

    # ------------------------------------------------------------------ doing it

    async def _do(self) -> Change:
        if isinstance(self._act, ErasePerson):
            return await self._erase(self._act)
        # Another attempt looks behind its locks: what it sees then stays as it is.
        await self._reached.lock(self._unit)
        proposal = await self._propose()
        evidence = EvidenceUnit(
            self._unit,
            [(proposal.operation, self._digest)],
            self._policies.of,
            self._ids,
            most=self._in_force.policy.refold.max_evidence,
            reached=self._reached,
        )
        await evidence.load()
        if evidence.known:
            return await self._told_again()
        if await self._propose() != proposal:
            raise Retry("seen")  # others were at it until the locks were had
        proposal = self._stamped(proposal, evidence)
        difference = await evidence.follow()
        version = evidence.version(difference)
        if self._terms.graph_version not in (None, version):
            raise StaleGraph
        if difference is not None:
            self._require_meant(proposal, evidence, difference)
        return await self._write(proposal, evidence, difference, version)

    async def _erase(self, act: ErasePerson) -> Change:
        erasing = Erasing(
            self._unit,
            self._seen,
            self._policies.of,
            self._ids,
            self._clock,
            most=self._in_force.policy.refold.max_evidence,
            reached=self._reached,
        )
        found = await erasing.prepare(act.id)
        # Once it is done nothing is told of them; a preview shows who it would be.
        shown = await self._people([found.person]) if self._terms.dry_run else ()
        done = await erasing.do(
            found, self._header, self._digest, count=self._count, subject=act.id
        )
        if done is None:
            recorded = await self._recorded()
            if recorded is None:
                raise refused(ERASED)
            return await self._again(recorded.digest, recorded)
        others = await self._people(list(done.others))
        told = Told(
            before=tuple(person.id for person in others),
            after=tuple(person.id for person in others),
            links=(),
            events=done.events,
            version=done.version,
        )
        answer = _json.encode(told).decode()
        await self._unit.run(RECORD_ANSWER, id=self._header.id, answer=answer)
        return self._change((*shown, *others), others, told, is_pending=done.is_pending)

    async def _propose(self) -> Proposal:
        assert not isinstance(self._act, ErasePerson)
        try:
            return await self._act.propose(self._seen, self._header)
        except Refused:
            if self._terms.graph_version is not None and not await self._is_known():
                # There was a preview of this, so it was not refused then.
                raise StaleGraph from None
            raise

    def _stamped(self, proposal: Proposal, evidence: EvidenceUnit) -> Proposal:
        """It happens behind all that the locks show, however long it waited for them."""
        operation = proposal.operation
        if not isinstance(operation, Placed) or not evidence.is_late:
            return proposal
        now = max(self._clock(), evidence.newest + 1)
        operation = msgspec.structs.replace(operation, recorded_at=now)
        evidence.restamp([(operation, self._digest)])
        return replace(proposal, operation=operation)

    def _require_meant(
        self, proposal: Proposal, evidence: EvidenceUnit, difference: Difference
    ) -> None:
        """Raises Refused for what the rules forbid, and for what the operator cannot have meant."""
        void = evidence.outcome(proposal.operation).void
        if void:
            raise refused(*(f"{reason[0].upper()}{reason[1:]}." for reason in void))
        if self._terms.dry_run or self._terms.graph_version is not None:
            return
        # Whoever judged has seen it.
        unseen = [
            by
            for by, apart in overruled(difference).items()
            if apart.recorded_at > proposal.shown_to and apart.actor != self._header.actor
        ]
        if unseen:
            raise refused(
                *(
                    f"Operation {message_of(by)} says that they are not one (NOT_SAME_AS). To "
                    "overrule it, preview this with dryRun and give back the graphVersion."
                    for by in unseen
                )
            )

    async def _write(
        self,
        proposal: Proposal,
        evidence: EvidenceUnit,
        difference: Difference | None,
        version: str,
    ) -> Change:
        about = dict.fromkeys((*named_in(proposal.operation), *proposal.concerns))
        if difference is not None:
            about |= dict.fromkeys(concerned(difference))
        ids = list(about)[: 2 * MOST_TOLD]
        before = await self._people(ids)
        owned = await self._owned(before)
        if difference is None:
            await evidence.park(evidence.new)
        else:
            await evidence.write(evidence.new, difference)
        after = await self._people(ids)
        events = await self._moved(owned, after)
        links = () if difference is None else tuple(difference.links)[:MOST_TOLD]
        told = Told(
            before=tuple(person.id for person in before),
            after=tuple(person.id for person in after),
            links=links,
            events=events,
            version=version,
        )
        answer = _json.encode(told).decode()
        await self._unit.run(RECORD_ANSWER, id=self._header.id, answer=answer)
        return self._change(before, after, told, is_pending=difference is None)

    async def _people(self, ids: list[str]) -> tuple[PersonRecord, ...]:
        return people_of(await self._reads.people.by_id(ids), ids)

    async def _owned(self, people: tuple[PersonRecord, ...]) -> list[Slice]:
        """All that these people own; nothing where nobody asked for a count."""
        if not self._count:
            return []
        owned = await self._reads.visitors.slices_of_people([person.id for person in people])
        return [part for slices in owned.values() for part in slices]

    async def _moved(self, owned: list[Slice], after: tuple[PersonRecord, ...]) -> int | None:
        if not self._count:
            return None
        return await count_events(self._rows, moved(owned, await self._owned(after)))

    # ------------------------------------------------------------------ having done it

    async def _is_known(self) -> bool:
        return await self._recorded() is not None

    async def _recorded(self) -> RecordedOperation | None:
        if self._terms.operation_id is None:
            return None
        return await self._seen.recorded(self._header.id)

    async def _answered_before(self) -> Change | None:
        """What this operation was answered when it was recorded; None where it was not.

        Raises Refused where another act has its id.
        """
        recorded = await self._recorded()
        if recorded is None:
            return None
        return await self._again(recorded.digest, recorded)

    async def _told_again(self) -> Change:
        recorded = await self._seen.recorded(self._header.id)
        if recorded is None:
            raise refused(ERASED)
        return await self._again(recorded.digest, recorded)

    async def _again(self, digest: str, recorded: RecordedOperation) -> Change:
        if digest != self._digest:
            raise refused("operationId: was used before, for another act.")
        told = recorded.told
        assert told is not None
        before = await self._people(list(told.before))
        after = await self._people(list(told.after))
        if not told.links:
            # It was parked: nobody knew then what it would change.
            links = tuple(link.id for link in recorded.links)[:MOST_TOLD]
            told = msgspec.structs.replace(told, links=links)
        return self._change(before, after, told, is_pending=recorded.is_pending)

    def _change(
        self,
        before: tuple[PersonRecord, ...],
        after: tuple[PersonRecord, ...],
        told: Told,
        *,
        is_pending: bool,
    ) -> Change:
        is_dry = self._terms.dry_run
        return Change(
            operation_id=None if is_dry else message_of(self._header.id),
            is_dry=is_dry,
            before=before,
            after=after,
            links=told.links,
            is_pending=is_pending,
            events=told.events or 0,
            version=told.version,
        )
