"""Sessions and chats of people as they were."""

from __future__ import annotations

from collections.abc import Sequence

from graphid.graph.database import Readable
from graphid.service.chats import Chats
from graphid.service.past.visitors import PastVisitors
from graphid.service.sessions import Sessions
from graphid.service.visits import Latest, Visits, VisitsWanted


class PastVisits(Visits):
    """Reads what people owned: of all their visitors, which are known by then."""

    def __init__(
        self, database: Readable, visitors: PastVisitors, sessions: Sessions, chats: Chats
    ) -> None:
        super().__init__(database, sessions, chats)
        self._visitors = visitors

    async def _latest(
        self, asked: Sequence[dict[str, object]], wanted: Sequence[VisitsWanted], visitors: int
    ) -> dict[object, Latest]:
        owned = await self._visitors.slices_of_people(sorted({one.person for one in wanted}))
        return {key: Latest(owned[one.person]) for key, one in enumerate(wanted)}
