"""Journeys page by page: what a plain reading of everything says, whatever happens meanwhile."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from random import Random

import pytest

from graphid.identity.ids import UNCLAIMED
from graphid.identity.values import SECOND
from graphid.service.chats import ChatRecord
from graphid.service.joins import JoinRecord
from graphid.service.journey import Window
from graphid.service.lines import Line, LinesWanted
from graphid.service.messages import Message, StartChat
from graphid.service.pages import PageRequest
from graphid.service.sessions import SessionRecord
from graphid.service.visits import VisitsWanted
from tests.integration.asking import time_of
from tests.integration.telling import Telling, interrupted
from tests.integration.test_ingest import SERVER

COOKIES = 24
"""More than a page of a few lines looks at the visitors of at first."""
HOUR = 3600
EARLY = -50 * 24 * HOUR
"""Seconds before the world's: too early to be claimed by who identifies then."""


def history(telling: Telling, random: Random) -> Iterator[Message]:
    """What a few people did on many cookies, in an order that has nothing to do with time. The
    visitors of one cookie overlap those of others, or do not."""
    for number in range(COOKIES):
        cookie = f"c{number}"
        people = (
            ["email:lee@x.example"] if number % 4 == 0 else ["user_id:jo"] * 3 + ["user_id:kim"]
        )
        begins = random.choice([0, 0, 12, random.randrange(200)]) * HOUR
        if random.random() < 0.3:
            yield telling.page(cookie, EARLY + number)
        takes = random.choice([HOUR, 40 * HOUR])
        for _ in range(random.randint(1, 4)):
            yield telling.page(cookie, begins + random.randrange(takes))
        for _ in range(random.choice([0, 1, 1, 2])):
            yield telling.said(cookie, begins + random.randrange(takes), random.choice(people))
        if random.random() < 0.3:
            yield telling.logout(cookie, begins + random.randrange(takes))
        if random.random() < 0.3:
            where = telling.where(cookie, begins + random.randrange(takes))
            yield StartChat(context=where, chat_id=f"{telling.run}-{cookie}")


def messages(lines: list[Line]) -> list[str]:
    """Of the events among them."""
    return [line.message_id for line in lines if not isinstance(line, JoinRecord)]


@pytest.mark.parametrize("seed", [0, 1])
async def test_pages_are_what_a_plain_reading_says(telling: Telling, seed: int) -> None:
    random = Random(seed)
    sent = [*history(telling, random)]
    random.shuffle(sent)
    await telling.send(*sent, sender=SERVER)
    await telling.identified("a", "jo", "jo")
    await telling.identified("b", "lee", "lee@x.example", type="email")
    jo, lee = await telling.owner("jo"), await telling.owner("lee")
    births = [telling.birth(f"c{n}") for n in range(COOKIES)]
    anonymous = [id for id in births if await _meant(telling, id) == id]
    unclaimed = [id for birth in births if await _meant(telling, id := birth + UNCLAIMED) == id]
    assert anonymous
    assert unclaimed
    await telling.changed("mergePeople", ids=[jo, anonymous[0]])
    await telling.changed("mergePeople", ids=[lee, *anonymous[1:3]])
    if seed:
        await telling.changed("mergePeople", ids=[jo, lee])
    people = {await _meant(telling, id) for id in (jo, lee, unclaimed[0], anonymous[-1])}
    assert len(people) == 4 - seed
    for person in people:
        await _compare(telling, person)


async def _meant(telling: Telling, id: str) -> str:
    return (await telling.reads.people.by_id([id]))[id].id


