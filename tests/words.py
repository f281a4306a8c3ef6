"""The words that a graph of ours uses: labels, types and properties, from the statements' text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import LiteralString

import neo4j

from graphid.graph.engine import Address
from graphid.graph.queries import load

MAKE: tuple[LiteralString, ...] = (
    "UNWIND $words AS word CALL db.createLabel(word)",
    "UNWIND $words AS word CALL db.createRelationshipType(word)",
    "UNWIND $words AS word CALL db.createProperty(word)",
)


def teach(address: Address) -> None:
    """Make a fresh database know our words.

    A plan that was made before a word of it was known is made again once it is: in tests, all of
    which begin with a graph that is empty, of each statement several times.
    """
    texts = [query.text for query in load().values()]
    labels = set(_found(r":\s*([A-Z][a-z]\w*)", texts))
    types = set(_found(r"[:|]([A-Z_]+)\b", texts))
    properties = set(_found(r"\.(\w+)|[{,]\s*(\w+):", texts))
    auth = (address.user, address.password) if address.password else None
    with neo4j.GraphDatabase.driver(address.uri, auth=auth) as driver:
        for statement, words in zip(MAKE, (labels, types, properties), strict=True):
            driver.execute_query(statement, words=sorted(words), database_=address.database)


def _found(pattern: str, texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        for found in re.finditer(pattern, text):
            yield next(filter(None, found.groups()))
