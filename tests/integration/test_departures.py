"""An event that names nobody, after a user id on its cookie, is a logout; else it is an event."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from graphid.graph.database import Address, Database
from graphid.graph.installation import installation_secret
from graphid.graph.schema import migrate
from graphid.identity.ids import Ids
from graphid.service.messages import ClaimedIdentifier, Identify, Message, Page, Sender, Track
from tests.integration.test_ingest import BROWSER, SERVER, World

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
OTHER = BROWSER.model_copy(update={"name": "pk-other"})


class Shop(World):
    """Where somebody's events say, each, who is logged in: a user, or nobody (``""``)."""

    def does(self, at: int, user: str | None = None, cookie: str = "c") -> Track:
        """A tracked event, ``at`` seconds after the start, and named so."""
        when = START + timedelta(seconds=at)
        return Track(
            context=self.context(cookie, f"{cookie}-{at}", occurred_at=when),
            name="Looked",
            user_id=None if not user else f"{self.run}-{user}",
            names_nobody=user == "",
        )

    def mails(self, at: int, cookie: str = "c", user: str | None = None) -> Identify:
        """An identify without a user id; with an empty one it says that nobody is logged in."""
        when = START + timedelta(seconds=at)
        mail = ClaimedIdentifier(type="email", value=f"{self.run}@example.com")
        context = self.context(cookie, f"{cookie}-{at}", occurred_at=when)
        return Identify(context=context, identifiers=(mail,), names_nobody=user == "")

    async def each(self, *messages: Message, sender: Sender = BROWSER) -> None:
        """Send one after the other."""
        for message in messages:
            assert not (await self.one(message, sender)).duplicate

    async def logouts(self, cookie: str = "c") -> list[int]:
        """When there were some on a cookie, in seconds after the start."""
        rows = await self.rows(
            "MATCH (e:Evidence) WHERE e.cookie = $cookie AND e.kind = 'logout' "
            "RETURN e.at AS at ORDER BY e.place",
            cookie=f"{self.run}-{cookie}",
        )
        return [round(row["at"] / 1_000_000 - START.timestamp()) for row in rows]

    async def owned(self, cookie: str = "c") -> dict[int, bool]:
        """Whether the visitor who did it is known, by when it was done."""
        rows = await self.rows(
            "MATCH (e:Event) WHERE e.cookie = $cookie "
            "CALL (e) { MATCH (v:Visitor) WHERE v.cookie = e.cookie AND v.start <= e.position "
            "  RETURN v ORDER BY v.start DESC LIMIT 1 } "
            "RETURN e.occurredAt AS at, v.contact IS NOT NULL AS known",
            cookie=f"{self.run}-{cookie}",
        )
        return {round(row["at"] / 1_000_000 - START.timestamp()): row["known"] for row in rows}


@pytest.fixture
async def shop(database: Address) -> AsyncIterator[Shop]:
    connected = await Database.connect(database, server_warnings=True)
    await migrate(connected)
    shop = Shop(connected, Ids(await installation_secret(connected, None)))
    yield shop
    assert await shop.differences() == []
    await connected.close()


async def test_who_was_there_leaves_once(shop: Shop) -> None:
    visit = [
        *(shop.does(0, ""), shop.does(1, "")),
        *(shop.does(2, "jane"), shop.does(3, "jane")),
        *(shop.does(4, ""), shop.does(5, "")),
        *(shop.does(6, "john"), shop.does(7, "")),
    ]
    await shop.each(*visit)
    assert await shop.logouts() == [4, 7]
    owned = {0: True, 1: True, 2: True, 3: True, 4: True, 5: True, 6: True, 7: False}
    assert await shop.owned() == owned
    for again in visit:
        receipt = await shop.one(again)
        assert (receipt.duplicate, receipt.warnings) == (True, ())
    assert (await shop.logouts(), await shop.owned()) == ([4, 7], owned)


async def test_as_much_in_one_request(shop: Shop) -> None:
    users = ["", "jane", "", "", "john", "", "jane"]
    visit = [shop.does(at, user) for at, user in enumerate(users)]
    assert not any(receipt.duplicate for receipt in await shop.send(*visit))
    assert await shop.logouts() == [2, 5]
    assert all(receipt.duplicate for receipt in await shop.send(*visit))
    assert await shop.logouts() == [2, 5]