async def _compare(telling: Telling, person: str) -> None:
    """Every way of paging, beside the plain reading."""
    plain = await telling.plainly(person)
    whole = await telling.walked(person, 200)
    assert messages(whole) == plain
    positions = [line.position for line in whole]
    assert positions == sorted(set(positions), reverse=True)
    middle = whole[len(whole) // 2].occurred_at
    windows = [
        None,
        Window(types=("CHAT_START", "IDENTIFY", "MERGE")),
        Window(types=("PAGE", "LOGOUT")),
        Window(types=("MERGE",)),
        Window(since=middle),
        Window(until=middle),
        Window(since=middle - HOUR * SECOND, until=middle + HOUR * SECOND, types=("IDENTIFY",)),
    ]
    for window in windows:
        expected = [line.position for line in whole if window is None or _is_in(line, window)]
        for size, backwards in (
            ((1, False), (2, True)) if window is None else ((4, False), (3, True))
        ):
            found = await telling.walked(person, size, window=window, backwards=backwards)
            positions = [line.position for line in found]
            assert (positions[::-1] if backwards else positions) == expected, (window, size)
    events = [line for line in whole if not isinstance(line, JoinRecord)]
    seen = await telling.reads.lines.seen([person])
    assert seen == {person: (events[-1].occurred_at, events[0].occurred_at)}
    await _compare_visits(telling, person)


def _is_in(line: Line, window: Window) -> bool:
    return (
        (not window.types or line.type in window.types)
        and (window.since is None or line.occurred_at >= window.since)
        and (window.until is None or line.occurred_at < window.until)
    )


async def _compare_visits(telling: Telling, person: str) -> None:
    """Sessions and chats, few at once, beside all at once: of all that the person owns."""
    reads = telling.reads
    owned = (await reads.visitors.slices_of_people([person]))[person]
    (sessions,) = await reads.sessions.pages([(owned, PageRequest(200))])
    found: list[SessionRecord] = []
    edge = None
    while True:
        (page,) = await reads.visits.sessions([VisitsWanted(person, PageRequest(2, after=edge))])
        found += page.items
        if not page.has_next:
            break
        edge = page.keys[-1]
    assert [session.id for session in found] == [session.id for session in sessions.items]
    chats: list[ChatRecord] = []
    edge = None
    while True:
        (of_chats,) = await reads.visits.chats([VisitsWanted(person, PageRequest(1, after=edge))])
        chats += of_chats.items
        if not of_chats.has_next:
            break
        edge = of_chats.keys[-1]
    plain = await telling.plainly(person, ["CHAT_START"])
    if not person.endswith(UNCLAIMED):
        # A chat that goes on is whoever's the visitor is now, not whose its beginning was.
        assert len(chats) >= len(plain)
    assert len({chat.id for chat in chats}) == len(chats)


async def test_what_is_nobodys_in_between_is_left_out(telling: Telling) -> None:
    """A visitor whose unattended events are nobody's owns parts of its time."""
    await telling.send(
        *(telling.page("c", minute * 60) for minute in range(0, 300, 10)),
        telling.said("c", 5, "user_id:jo"),
        sender=SERVER,
    )
    await telling.identified("a", "jo", "jo")
    jo = await telling.owner("jo")
    await telling.write(
        "MATCH (v:Visitor {id: $id}) SET v.opening = 'switch', v.unattendedOwner = 'ANONYMOUS', "
        "v.unattendedAfter = 600000000, v.attended = $attended",
        id=telling.birth("c"),
        attended=[telling.at(0), telling.at(0), telling.at(9000), telling.at(9000)],
    )
    for person in (jo, telling.birth("c") + UNCLAIMED):
        plain = await telling.plainly(person)
        assert 2 < len(plain) < 31
        for size in (1, 3, 50):
            for backwards in (False, True):
                found = messages(await telling.walked(person, size, backwards=backwards))
                assert (found[::-1] if backwards else found) == plain


async def test_a_page_is_one_statement(telling: Telling) -> None:
    await telling.two()
    jo = await telling.owner("pa")
    graph = interrupted(telling)
    for arguments in ({}, {"types": ["CHAT_START"]}, {"last": 3}):
        graph.asked.clear()
        await telling.journey(jo, **arguments)
        opened = "journey/open_oldest" if "last" in arguments else "journey/open_newest"
        assert set(graph.asked[:2]) == {opened, "people/read_people"}  # side by side
        assert len(graph.asked) <= 4  # and what the fields of the lines ask for, once each
        assert "journey/read_newest" not in graph.asked


async def test_what_few_of_many_visitors_did_is_one_statement_too(telling: Telling) -> None:
    said = [telling.said(f"c{n}", n, "user_id:jo") for n in range(12)]
    pages = [telling.page(f"c{n}", 60 + n) for n in range(12)]
    await telling.send(*said, *pages, sender=SERVER)
    await telling.identified("a", "jo", "jo")
    jo = await telling.owner("jo")
    graph = interrupted(telling)
    for type, arguments in (("IDENTIFY", {"first": 1}), ("LOGOUT", {"first": 1})):
        graph.asked.clear()
        page = await telling.journey(jo, types=[type], **arguments)
        assert graph.asked.count("journey/open_newest") == 1, type
        assert len(page["edges"]) == (type == "IDENTIFY")


async def test_a_reader_loses_nothing_while_events_arrive_and_people_merge(
    telling: Telling,
) -> None:
    sent = [telling.page(f"c{n % 12}", n * 60) for n in range(60)]
    said = [telling.said(f"c{n}", n, "user_id:jo") for n in range(12)]
    await telling.send(*sent, *said, sender=SERVER)
    await telling.identified("a", "jo", "jo")
    await telling.identified("b", "kim", "kim@x.example", type="email")
    await telling.seen("b", *(f"k{n}" for n in range(5)))
    jo = await telling.owner("jo")
    joe, kims = await telling.contact_of("jo"), await telling.contact_of("kim")
    turn = 0
    for backwards in (False, True):
        throughout = set(await telling.plainly(jo))

        async def meanwhile() -> None:
            nonlocal turn
            turn += 1
            name = str(turn)
            match turn % 5:
                case 0:
                    await telling.seen(f"c{turn % 12}", f"new-{name}")
                case 1:
                    await telling.one(telling.page("c1", turn * 97), SERVER)
                case 2:
                    await telling.changed("mergePeople", ids=[joe, kims], operationId=f"m-{name}")
                case 3:
                    await telling.seen("b", f"of-kim-{name}")
                case _:
                    await telling.changed(
                        "unmerge",
                        id=f"{telling.run}-m-{turn - 2}",
                        operationId=f"u-{name}",
                    )

        found = await telling.walked(jo, 7, backwards=backwards, between=meanwhile)
        positions = [line.position for line in found]
        assert positions == sorted(set(positions), reverse=not backwards)
        assert throughout <= set(messages(found))
    assert turn > 18


async def test_a_person_who_is_merged_away_meanwhile_is_read_on(telling: Telling) -> None:
    joe, kims = await telling.two()
    jo = await telling.owner("pa")
    graph = interrupted(telling)

    async def merge() -> None:
        await telling.changed("mergePeople", ids=[joe, kims])

    graph.after["people/read_people", 1] = merge
    # By the contact's id: of a person's own the page is read along with the person.
    page = await telling.journey(kims, first=50)
    lines = [edge["node"] for edge in page["edges"]]
    assert {line["person"]["id"] for line in lines} == {jo}
    plain = await telling.plainly(jo)
    assert [line["messageId"] for line in lines if line["type"] != "MERGE"] == plain
    assert len(plain) == 5


async def test_of_somebody_who_is_no_more_there_is_nothing(telling: Telling) -> None:
    wanted = LinesWanted("visitor_of_nobody~unclaimed", PageRequest(5))
    (page,) = await telling.reads.lines.pages([wanted])
    assert (page.items, page.has_next) == ((), False)


async def test_a_visitor_who_leaves_meanwhile_takes_nothing_along(telling: Telling) -> None:
    """Somebody else identifies on the cookie between the reading of who owns it and of events: the
    part that was nobody's has ended, and by the new evidence there is no such part."""
    await telling.two()
    jo = await telling.owner("pa")
    await telling.write(
        "MATCH (v:Visitor {id: $id}) SET v.opening = 'switch', v.unattendedOwner = 'ANONYMOUS', "
        "v.unattendedAfter = 1, v.attended = $attended",
        id=telling.birth("a"),
        attended=[telling.now - 10 * SECOND, telling.now - 10 * SECOND],
    )
    nobody = telling.birth("a") + UNCLAIMED
    assert await _meant(telling, nobody) == nobody
    await telling.seen("a", "unattended")
    graph = interrupted(telling)

    async def switch() -> None:
        await telling.identified("a", "switch", "somebody")
        await telling.seen("a", "theirs")

    # Who it is, who it is still, and what they own: it is after that.
    graph.after["people/read_visitors", 3] = switch
    page = await telling.journey(nobody, first=50)
    assert not graph.after
    found = [edge["node"]["messageId"] for edge in page["edges"]]
    assert f"{telling.run}-theirs" not in found
    assert f"{telling.run}-switch" not in found
    assert found == await telling.plainly(jo)


# What is asked wrongly ----------------------------------------------------------------------------


async def test_cursors_of_other_lists_and_forged_ones_are_refused(telling: Telling) -> None:
    await telling.two()
    jo = await telling.owner("pa")
    ours = (await telling.journey(jo, first=1))["pageInfo"]["endCursor"]
    position = _decoded(ours).partition(":")[2]
    forged = [
        "x",
        "!" + ours,
        ours[:-3],
        ours + "=",
        ours + "\n",
        _encoded(f"sessions:{position}"),
        _encoded("journey:"),
        _encoded("journey:zzzz"),
        _encoded(f"journey:{position}link_1~"),
        _encoded(f"journey:{position}'; MATCH (n) DETACH DELETE n"),
        _encoded("journey:" + "9" * 4000),
        _encoded(f"journey:99999999999999999{position[16:]}"),
        "\u0663" * 8,
    ]
    for cursor in forged:
        for name in ("after", "before"):
            error = await telling.error_of(jo, **{name: cursor})
            assert error["extensions"]["code"] == "BAD_CURSOR", cursor
            assert error["extensions"]["path"] == [name]
    for document in (
        "query ($id: ID!, $after: String) { person(id: $id) { sessions(after: $after) {"
        " edges { cursor } } } }",
        "query ($id: ID!, $after: String) { person(id: $id) { chats(after: $after) {"
        " edges { cursor } } } }",
    ):
        name = "chats" if "chats" in document else "sessions"
        for cursor in (ours, _encoded(f"{name}:1"), _encoded(f"{name}:{'9' * 40}:session_x")):
            error = await telling.fault_of(document, id=jo, after=cursor)
            assert error["extensions"]["code"] == "BAD_CURSOR", cursor


async def test_a_cursor_from_before_a_merge_goes_on_in_the_merged_journey(
    telling: Telling,
) -> None:
    joe, kims = await telling.two()
    kim = await telling.owner("pb")
    page = await telling.journey(kim, first=1)
    await telling.changed("mergePeople", ids=[joe, kims])
    after = page["pageInfo"]["endCursor"]
    rest = await telling.journey(kim, first=50, after=after)
    plain = await telling.plainly(await telling.owner("pb"))
    seen = page["edges"][0]["node"]["messageId"]
    assert [edge["node"]["messageId"] for edge in rest["edges"]] == plain[plain.index(seen) + 1 :]


async def test_a_time_that_ends_before_it_begins_is_refused(telling: Telling) -> None:
    await telling.two()
    jo = await telling.owner("pa")
    begins, ends = time_of(telling.now).isoformat(), time_of(telling.now - 1).isoformat()
    error = await telling.error_of(jo, **{"from": begins, "to": ends})
    assert error["extensions"]["path"] == ["from", "to"]
    assert error["extensions"]["code"] == "INVALID_INPUT"
    assert (await telling.journey(jo, **{"from": begins, "to": begins}))["edges"] == []
    ever = {"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"}
    far = await telling.journey(jo, first=9, **ever)
    assert len(far["edges"]) == 2
    late = await telling.journey(jo, first=9, to="2290-01-01T00:00:00Z")
    assert late == far
    for bad in ({"first": 0}, {"first": 201}, {"last": 0}, {"last": 201}, {"first": 1, "last": 1}):
        assert (await telling.error_of(jo, **bad))["extensions"]["code"] == "INVALID_INPUT", bad


def _encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> str:
    return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
