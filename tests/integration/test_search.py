"""Searching, on a real database: who is found, in which order, by whom, and who is not."""

from __future__ import annotations

from typing import Any

import pytest

from graphid.api.execution import Request, answer
from graphid.auth.keys import Caller
from graphid.auth.scopes import Scope
from graphid.service import search as searching
from graphid.service.messages import Contact, Traits
from tests.integration.operating import Operating
from tests.integration.test_ingest import BROWSER, SERVER

SEARCH = """query ($text: String!, $first: Int, $after: String) {
  search(text: $text, first: $first, after: $after) {
    edges { cursor node { id displayName } } pageInfo { hasNextPage endCursor } } }"""
VIEWING = Caller("sk:viewing", frozenset({Scope.JOURNEY_VIEW}), False)


class Searching:
    """Of one world: its names are found nowhere else."""

    def __init__(self, world: Operating) -> None:
        self.world = world
        self.own = "".join(chr(ord("g") + int(digit, 16)) for digit in world.run)

    def name(self, name: str) -> str:
        return f"{name}{self.own}"

    async def save(self, row: str, first: str | None, last: str | None, *held: str) -> str:
        """A record with names; the person."""
        record = self.world.record(row, 0, *held).model_copy(
            update={"traits": Traits(first_name=first, last_name=last), "occurred_at": None}
        )
        receipt = await self.world.one(record, SERVER)
        assert receipt.problem is None
        person: str = (await self.world.row(row))["person"]["id"]
        return person

    async def found(self, text: str, caller: Caller | None = None, **page: Any) -> dict[str, Any]:
        """What is found once all that was written is indexed."""
        await self.world.rows("CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()")
        context = self.world.request_context(caller)
        got = await answer(Request(SEARCH, {"text": text, **page}), context, may_change=False)
        assert "errors" not in got.body, got.body
        found: dict[str, Any] = got.body["data"]["search"]
        return found

    async def people(self, text: str, caller: Caller | None = None) -> list[str]:
        return [edge["node"]["id"] for edge in (await self.found(text, caller))["edges"]]

    async def refusal(self, **variables: Any) -> tuple[str, str]:
        context = self.world.request_context()
        got = await answer(Request(SEARCH, variables), context, may_change=False)
        (error,) = got.body["errors"]
        return error["extensions"]["code"], error["message"]


@pytest.fixture
def search(operator: Operating) -> Searching:
    return Searching(operator)


async def test_exact_identifiers_then_names_then_parts(search: Searching) -> None:
    name = search.name
    exact = await search.save("1", "Zoe", None, f"member:{name('Ana')}")
    whole = await search.save("2", name("ÁNA"), None, "crm:2")
    among = await search.save("3", name("Ana"), "Smith", "crm:3")
    begun = await search.save("4", name("Ana") + "bel", None, "crm:4")
    part = await search.save("5", None, None, f"member:x-{name('ana')}-y")
    told = f"{search.world.run}-{name('Ana')}"
    assert (await search.people(told))[0] == exact
    assert (await search.people(f"member:{told}"))[0] == exact
    found = await search.people(name("ana"))
    # The exact one has the word in its identifier, beside others.
    assert found == [whole, among, *sorted([exact, part]), begun]
    assert await search.people(f"smith {name('ána')[:-2]}") == [among]
    assert await search.people(f"{name('ana')} jones") == []


