"""What operators do costs the same for a person of few events and for one of many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from tests.benchmarks.timing import Compared, compare
from tests.service import Client

CHANGE = "__typename ... on Change { operationId } ... on Problem { message }"
MERGE = f"""mutation ($ids: [ID!]!) {{
  done: mergePeople(ids: $ids, reason: "a benchmark") {{ {CHANGE} }} }}"""
UNMERGE = f'mutation ($id: ID!) {{ done: unmerge(id: $id, reason: "a benchmark") {{ {CHANGE} }} }}'
SEVER = f'mutation ($id: ID!) {{ done: severLink(id: $id, reason: "a benchmark") {{ {CHANGE} }} }}'
RESTORE = (
    f'mutation ($id: ID!) {{ done: restoreLink(id: $id, reason: "a benchmark") {{ {CHANGE} }} }}'
)
SAVE = """mutation ($id: ID!, $value: String!) {
  saveContact(input: {source: "bench", sourceId: $id,
                      identifiers: [{type: "email", value: $value}]}) {
    ... on ContactSaved { person { id } }
  }
}"""
LINKS = """query ($id: ID!) { person(id: $id) { links(state: ACTIVE) { id kind } } }"""


class Operations:
    """Merge, unmerge, sever and restore of two people, ``large`` and ``small`` by their ids."""

    def __init__(self, client: Client, large: str, small: str) -> None:
        self._client = client
        self._people = (large, small)
        self._number = count()

    def measured(self, times: int) -> Iterator[Compared]:
        """The large person beside the small one."""
        yield self._compared("merge and unmerge", self._merge_and_unmerge, times)
        yield self._compared("sever and restore", self._sever_and_restore, times)

    def _compared(self, name: str, run: Callable[[str], None], times: int) -> Compared:
        large, small = self._people
        return compare(name, lambda _: run(large), lambda _: run(small), times=times, warm_up=5)

    def _merge_and_unmerge(self, person: str) -> None:
        id = f"bench-{next(self._number)}"
        saved = self._client.graphql(SAVE, id=id, value=f"{id}@example.com")["saveContact"]
        merge = self._done(MERGE, ids=[person, saved["person"]["id"]])
        self._done(UNMERGE, id=merge)

    def _sever_and_restore(self, person: str) -> None:
        links = self._client.graphql(LINKS, id=person)["person"]["links"]
        link = next(link["id"] for link in links if link["kind"] == "IDENTIFIED_AS")
        self._done(SEVER, id=link)
        self._done(RESTORE, id=link)

    def _done(self, document: str, **variables: Any) -> str:
        done = self._client.graphql(document, **variables)["done"]
        assert done["__typename"] == "Change", done
        operation: str = done["operationId"]
        return operation
