"""Readers of the past: as the world was, and as this service knew it (docs/as-of.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from graphid.errors import InvalidInput
from graphid.graph.database import Readable
from graphid.graph.past.past import Past
from graphid.graph.past.replay import BEHIND, Replay
from graphid.graph.past.versions import Versions
from graphid.graph.policies import Policies
from graphid.identity.ids import Ids
from graphid.identity.values import Micros
from graphid.service.journey import Journeys
from graphid.service.past.chats import PastChats
from graphid.service.past.devices import PastDevices
from graphid.service.past.lines import PastLines
from graphid.service.past.links import PastLinks
from graphid.service.past.moment import Moment
from graphid.service.past.people import PastPeople
from graphid.service.past.statements import PastStatements
from graphid.service.past.visitors import PastVisitors
from graphid.service.past.visits import PastVisits
from graphid.service.reads import Reads
from graphid.service.sessions import Sessions


class AsOf:
    """Makes readers of the past of one graph. ``clock`` tells the microseconds since 1970."""

    def __init__(
        self, database: Readable, policies: Policies, ids: Ids, clock: Callable[[], Micros]
    ) -> None:
        self._database = database
        self._policies = policies
        self._ids = ids
        self._clock = clock

    async def reads(self, *, at: Micros | None, known: Micros | None) -> Reads:
        """Readers of what was so at ``at``, as it was known at ``known``; None: as it is now.

        A later ``at`` than now is the present. Raises InvalidInput for a later ``known``.
        """
        if known is not None and known > self._clock():
            raise InvalidInput(
                "asKnownAt lies in the future: nobody knows yet what will be known then.",
                path=["asKnownAt"],
            )
        moment = Moment(at, known)
        past = await self._past(moment)
        return reads_of(self._database, self._policies, past, self._ids, moment)

    async def _past(self, moment: Moment) -> Past:
        if moment.known is None:
            return Versions(self._database, self._ids, moment.place)
        policy = (await self._policies.current()).policy
        return Replay(
            self._database,
            self._policies.of,
            self._ids,
            recorded=moment.known,
            place=BEHIND if moment.at is None else moment.place,
            most=policy.refold.max_evidence,
        )


def reads_of(database: Readable, policies: Policies, past: Past, ids: Ids, moment: Moment) -> Reads:
    """The readers of one past. What only the root of a query asks for is of the present."""
    visitors = PastVisitors(database, policies, past, ids, moment)
    people = PastPeople(database, visitors, past, ids, moment)
    journeys = Journeys(database, visitors)
    sessions, chats = Sessions(database, visitors), PastChats(database, moment)
    return replace(
        Reads.on(database, policies),
        visitors=visitors,
        people=people,
        journeys=journeys,
        lines=PastLines(database, visitors, people, journeys, past=past, ids=ids, moment=moment),
        sessions=sessions,
        chats=chats,
        visits=PastVisits(database, visitors, sessions, chats),
        devices=PastDevices(database, visitors, moment),
        links=PastLinks(database, past, ids),
        statements=PastStatements(database, past),
    )
