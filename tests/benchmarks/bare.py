"""The same work by the bare driver: the leanest statement for each, in one round trip."""

from __future__ import annotations

from typing import Any, LiteralString

import neo4j

from graphid.graph.engine import Address

CONSTRAINTS: tuple[LiteralString, ...] = (
    "CREATE CONSTRAINT IF NOT EXISTS FOR (n:BareEvent) REQUIRE n.messageId IS UNIQUE",
    "CREATE CONSTRAINT IF NOT EXISTS FOR (n:BareCookie) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT IF NOT EXISTS FOR (n:BareSession) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT IF NOT EXISTS FOR (n:BareVisitor) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT IF NOT EXISTS FOR (n:BareIdentifier) REQUIRE n.key IS UNIQUE",
    "CREATE CONSTRAINT IF NOT EXISTS FOR (n:BareContact) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT IF NOT EXISTS FOR (n:BarePerson) REQUIRE n.id IS UNIQUE",
    "CREATE INDEX IF NOT EXISTS FOR (n:BareEvent) ON (n.cookie, n.position)",
)

CLAIM_AND_MERGE: LiteralString = """
MERGE (event:BareEvent {messageId: $messageId})
  ON CREATE SET event.cookie = $cookie, event.position = $position, event.type = 'IDENTIFY',
    event.occurredAt = $at, event.receivedAt = $at, event.detail = $detail
MERGE (cookie:BareCookie {id: $cookie})
MERGE (visitor:BareVisitor {id: $cookie})
MERGE (identifier:BareIdentifier {key: $identifier})
MERGE (contact:BareContact {id: $identifier})
MERGE (person:BarePerson {id: $identifier})
MERGE (event)-[:ON_COOKIE]->(cookie)
MERGE (visitor)-[:OF_COOKIE]->(cookie)
MERGE (visitor)-[link:IDENTIFIED_AS]->(contact)
  ON CREATE SET link.evidence = $messageId, link.at = $at
MERGE (contact)-[hold:HAS_IDENTIFIER]->(identifier)
  ON CREATE SET hold.evidence = $messageId, hold.at = $at
MERGE (contact)-[:BELONGS_TO]->(person)
RETURN person.id AS person
"""

APPEND: LiteralString = """
MERGE (event:BareEvent {messageId: $messageId})
  ON CREATE SET event.cookie = $cookie, event.position = $position, event.type = 'PAGE',
    event.occurredAt = $at, event.receivedAt = $at, event.detail = $detail
MERGE (cookie:BareCookie {id: $cookie})
MERGE (event)-[:ON_COOKIE]->(cookie)
RETURN event.messageId AS id
"""

JOURNEY_PAGE: LiteralString = """
MATCH (:Person {id: $person})<-[:BELONGS_TO]-(:Contact)<-[:IDENTIFIED_AS]-(visitor:Visitor)
WITH DISTINCT visitor.cookie AS cookie
CALL (cookie) {
  MATCH (event:Event)
  WHERE event.cookie = cookie AND event.position > ''
  RETURN event ORDER BY event.cookie DESC, event.position DESC LIMIT 50
}
RETURN collect(event {.*}) AS events
"""


class Bare:
    """A connection that is used by nobody else."""

    def __init__(self, address: Address) -> None:
        auth = (address.user, address.password) if address.password else None
        self._driver = neo4j.GraphDatabase.driver(
            address.uri, auth=auth, notifications_min_severity="OFF"
        )
        self._session = self._driver.session(database=address.database)
        for statement in CONSTRAINTS:
            self.run(statement)

    def run(self, statement: LiteralString, **parameters: Any) -> list[neo4j.Record]:
        """The rows of one statement, committed."""
        return list(self._session.run(statement, parameters))

    def write(self, statement: LiteralString, **parameters: Any) -> None:
        """Run one statement until it is committed: others may be in its way."""
        self._session.execute_write(lambda transaction: transaction.run(statement, parameters))

    def close(self) -> None:
        self._session.close()
        self._driver.close()
