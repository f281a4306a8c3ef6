"""Operators at once: no request fails, and what is stored is what the fold says."""

from __future__ import annotations

import asyncio

from tests.integration.operating import Operating
from tests.integration.test_ingest import SERVER


async def test_the_same_act_at_once_is_done_once(operator: Operating) -> None:
    jo, kim = await operator.two()
    done = await asyncio.gather(
        *(operator.changed("mergePeople", ids=[jo, kim], operationId="m") for _ in range(6))
    )
    assert len({str(sorted(link["id"] for link in change["links"])) for change in done}) == 1
    assert len({change["after"][0]["id"] for change in done}) == 1
    rows = await operator.rows(
        "MATCH (e:Evidence) WHERE e.kind = 'merge' AND e.body CONTAINS $run RETURN e"
    )
    assert len(rows) == 1
    assert await operator.differences() == []


async def test_two_acts_under_one_id_at_once(operator: Operating) -> None:
    jo, kim = await operator.two()
    await operator.identified("c", "lee", "lee@x.example", type="email")
    await operator.identified("d", "may", "may", type="member_id")
    pairs = [[jo, kim], [await operator.contact_of("lee"), await operator.contact_of("may")]]
    kinds = await asyncio.gather(
        *(operator.act("mergePeople", ids=pair, operationId="m") for pair in pairs)
    )
    assert sorted(done["__typename"] for done in kinds) == ["Change", "Refused"]
    assert await operator.differences() == []


async def test_merges_in_a_ring_make_one_person(operator: Operating) -> None:
    jo, kim = await operator.two()
    await operator.identified("c", "lee", "lee@x.example", type="email")
    lee = await operator.contact_of("lee")
    ring = [[jo, kim], [kim, lee], [lee, jo]]
    done = await asyncio.gather(*(operator.act("mergePeople", ids=pair) for pair in ring))
    assert sorted(one["__typename"] for one in done) == ["Change", "Change", "Refused"]
    assert len({await operator.owner(message) for message in ("jo", "kim", "lee")}) == 1
    assert await operator.differences() == []


async def test_some_merge_what_another_severs(operator: Operating) -> None:
    jo, kim = await operator.two()
    link = await operator.link_of("pa")
    done = await asyncio.gather(
        operator.act("mergePeople", ids=[jo, kim]),
        operator.act("severLink", id=link),
        operator.act("mergePeople", ids=[kim, jo]),
        operator.act("severLink", id=link),
        operator.act("promoteContact", id=jo),
    )
    kinds = [one["__typename"] for one in done]
    assert sorted((kinds[0], kinds[2])) == ["Change", "Refused"]
    assert sorted((kinds[1], kinds[3])) == ["Change", "Refused"]
    assert await operator.owner("pb") == await operator.owner("kim")
    assert (await operator.look("pa"))["person"]["kind"] == "ANONYMOUS"
    assert await operator.differences() == []


async def test_undone_while_it_is_done_again_and_again(operator: Operating) -> None:
    jo, kim = await operator.two()
    await operator.changed("mergePeople", ids=[jo, kim], operationId="m")
    merge = f"{operator.run}-m"
    done = await asyncio.gather(
        *(operator.act("unmerge", id=merge) for _ in range(3)),
        *(operator.act("promoteContact", id=kim) for _ in range(2)),
    )
    assert sorted(one["__typename"] for one in done[:3]) == ["Change", "Refused", "Refused"]
    assert await operator.owner("jo") != await operator.owner("kim")
    assert await operator.differences() == []


async def test_operators_act_while_people_identify(operator: Operating) -> None:
    jo, kim = await operator.two()
    link = await operator.link_of("pb")
    said = [operator.identify(cookie, "jo", f"{cookie}{n}") for n in range(3) for cookie in "abc"]
    await asyncio.gather(
        *(operator.one(message, SERVER) for message in said),
        operator.act("mergePeople", ids=[jo, kim]),
        operator.act("severLink", id=link),
        operator.act("mergePeople", ids=[jo, kim], dryRun=True),
        operator.act("blockIdentifier", type="email", value=f"{operator.run}-kim@x.example"),
    )
    assert await operator.differences() == []