async def test_nobody_leaves_where_nobody_was(shop: Shop) -> None:
    await shop.each(shop.does(0, ""), shop.does(1))
    # A newsletter's address is no login.
    await shop.each(shop.mails(2), shop.does(3, ""))
    # Events that do not say who is there say nothing of a logout.
    await shop.each(shop.does(4, "jane"), shop.does(5))
    assert await shop.logouts() == []
    # What another key, or a server, knows the browser's SDK does not.
    for number, sender in enumerate((SERVER, OTHER)):
        cookie = f"of-{number}"
        await shop.each(shop.does(0, "jane", cookie), sender=sender)
        await shop.each(shop.does(1, "", cookie))
        assert await shop.logouts(cookie) == []
        await shop.each(shop.does(2, "jane", cookie))
        await shop.each(shop.does(3, "jane", cookie), sender=sender)
        await shop.each(shop.does(4, "", cookie))
        assert await shop.logouts(cookie) == [4]
    # On another cookie she is still there.
    await shop.each(shop.does(6, "", "another"))
    assert await shop.logouts("another") == []


async def test_a_user_id_that_only_says_again_who_is_there_counts(shop: Shop) -> None:
    await shop.each(shop.does(0, "jane"))
    await shop.each(shop.does(1, "jane"), sender=OTHER)
    marks = "MATCH (e:Event) WHERE e.repetition IS NOT NULL AND e.cookie STARTS WITH $run RETURN e"
    assert len(await shop.rows(marks)) == 1
    await shop.each(shop.does(2, ""), sender=OTHER)
    assert await shop.logouts() == [2]


async def test_one_that_arrives_late_ends_what_was_before_it(shop: Shop) -> None:
    await shop.each(shop.does(0, "jane"), shop.does(4, "john"), shop.does(6, "john"))
    await shop.each(shop.does(2, ""))
    assert await shop.logouts() == [2]
    await shop.each(shop.does(3, ""), shop.does(7, ""))
    assert await shop.logouts() == [2, 7]


async def test_the_user_id_that_arrives_after_it_is_ended_by_the_next(shop: Shop) -> None:
    page = shop.does(5, "")
    await shop.each(page, shop.does(3, "jane"))
    assert (await shop.logouts(), await shop.owned()) == ([], {3: True, 5: True})
    # The first answer counts.
    assert (await shop.one(page)).duplicate
    assert await shop.logouts() == []
    # The next one shows when she left.
    after = shop.does(7, "")
    await shop.each(after)
    assert await shop.logouts() == [5]
    assert await shop.owned() == {3: True, 5: False, 7: False}
    for again in (page, after):
        assert (await shop.one(again)).duplicate
    assert await shop.logouts() == [5]


async def test_all_orders_come_to_the_same(shop: Shop) -> None:
    """Where one that names nobody is the last to arrive: it knows all that was there before."""
    visit = ((1, "jane"), (2, ""), (3, ""))
    for number, order in enumerate(permutations(visit)):
        cookie = f"order-{number}"
        for at, user in (*order, (4, "")):
            await shop.each(shop.does(at, user, cookie))
        owned = await shop.owned(cookie)
        assert owned == {1: True, 2: False, 3: False, 4: False}, order
        assert (await shop.logouts(cookie))[0] == 2, order


async def test_pages_do_as_well(shop: Shop) -> None:
    await shop.each(shop.does(0, "jane"))
    when = START + timedelta(seconds=1)
    context = shop.context("c", "page", occurred_at=when)
    await shop.one(Page(context=context, url="https://shop.example/", names_nobody=True))
    assert await shop.logouts() == [1]


async def test_who_gives_an_address_while_nobody_is_logged_in_is_not_who_was(shop: Shop) -> None:
    await shop.each(shop.does(0, "jane"), shop.mails(1, user=""), shop.does(2, ""))
    assert await shop.logouts() == [1]
    people = await shop.rows(
        "MATCH (v:Visitor {cookie: $cookie})-[:IDENTIFIED_AS]->(c:Contact) "
        "WITH v, c ORDER BY v.start RETURN collect(c.id) AS contacts",
        cookie=f"{shop.run}-c",
    )
    assert len(set(people[0]["contacts"])) == len(people[0]["contacts"]) == 2
    assert await shop.owned() == {0: True, 1: True, 2: True}
    # Nobody had logged in: it is theirs who goes on there.
    await shop.each(shop.mails(0, "new", user=""), shop.does(1, "", "new"))
    assert await shop.logouts("new") == []
