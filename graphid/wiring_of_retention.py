"""The composition of ``graphid retain``; beside ``wiring``, which composes the service."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from graphid import log
from graphid.graph.engine import Address, Progress
from graphid.graph.policies import Policies
from graphid.graph.schema import migrate
from graphid.service.audit.audit import COMMAND_LINE, Audit
from graphid.service.reads import now
from graphid.service.retention import Retention
from graphid.settings import Settings
from graphid.wiring_of_databases import database_address, ids_of, open_database


async def _retain(settings: Settings, address: Address, dry_run: bool) -> Mapping[str, int]:
    async with open_database(settings, address) as database:
        await migrate(database)
        ids = await ids_of(settings, database)
        retention = Retention(database, Policies(database, clock=now), ids, now, rest=0)
        if dry_run:
            return await retention.count()
        deleted = await retention.delete()
        witness = Audit(database, now, days=settings.audit_days).of(lambda: COMMAND_LINE)
        await witness.record("retain")
        return deleted


def run_retention(settings: Settings, *, progress: Progress, dry_run: bool) -> Mapping[str, int]:
    """Delete what anonymous visitors did whose time is over; how much, by kind. ``dry_run``: how
    many events that would be, on how many cookies, and nothing is deleted."""
    log.set_up_for_a_command(settings.log_level)
    with database_address(settings, progress, beside=True) as address:
        return asyncio.run(_retain(settings, address, dry_run))
