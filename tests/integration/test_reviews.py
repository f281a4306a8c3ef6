"""What waits for a human, for as long as it is so."""

from __future__ import annotations

from typing import Any

from graphid.graph.database import Unit
from tests.integration.asking import Asked
from tests.integration.test_ingest import SERVER


async def decided(asked: Asked, id: str, state: str) -> None:
    async def work(unit: Unit) -> None:
        await unit.run_text("MATCH (r:Review {id: $id}) SET r.state = $state", id=id, state=state)

    await asked.database.write(work)


async def doubt(asked: Asked) -> str:
    """A review: a browser's identify names two people."""
    await asked.one(asked.record("one", 100, "member:1"), SERVER)
    await asked.one(asked.record("two", 101, "user_id:5"), SERVER)
    receipt = await asked.one(asked.said("a", 200, "member:1", "user_id:5"))
    assert receipt.outcome is not None
    (review,) = receipt.outcome.reviews
    assert await asked.review(review) == "OPEN"
    return review


async def test_a_review_of_what_is_no_longer_so_is_obsolete(asked: Asked) -> None:
    review = await doubt(asked)
    # A server knew before that they are one.
    await asked.one(asked.said("b", 150, "member:1", "user_id:5"), SERVER)
    found = await asked.node(review)
    assert found["decision"] == "OBSOLETE"
    assert "no longer so" in found["explanation"]
    assert len(found["people"]) == 1
    listed = await asked.person(found["people"][0]["id"])
    reviews = await asked.ask(
        "query ($id: ID!) { person(id: $id) { reviews { id state } } }", id=listed["id"]
    )
    assert {"id": review, "state": "OBSOLETE"} in reviews["person"]["reviews"]
    # But a human had confirmed both records: again it is a human's to decide.
    await asked.one(asked.record("one", 110, "member:1", curated=True), SERVER)
    await asked.one(asked.record("two", 111, "user_id:5", curated=True), SERVER)
    found = await asked.node(review)
    assert found["decision"] == "OPEN"
    assert len(found["people"]) == 2
    assert await asked.differences() == []


LIST = """query ($state: ReviewState, $first: Int, $after: String) {
  reviews(state: $state, first: $first, after: $after) {
    edges { cursor node { id state recordedAt } } pageInfo { hasNextPage endCursor } } }"""


async def test_reviews_are_listed_by_state_the_latest_first(asked: Asked) -> None:
    await asked.one(asked.record("one", 100, "member:1"), SERVER)
    filed: list[str] = []
    for number in range(5):
        await asked.one(asked.record(f"r{number}", 101 + number, f"user_id:{number}"), SERVER)
        receipt = await asked.one(asked.said("a", 200 + number, "member:1", f"user_id:{number}"))
        assert receipt.outcome is not None
        filed += receipt.outcome.reviews
    assert len(filed) == 5
    await decided(asked, filed[1], "ACCEPTED")
    await decided(asked, filed[3], "REJECTED")

    async def listed(**variables: Any) -> list[str]:
        """All of the list, page by page, as far as this asked filed it."""
        found: list[str] = []
        after = None
        while True:
            page = (await asked.ask(LIST, first=2, after=after, **variables))["reviews"]
            assert len(page["edges"]) <= 2
            times = [edge["node"]["recordedAt"] for edge in page["edges"]]
            assert times == sorted(times, reverse=True)
            found += [edge["node"]["id"] for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                return [id for id in found if id in filed]
            after = page["pageInfo"]["endCursor"]

    assert await listed(state="OPEN") == [filed[4], filed[2], filed[0]]
    assert await listed(state="ACCEPTED") == [filed[1]]
    assert await listed(state=None) == filed[::-1]
    open_by_default = await asked.ask("{ reviews { edges { node { id state } } } }")
    assert {e["node"]["state"] for e in open_by_default["reviews"]["edges"]} == {"OPEN"}
