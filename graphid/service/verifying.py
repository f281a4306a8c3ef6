"""Whether the graph is what the evidence says (model.md, invariant 9); and making it so.

The evidence is folded in memory, beside the graph: memory and time grow with the evidence, and
not with the events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from graphid.graph.database import Database
from graphid.graph.evidence import PolicyOf
from graphid.graph.repairing import repair
from graphid.graph.verifying import Finding, Progress, Verification
from graphid.identity.ids import Ids

ROUNDS = 5
"""How often is mended before what remains is told. What is mended can bring something to light
that it hid, such as evidence that had no place; what remains after that cannot be mended."""


@dataclass(frozen=True)
class Verified:
    """What came of it.

    ``pieces``: evidence that was folded; ``pending``: evidence that waits for its job, and was
    left out. ``differences``: how many remain; ``mended``: how many there were before.
    ``seconds`` and ``size`` (bytes; None where the system does not tell) are what the fold and
    the first look took.
    """

    pieces: int
    pending: int
    differences: int
    mended: int
    seconds: float
    size: int | None

    @property
    def micros_a_piece(self) -> float:
        """Microseconds for each piece of evidence."""
        return self.seconds * 1e6 / max(self.pieces, 1)

    @property
    def bytes_a_piece(self) -> float | None:
        """Bytes of memory for each piece of evidence."""
        return None if self.size is None else self.size / max(self.pieces, 1)


async def verify(
    database: Database,
    policy_of: PolicyOf,
    ids: Ids,
    progress: Progress,
    *,
    mend: bool = False,
    on_finding: Callable[[Finding], None] = lambda finding: None,
) -> Verified:
    """Compare the graph with the fold of all evidence that is not pending.

    ``mend``: write what the evidence says where the graph says something else, and compare
    again, until nothing differs. ``on_finding`` is told of each difference, once it is sure.
    Raises DatabaseUnavailable or Busy; what was mended by then is.
    """
    before, started = resident_bytes(), monotonic()
    verification = await _look(database, policy_of, ids, progress)
    seconds, after = monotonic() - started, resident_bytes()
    size = None if before is None or after is None else max(after - before, 0)
    pieces, pending, mended = len(verification.folded), verification.pending, 0
    if mend:
        told: list[Finding] = []
        for _ in range(ROUNDS):
            before_that, told = told, [finding async for finding in repair(verification)]
            for finding in told:
                on_finding(finding)
            mended += len(told)
            verification = await _look(database, policy_of, ids, progress)
            if told in ([], before_that):
                break
    remaining = await verification.findings()
    for finding in remaining:
        on_finding(finding)
    return Verified(pieces, pending, len(remaining), mended, seconds, size)


async def _look(
    database: Database, policy_of: PolicyOf, ids: Ids, progress: Progress
) -> Verification:
    verification = Verification(database, policy_of, ids, progress)
    await verification.look()
    return verification


def resident_bytes() -> int | None:
    """The memory that this process holds; None where the kernel does not tell as Linux does."""
    try:
        lines = Path("/proc/self/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    sizes = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")]
    return sizes[0] if sizes else None
