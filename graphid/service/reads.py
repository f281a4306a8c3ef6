"""Everything that reads the graph for people, made in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import time_ns

from graphid.graph.database import Readable
from graphid.graph.policies import Policies
from graphid.identity.values import Micros
from graphid.service.audit.trail import Trail
from graphid.service.chats import Chats
from graphid.service.clusters.clusters import Clusters
from graphid.service.devices import Devices
from graphid.service.grounds import Grounds
from graphid.service.joins import Joins
from graphid.service.journey import Journeys
from graphid.service.ledger import Ledger
from graphid.service.lines import Lines
from graphid.service.links import Links
from graphid.service.people import People
from graphid.service.search import Search
from graphid.service.sessions import Sessions
from graphid.service.shared import Shared
from graphid.service.statements import Statements
from graphid.service.visitors import Visitors
from graphid.service.visits import Visits


def now() -> Micros:
    """Microseconds since 1970 UTC."""
    return time_ns() // 1_000


@dataclass(frozen=True)
class Reads:
    """One reader for each kind of thing, all on one graph."""

    policies: Policies
    visitors: Visitors
    people: People
    journeys: Journeys
    lines: Lines
    joins: Joins
    sessions: Sessions
    chats: Chats
    visits: Visits
    devices: Devices
    links: Links
    statements: Statements
    ledger: Ledger
    trail: Trail
    clusters: Clusters
    shared: Shared
    search: Search
    grounds: Grounds

    @classmethod
    def on(
        cls, database: Readable, policies: Policies, *, clock: Callable[[], Micros] = now
    ) -> Reads:
        """The readers of a graph."""
        visitors = Visitors(database, policies)
        people, journeys = People(database, visitors), Journeys(database, visitors)
        sessions, chats = Sessions(database, visitors), Chats(database, clock)
        return cls(
            policies=policies,
            visitors=visitors,
            people=people,
            journeys=journeys,
            lines=Lines(database, visitors, people, journeys),
            joins=Joins(database),
            sessions=sessions,
            chats=chats,
            visits=Visits(database, sessions, chats),
            devices=Devices(database),
            links=Links(database),
            statements=Statements(database),
            ledger=Ledger(database),
            trail=Trail(database),
            clusters=Clusters(database, people, chats),
            shared=Shared(database),
            search=Search(database, policies),
            grounds=Grounds(database),
        )