async def test_each_person_is_found_once_and_pages_neither_repeat_nor_lose(
    search: Searching,
) -> None:
    everybody = [
        await search.save(
            f"{n}",
            search.name("Mae") + "x" * (n % 3),
            None,
            f"member:{search.name('mae')}-{n}",
            f"phone2:{search.name('maea')}-{n}",
        )
        for n in range(7)
    ]
    seen: list[str] = []
    after = None
    while True:
        page = await search.found(search.name("mae"), first=2, after=after)
        seen += [edge["node"]["id"] for edge in page["edges"]]
        assert page["pageInfo"]["endCursor"] == page["edges"][-1]["cursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert sorted(seen) == sorted(everybody)
    assert seen == await search.people(search.name("mae"))
    behind_the_last = await search.found(search.name("mae"), after=page["edges"][-1]["cursor"])
    assert behind_the_last["edges"] == []


async def test_no_more_hits_are_looked_at_than_the_bound(
    search: Searching, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        await search.save(f"{n}", search.name("Ida"), None, f"crm:{n}")
    monkeypatch.setattr(searching, "MOST_HITS", 3)
    page = await search.found(search.name("ida"), first=10)
    assert len(page["edges"]) == 3
    assert page["pageInfo"]["hasNextPage"] is False


async def test_who_may_not_see_identifiers_finds_by_a_whole_one_and_by_names(
    search: Searching,
) -> None:
    email = f"{search.world.run}-{search.name('kay')}@x.example"
    person = await search.save(
        "1", search.name("Kay"), None, f"email:{search.name('kay')}@x.example"
    )
    unnamed = await search.save("2", None, None, f"email:{search.name('lou')}@x.example")
    odd = await search.save("3", "not@a.name", search.name("Ray"), "crm:1")
    assert await search.people(email.upper(), VIEWING) == [person]
    assert await search.people(search.name("kay"), VIEWING) == [person]
    for part in (search.name("lou"), search.world.run, email[:-1]):
        assert await search.people(part, VIEWING) == [], part
    assert unnamed in await search.people(search.name("lou"))
    assert await search.people(f"not {search.name('ray')}", VIEWING) == []
    found = await search.found(search.name("ray"), VIEWING)
    assert found["edges"][0]["node"] == {
        "id": odd,
        "displayName": f"n***@a.name {search.name('Ray')}",
    }


async def test_who_is_renamed_merged_anonymous_or_erased(search: Searching) -> None:
    world, name = search.world, search.name
    one = await search.save("1", name("Uma"), None, "crm:1")
    other = await search.save("2", name("Una"), None, "user_id:2")
    assert await search.people(name("uma")) == [one]
    await world.changed("mergePeople", ids=[one, other])
    assert await search.people(name("una")) == [one]
    assert await search.people(name("uma")) == [one]
    renamed = await search.save("1", name("Eve"), None, "crm:1")
    assert renamed == one
    assert await search.people(name("uma")) == []
    assert await search.people(name("eve")) == [one]
    done = await world.ask(
        """mutation ($id: ID!) { erasePerson(id: $id, reason: "asked") { __typename } }""", id=one
    )
    assert done["erasePerson"]["__typename"] == "Change"
    for text in (name("eve"), name("una"), f"{world.run}-1", f"crm:{world.run}-1"):
        assert await search.people(text) == []


async def test_a_deleted_record_without_identifiers_names_nobody(search: Searching) -> None:
    person = await search.save("1", search.name("Ivo"), None)
    assert await search.people(search.name("ivo")) == [person]
    gone = Contact(source="crm", source_id=f"{search.world.run}-1", identifiers=(), deleted=True)
    await search.world.one(gone, SERVER)
    assert await search.people(search.name("ivo")) == []


async def test_what_only_a_browser_said_is_found_too(search: Searching) -> None:
    said = search.world.said("a", 0, f"email:{search.name('pia')}@x.example").model_copy(
        update={"traits": Traits(first_name=search.name("Pía"))}
    )
    await search.world.one(said, BROWSER)
    (person,) = await search.people(search.name("pia"))
    assert person.startswith("person_")


@pytest.mark.parametrize("text", ["***", "AND OR", "+(a -b", '"x', "a:b*~2", "names:*", "🙂", "["])
async def test_operators_of_the_index_are_plain_characters(search: Searching, text: str) -> None:
    await search.found(text)
    person = await search.save("1", search.name("Oda"), None, "crm:1")
    assert await search.people(f'"{search.name("oda")}"~') == [person]
    assert await search.people(f"-{search.name('oda')}") == [person]


async def test_bad_input(search: Searching) -> None:
    assert await search.refusal(text=" ") == ("INVALID_INPUT", "text must not be blank.")
    code, message = await search.refusal(text="x" * 10_000)
    assert (code, message) == ("TOO_LARGE", "text may have at most 200 characters.")
    assert (await search.refusal(text="x", first=1000))[0] == "INVALID_INPUT"
    await search.save("1", search.name("Abe"), None, "crm:1")
    page = await search.found(search.name("abe"))
    cursor = page["edges"][0]["cursor"]
    for text, after in ((search.name("ab"), cursor), (search.name("abe"), cursor[:12]), ("x", "y")):
        assert (await search.refusal(text=text, after=after))[0] == "BAD_CURSOR"
