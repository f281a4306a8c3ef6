"""The example of docs/as-of.md, as it is answered."""

from __future__ import annotations

import re
from pathlib import Path

from graphid.identity.values import SECOND
from graphid.service.messages import ClaimedIdentifier
from tests.integration.operating import Operating
from tests.integration.test_ingest import SERVER
from tests.test_documents import block

DOCUMENT = (Path(__file__).parents[2] / "docs" / "as-of.md").read_text(encoding="utf-8")
MONDAY = 1_772_409_600 * SECOND
"""2 March 2026, 00:00 UTC."""
DAY = 86_400 * SECOND
HOUR = 3_600 * SECOND
MINUTE = 60 * SECOND


class Days(Operating):
    """A world in the week of the example."""

    def on(self, day: int, hour: int) -> None:
        """Let it be a day of that week; the next message comes then."""
        self.now = MONDAY + day * DAY + hour * HOUR - SECOND

    async def identify_as(self, cookie: str, name: str, *, at: int | None = None) -> None:
        email = ClaimedIdentifier(type="email", value=f"{name}+{self.run}@example.com")
        said = self.identify(cookie, name, name).model_copy(update={"identifiers": (email,)})
        if at is not None:
            happened = self.where(cookie, (at - self.at(0)) // SECOND, name)
            said = said.model_copy(update={"context": happened})
        await self.one(said, SERVER)


async def test_the_example_is_answered_as_it_is_told(operator: Operating) -> None:
    world = Days(operator.database, operator.ids)
    world.on(0, 9)
    await world.seen("phone", "monday")
    world.on(1, 12)
    await world.seen("phone", "tuesday")
    world.now += 30 * MINUTE
    await world.identify_as("tablet", "john")
    world.on(2, 10)
    await world.identify_as("phone", "jane", at=MONDAY + 9 * HOUR + 5 * MINUTE)
    world.on(3, 15)
    people = [await world.owner("jane"), await world.owner("john")]
    merged = await world.changed("mergePeople", ids=people)
    world.on(4, 15)
    await world.changed("unmerge", id=merged["operationId"])
    world.on(5, 12)
    query = block(DOCUMENT, "graphql")
    rows = re.findall(
        r"^\|([^|]*)\|([^|]*)\| ([^|]*)\| (\d) \| (\d) \|[^|]*\|$", DOCUMENT, re.MULTILINE
    )
    assert len(rows) == 8
    for row in rows:
        at, known, name, contacts, lines = map(str.strip, row)
        axes = {k: v for k, v in (("at", at), ("asKnownAt", known)) if v}
        person = (await world.ask(query, id=world.birth("phone"), **axes))["person"]
        told = (person["displayName"] or "").replace(f"+{world.run}", "")
        assert (told, len(person["contacts"]), len(person["journey"]["edges"])) == (
            name,
            int(contacts),
            int(lines),
        ), row
