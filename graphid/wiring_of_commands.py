"""The composition of the commands on a graph; beside ``wiring``, which composes the service.

Nothing of HTTP or GraphQL is loaded for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from graphid import log
from graphid.graph.access_keys import AccessKeys
from graphid.graph.engine import Address, Progress
from graphid.graph.policies import Policies
from graphid.graph.schema import migrate
from graphid.graph.verifying import Progress as Counting
from graphid.service.audit.audit import COMMAND_LINE, Audit
from graphid.service.keymaking import Keymaker
from graphid.service.reads import now
from graphid.service.rebuilding import Rebuilt, rebuild
from graphid.service.verifying import Verified, verify
from graphid.settings import Settings
from graphid.wiring_of_databases import database_address, ids_of, open_database

T = TypeVar("T")


async def _migrate(settings: Settings, address: Address) -> list[str]:
    async with open_database(settings, address) as database:
        return await migrate(database)


def run_migrations(settings: Settings, *, progress: Progress) -> list[str]:
    """Bring the graph to this graphid's schema; the names of what was applied."""
    log.set_up_for_a_command(settings.log_level)
    with database_address(settings, progress) as address:
        return asyncio.run(_migrate(settings, address))


async def _verify(
    settings: Settings,
    address: Address,
    counting: Counting,
    mend: bool,
    on_difference: Callable[[str], None],
) -> Verified:
    async with open_database(settings, address) as database:
        await migrate(database)
        return await verify(
            database,
            Policies(database).of,
            await ids_of(settings, database),
            counting,
            mend=mend,
            on_finding=lambda finding: on_difference(str(finding)),
        )


def run_verification(
    settings: Settings,
    *,
    progress: Progress,
    counting: Counting,
    mend: bool,
    on_difference: Callable[[str], None],
) -> Verified:
    """Compare the graph with its evidence; ``on_difference`` gets a sentence for each."""
    log.set_up_for_a_command(settings.log_level)
    with database_address(settings, progress) as address:
        return asyncio.run(_verify(settings, address, counting, mend, on_difference))


async def _rebuild(
    settings: Settings, address: Address, counting: Counting, document: Any
) -> Rebuilt:
    async with open_database(settings, address) as database:
        await migrate(database)
        ids = await ids_of(settings, database)
        witness = Audit(database, now, days=settings.audit_days).of(lambda: COMMAND_LINE)
        rebuilt = await rebuild(database, Policies(database, clock=now), ids, counting, document)
        await witness.record("rebuild", subjects=[f"policy_{rebuilt.version}"])
        return rebuilt


def run_rebuild(
    settings: Settings, *, progress: Progress, counting: Counting, document: Any
) -> Rebuilt:
    """Set a policy, and apply it to all evidence that is there."""
    log.set_up_for_a_command(settings.log_level)
    with database_address(settings, progress) as address:
        return asyncio.run(_rebuild(settings, address, counting, document))


async def _make_keys(
    settings: Settings, address: Address, action: str, act: Callable[[Keymaker], Awaitable[T]]
) -> T:
    async with open_database(settings, address) as database:
        await migrate(database)
        ids = await ids_of(settings, database)
        changed: list[str] = []
        done = await act(Keymaker(AccessKeys(database), ids, now, on_change=changed.append))
        witness = Audit(database, now, days=settings.audit_days).of(lambda: COMMAND_LINE)
        for id in changed:
            await witness.record(action, subjects=[f"key_{id}"])
        return done


def run_keymaker(
    settings: Settings,
    *,
    progress: Progress,
    action: str,
    act: Callable[[Keymaker], Awaitable[T]],
) -> T:
    """What ``act`` returns, on the keys of the settings' database; also beside a service.

    ``action``: what the audit calls it, where it changes a key.
    """
    log.set_up_for_a_command(settings.log_level)
    with database_address(settings, progress, beside=True) as address:
        return asyncio.run(_make_keys(settings, address, action, act))
