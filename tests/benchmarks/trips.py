"""How often an identify goes to the database and back."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from neo4j._async.io._bolt import AsyncBolt

from graphid.graph.database import Address, Database
from graphid.graph.installation import installation_secret
from graphid.graph.policies import Policies
from graphid.identity.ids import Ids
from graphid.identity.values import Assurance
from graphid.service.ingest import Ingest
from graphid.service.messages import ClaimedIdentifier, Context, Identify, Sender
from graphid.service.reads import now

BROWSER = Sender(name="benchmark", assurance=Assurance.CLAIMED, is_browser=True)


def trips_of_an_identify(address: Address) -> int:
    """Round trips of one identify in time order, of a cookie that is known, commit included."""
    return asyncio.run(_count(address))


async def _count(address: Address) -> int:
    database = await Database.connect(address)
    ids = Ids(await installation_secret(database, None))
    # The policy in force is looked at once a second, whoever comes: planning must not add that.
    policies = Policies(database, elapsed=lambda: 0.0)
    ingest = Ingest(database, policies, ids, now)
    cookie, sent = uuid4().hex, 0
    send_all: Any = AsyncBolt.send_all

    async def counted(connection: AsyncBolt) -> None:
        nonlocal sent
        sent += 1
        await send_all(connection)

    for _ in range(2):  # the first opens the connection and reads the policy
        sent = 0
        claim = ClaimedIdentifier(type="email", value=f"{cookie}@example.com")
        message = Identify(context=Context(cookie_id=cookie), identifiers=(claim,))
        with patch.object(AsyncBolt, "send_all", counted):
            await ingest.submit([message], BROWSER)
    await database.close()
    return sent
