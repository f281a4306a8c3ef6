"""Identity providers in the graph: kept whole, set by one at a time, and seen by every process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, LiteralString
from uuid import uuid4

import pytest

from graphid.auth.providers import Providers
from graphid.errors import DatabaseUnavailable, NotFound, Refused
from graphid.graph.database import Address, Database, Unit
from graphid.graph.oidc_providers import OidcProviders
from graphid.identity.ids import Ids
from graphid.service.provider_setup import MAX_PROVIDERS, ProviderSetup
from graphid.service.providers import FRESH, KnownProviders
from tests.integration.asking import installation
from tests.keys import OPERATOR, Time

SECRET = "what the provider gave us"


class Graph:
    """A graph with providers, which any number of processes believe."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self.database = database
        self.ids = ids
        self.time = Time()
        self.stored = OidcProviders(database)
        self.run = uuid4().hex[:10]
        self.issuer = self.issuer_of("login")

    def issuer_of(self, name: str) -> str:
        return f"https://{name}-{self.run}.example"

    def process(
        self, stored: OidcProviders | None = None, ids: Ids | None = None
    ) -> tuple[KnownProviders, ProviderSetup]:
        kept, own = stored or self.stored, ids or self.ids
        known = KnownProviders(Providers(), kept, own, elapsed=lambda: self.time.seconds)
        setup = ProviderSetup(
            Providers(), kept, own, lambda: self.time.micros, on_change=known.forget
        )
        return known, setup

    def document(self, name: str = "login", **more: Any) -> dict[str, Any]:
        return {"issuer": self.issuer_of(name), "client_id": "graphid", **more}

    async def rows(self, text: LiteralString, **parameters: Any) -> list[dict[str, Any]]:
        async def work(unit: Unit) -> list[dict[str, Any]]:
            return await unit.run_text(text, **parameters)

        return await self.database.write(work)


@pytest.fixture
async def graph(database: Address) -> AsyncIterator[Graph]:
    async with installation(database) as (connected, ids):
        graph = Graph(connected, ids)
        yield graph
        # They are few on one graph, and other tests count on there being room.
        await graph.rows(
            "MATCH (p:OidcProvider) WHERE p.issuer CONTAINS $run DELETE p", run=graph.run
        )


async def test_a_provider_is_kept_whole_and_its_secret_sealed(graph: Graph) -> None:
    known, setup = graph.process()
    document = graph.document(
        client_secret=SECRET,
        redirect_uris=["https://shop.example/logged-in"],
        identifiers={"https://x.example/id": "crm_account_id"},
        max_age=60,
    )
    made = await setup.set(document, OPERATOR)
    assert (made.set_at, made.set_by) == (graph.time.micros, "sk:operator")
    there, _ = graph.process()
    assert await there.of(graph.issuer) == await known.of(graph.issuer) == made.provider
    assert made.provider.client_secret is not None
    assert made.provider.client_secret.get_secret_value() == SECRET
    (row,) = await graph.rows(
        "MATCH (p:OidcProvider {issuer: $issuer}) RETURN properties(p) AS kept",
        issuer=graph.issuer,
    )
    assert SECRET not in str(row)
    assert set(row["kept"]) == {"issuer", "document", "setAt", "setBy", "sealed"}


async def test_a_copy_of_the_graph_opens_nothing(graph: Graph) -> None:
    """Where the installation's secret is the settings', and so not in the copy."""
    _, setup = graph.process()
    await setup.set(graph.document(client_secret=SECRET), OPERATOR)
    thief, _ = graph.process(ids=Ids(b"another secret of an installation"))
    with pytest.raises(Refused):
        await thief.of(graph.issuer)


async def test_what_is_set_replaces_what_was(graph: Graph) -> None:
    known, setup = graph.process()
    await setup.set(graph.document(client_secret=SECRET, max_age=60), OPERATOR)
    await setup.set(graph.document(leeway=1), OPERATOR)
    found = await known.of(graph.issuer)
    assert (found.leeway, found.max_age) == (1, None)
    assert found.client_secret is not None
    await setup.set(graph.document(auth_method="none"), OPERATOR)
    assert (await known.of(graph.issuer)).client_secret is None
    (row,) = await graph.rows(
        "MATCH (p:OidcProvider {issuer: $issuer}) RETURN p.sealed AS sealed", issuer=graph.issuer
    )
    assert row["sealed"] is None


async def test_what_one_process_removes_another_believes_no_more(graph: Graph) -> None:
    (here, setup), (there, _) = graph.process(), graph.process()
    await setup.set(graph.document(), OPERATOR)
    for process in (here, there):
        await process.of(graph.issuer)
    await setup.remove(graph.issuer)
    with pytest.raises(Refused):
        await here.of(graph.issuer)
    graph.time.go_on(FRESH)
    with pytest.raises(Refused):
        await there.of(graph.issuer)
    with pytest.raises(NotFound):
        await setup.remove(graph.issuer)


async def test_of_many_set_at_once_none_is_lost_and_none_too_many(graph: Graph) -> None:
    _, setup = graph.process()
    room = MAX_PROVIDERS - len(await graph.stored.all())
    setting = (setup.set(graph.document(f"p{number}"), OPERATOR) for number in range(room + 3))
    found = await asyncio.gather(*setting, return_exceptions=True)
    assert sum(isinstance(one, Refused) for one in found) == 3
    assert len(await graph.stored.all()) == MAX_PROVIDERS


async def test_one_issuer_set_at_once_is_one_provider(graph: Graph) -> None:
    _, setup = graph.process()
    setting = (setup.set(graph.document(leeway=number), OPERATOR) for number in range(6))
    await asyncio.gather(*setting)
    listed = [stored.issuer for stored in await graph.stored.all()]
    assert listed.count(graph.issuer) == 1


async def test_a_refusal_changes_nothing(graph: Graph) -> None:
    known, setup = graph.process()
    await setup.set(graph.document(), OPERATOR)

    def refuse(kept: Any) -> Any:
        raise Refused

    with pytest.raises(Refused):
        await graph.stored.set(refuse)
    assert (await known.of(graph.issuer)).client_id == "graphid"


class Nowhere:
    """An address that nothing answers at."""

    uri, user, password, database = "bolt://127.0.0.1:1", "neo4j", "", "neo4j"


async def test_a_graph_that_is_away_is_no_reason_to_say_no(graph: Graph) -> None:
    away = await Database.connect(Nowhere(), timeout=0.5)
    known, _ = graph.process(OidcProviders(away))
    with pytest.raises(DatabaseUnavailable):
        await known.of(graph.issuer)
    await away.close()
