"""An event that says again who is there is a plain event with a mark, and is found again where
something before it becomes another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from random import Random
from typing import Any, LiteralString, TypeVar

import pytest

from graphid.graph.database import Address, Database, Unit, Work
from graphid.graph.installation import installation_secret
from graphid.graph.policies import Policies
from graphid.graph.queries import Query
from graphid.graph.restamping import restamp_marks
from graphid.identity.values import SAID_USER
from graphid.service.ingest import Ingest
from graphid.service.messages import Message, Page, Sender
from graphid.service.parked import Parked
from graphid.service.rebuilding import rebuild
from graphid.service.verifying import verify
from tests.integration.asking import Asked
from tests.integration.ledger import Ledger, Silent
from tests.integration.operating import Operating
from tests.integration.test_erasing import erased, mentions, operator
from tests.integration.test_ingest import BROWSER, SERVER
from tests.stored import World as Stored

__all__ = ["operator"]

T = TypeVar("T")


def visit(world: Asked, cookie: str, seconds: int, user: str | None = "jo") -> Page:
    """A page, named for its second, that says who is there."""
    context = world.where(cookie, seconds, f"{cookie}-{seconds}")
    named = None if user is None else f"{world.run}-{user}"
    return Page(context=context, url="https://shop.example/", user_id=named)


async def evidence(world: Asked, cookie: str) -> list[str]:
    """The messages on a cookie that are evidence, in the order of the fold."""
    rows = await world.rows(
        "MATCH (e:Evidence) WHERE e.cookie = $cookie RETURN e.id AS id ORDER BY e.place",
        cookie=f"{world.run}-{cookie}",
    )
    prefix = f"{world.run}-{cookie}-"
    return [row["id"].removesuffix(SAID_USER).removeprefix(prefix) for row in rows]


async def marked(world: Asked) -> set[str]:
    """The messages whose events are marked."""
    rows = await world.rows(
        "MATCH (e:Event) WHERE e.repetition IS NOT NULL AND e.messageId STARTS WITH $run "
        "RETURN e.messageId AS id"
    )
    return {row["id"].removeprefix(f"{world.run}-") for row in rows}


async def faults(world: Asked) -> list[str]:
    return await Stored(world.database, world.ids, world.run).faults()


async def test_it_costs_no_evidence_and_is_answered_as_ever(asked: Asked) -> None:
    pages = [visit(asked, "a", second) for second in range(4)]
    receipts = [await asked.one(page) for page in pages]
    assert not any(receipt.duplicate or receipt.warnings for receipt in receipts)
    assert await evidence(asked, "a") == ["0"]
    assert await marked(asked) == {"a-1", "a-2", "a-3"}
    again = await asked.send(*pages)
    assert all(receipt.duplicate and not receipt.warnings for receipt in again)
    assert await evidence(asked, "a") == ["0"]
    assert await faults(asked) == []
    # In one request, with what they repeat and a logout among them.
    whole = [visit(asked, "b", second) for second in (0, 1, 3, 4)]
    await asked.send(*whole[:2], asked.logout("b", 2), *whole[2:])
    assert len(await evidence(asked, "b")) == 3
    assert await marked(asked) == {"a-1", "a-2", "a-3", "b-1", "b-4"}
    assert await faults(asked) == []


async def test_a_logout_that_arrives_late_makes_the_first_behind_it_an_identify(
    asked: Asked,
) -> None:
    await asked.send(*(visit(asked, "a", second) for second in (0, 60, 180, 240)))
    await asked.one(visit(asked, "a", 150, None))
    await asked.one(asked.logout("a", 120))
    assert await marked(asked) == {"a-60", "a-240"}
    assert len(await evidence(asked, "a")) == 3
    assert await faults(asked) == []
    whose = "query ($id: ID!) { event(messageId: $id) { person { id kind } } }"
    found = [await asked.ask(whose, id=f"{asked.run}-a-{second}") for second in (60, 150, 240)]
    assert len({each["event"]["person"]["id"] for each in found}) == 1
    assert found[0]["event"]["person"]["kind"] == "KNOWN"


class Counting(Database):
    """Counts the writing statements that are a unit of their own, and the other writing units."""

    alone = units = 0

    async def write_rows(
        self, query: Query, /, *, within: float | None = None, **parameters: Any
    ) -> list[dict[str, Any]]:
        self.alone += 1
        return await super().write_rows(query, within=within, **parameters)

    async def write(self, work: Work[T], *, timeout: float | None = None) -> T:  # noqa: ASYNC109 - as its parent has it
        self.units += 1
        return await super().write(work, timeout=timeout)


async def test_what_is_known_to_be_so_takes_one_statement_as_a_page_does(
    asked: Asked, database: Address
) -> None:
    counting = await Counting.connect(database, server_warnings=True)
    assert isinstance(counting, Counting)
    ingest = Ingest(counting, Policies(counting), asked.ids, asked.ingest._clock)
    await ingest.submit([visit(asked, "a", 0), visit(asked, "a", 1)], BROWSER)
    assert (counting.alone, counting.units) == (0, 1)
    await ingest.submit([visit(asked, "a", second) for second in range(2, 9)], BROWSER)
    await ingest.submit([visit(asked, "b", 1, None)], BROWSER)
    assert (counting.alone, counting.units) == (2, 1)
    await counting.close()
    assert len(await marked(asked)) == 8


async def test_what_another_process_changed_is_seen(asked: Asked) -> None:
    other = Ingest(asked.database, Policies(asked.database), asked.ids, asked.ingest._clock)
    for second in (0, 60, 120, 180):
        await asked.one(visit(asked, "a", second))
    assert await marked(asked) == {"a-60", "a-120", "a-180"}
    await other.submit([asked.logout("a", 200)], BROWSER)
    await asked.one(visit(asked, "a", 240))
    await asked.send(visit(asked, "a", 300), visit(asked, "a", 310))
    await asked.one(visit(asked, "a", 150))  # late, and on another ground
    assert await marked(asked) == {f"a-{second}" for second in (60, 120, 150, 180, 300, 310)}
    await other.submit([asked.said("b", 400, "user_id:kim", "user_id:jo")], SERVER)
    await other.submit([visit(asked, "a", 500)], SERVER)
    await asked.one(visit(asked, "a", 510))
    assert await faults(asked) == []
    assert "240" in await evidence(asked, "a")


async def test_the_same_from_many_at_once_is_there_once(asked: Asked) -> None:
    await asked.send(visit(asked, "a", 0), visit(asked, "a", 1))
    pages = [visit(asked, "a", second) for second in range(2, 8)]
    answers = await asyncio.gather(*(asked.send(*pages) for _ in range(4)))
    assert [sum(not r.duplicate for r in each) for each in zip(*answers, strict=True)] == [1] * 6
    assert await marked(asked) == {f"a-{second}" for second in range(1, 8)}
    assert await faults(asked) == []


async def test_of_one_id_with_two_contents_only_the_first_says_anything(asked: Asked) -> None:
    await asked.send(visit(asked, "a", 0), visit(asked, "a", 1))
    await asked.send(visit(asked, "b", 0, "kim"), visit(asked, "b", 1, "kim"))
    ours, theirs = visit(asked, "a", 5), visit(asked, "b", 6, "kim")
    named = theirs.context.model_copy(update={"message_id": ours.context.message_id})
    theirs = theirs.model_copy(update={"context": named})
    # While the first is stored, the others wait, and then go together.
    await asyncio.gather(*map(asked.send, (visit(asked, "a", 4), ours, theirs)))
    assert await marked(asked) == {"a-1", "b-1", "a-4", "a-5"}
    assert await faults(asked) == []


async def test_whoever_says_it_otherwise_says_an_identify(asked: Asked) -> None:
    """Another user, another device, a stronger key, and whoever is there after a switch."""
    await asked.send(visit(asked, "a", 0), visit(asked, "a", 1))
    await asked.one(visit(asked, "a", 2), SERVER)
    elsewhere = visit(asked, "a", 3)
    context = elsewhere.context.model_copy(update={"device_id": f"{asked.run}-other"})
    await asked.one(elsewhere.model_copy(update={"context": context}))
    await asked.send(visit(asked, "a", 4, "kim"), visit(asked, "a", 5, "kim"))
    assert await evidence(asked, "a") == ["0", "2", "3", "4", "5"]
    assert await marked(asked) == {"a-1"}
    assert await faults(asked) == []


def life(world: Asked, random: Random, length: int) -> Iterator[tuple[Message, Sender]]:
    """What two users and others do on two cookies of one tablet, most of it with a user id, in an
    order of arrival that has little to do with time."""
    for number in range(length):
        cookie, user = random.choice("ab"), random.choice(("jo", "jo", "jo", "mary"))
        kind = random.choice(["page"] * 12 + ["said", "strong", "logout", "logout", "nobody"])
        late = 0 if kind == "page" and random.random() < 0.9 else random.randrange(300)
        seconds = max(0, number * 30 - late) * 10 + number % 10
        match kind:
            case "logout":
                yield world.logout(cookie, seconds), BROWSER
            case "nobody":
                yield visit(world, cookie, seconds, None), BROWSER
            case "said":
                named = [f"user_id:{user}", f"mail:{user}", "mail:home"]
                yield world.said(cookie, seconds, *random.sample(named, 2)), BROWSER
            case "strong":
                yield world.said(cookie, seconds, f"user_id:{user}", f"crm:{user}"), SERVER
            case _:
                sender = random.choice((BROWSER, BROWSER, BROWSER, SERVER))
                yield visit(world, cookie, seconds, user), sender


@pytest.mark.parametrize("seed", [1, 2])
async def test_in_whatever_order_it_arrives(asked: Asked, seed: int) -> None:
    random = Random(f"repetitions {seed}")
    said = list(life(asked, random, 60))
    sent = made_evidence = 0
    was: set[str] = set()
    while sent < len(said):
        some = said[sent : sent + random.choice((1, 1, 2, 5))]
        sent += len(some)
        for sender in (BROWSER, SERVER):
            own = [message for message, by in some if by is sender]
            if own:
                await asked.send(*own, sender=sender)
        now = await marked(asked)
        made_evidence += len(was - now)
        was = now
    assert was, "some repeat"
    assert made_evidence, "and some did so for a while"
    assert await faults(asked) == []


async def test_nothing_of_it_is_left_of_who_is_erased(operator: Operating) -> None:
    await operator.send(*(visit(operator, "a", second) for second in range(4)))
    await operator.send(visit(operator, "b", 1), visit(operator, "b", 2))
    await operator.send(visit(operator, "b", 5, "kim"), visit(operator, "b", 6, "kim"))
    await operator.one(operator.logout("b", 7))
    await operator.send(visit(operator, "b", 8, "kim"), visit(operator, "b", 9, "kim"))
    assert await marked(operator) == {"a-1", "a-2", "a-3", "b-2", "b-9"}
    await erased(operator, await operator.owner("a-2"))
    assert await mentions(operator, f"{operator.run}-jo") == []
    assert await marked(operator) == {"b-9"}
    assert await faults(operator) == []
    # What comes again under its id stays away.
    await operator.send(visit(operator, "a", 2))
    assert await mentions(operator, f"{operator.run}-jo") == []


async def verified(world: Asked, *, mend: bool = False) -> list[str]:
    said: list[str] = []
    policies = Policies(world.database)
    await verify(
        world.database,
        policies.of,
        world.ids,
        Silent(),
        mend=mend,
        on_finding=lambda finding: said.append(str(finding)),
    )
    return said


TAMPERED: dict[str, tuple[LiteralString, str]] = {
    "whom it names": ("MATCH (r:Repetition) SET r.contact = 'contact_x'", "the contact that it"),
    "where it stands": ("MATCH (e:Event {said: $said}) SET e.said = '1'", "said is 1"),
    "how far": ("MATCH (r:Repetition) SET r.last = '1'", "the last of its repetition is 1"),
    "what rests on it": (
        "MATCH (s:State) WHERE s.repeated IS NOT NULL SET s.repeated = '1'",
        "repeated is 1",
    ),
    "whom else": (
        "MATCH (s:State) WHERE s.key STARTS WITH 'cookie:' SET s.repeated = null",
        "repeated is not set",
    ),
}


@pytest.fixture
async def alone(ledger: Ledger) -> AsyncIterator[Asked]:
    """A world in a graph that holds nothing else."""
    await ledger.empty()
    await installation_secret(ledger.database, "a secret of the tests")
    yield Asked(ledger.database, ledger.ids)
    await ledger.empty()


@pytest.mark.parametrize("what", TAMPERED)
async def test_verify_names_what_does_not_repeat_and_mends_it(
    ledger: Ledger, alone: Asked, what: str
) -> None:
    await alone.send(*(visit(alone, "a", second) for second in range(3)))
    assert await verified(alone) == []
    text, sentence = TAMPERED[what]
    (mark,) = await alone.rows(
        "MATCH (e:Event {messageId: $id}) RETURN e.said AS said", id=f"{alone.run}-a-1"
    )
    await ledger.write(text, said=mark["said"])
    found = await verified(alone)
    assert found
    assert all(sentence in finding for finding in found)
    assert set(await verified(alone, mend=True)) == set(found)
    await Parked(alone.database, Policies(alone.database).of, alone.ids).finish_all()
    assert await verified(alone) == []
    assert await faults(alone) == []


async def test_under_another_policy_each_is_looked_at_again(alone: Asked) -> None:
    """A user id that the other policy blocks says nothing; the other's says again who is there."""
    for cookie, user in (("a", "jo"), ("b", "kim")):
        await alone.send(*(visit(alone, cookie, second, user) for second in range(4)))
    policies = Policies(alone.database)
    blocking = {"blocked": [f"user_id:{alone.run}-jo"]}
    rebuilt = await rebuild(alone.database, policies, alone.ids, Silent(), blocking, patience=0)
    assert (rebuilt.version, rebuilt.pieces) == (2, 8)
    assert await marked(alone) == {"b-1", "b-2", "b-3"}
    assert len(await evidence(alone, "a")) == 4
    assert await verified(alone) == []
    assert await stamps_of_repetitions(alone) == [2]


async def test_under_a_later_policy_they_are_not_taken_back(alone: Asked) -> None:
    await alone.send(*(visit(alone, "a", second, "jo") for second in range(4)))
    policies = Policies(alone.database)
    for limit, taken in ((7, 4), (8, 4)):
        other = {"merge": {"max_contacts": limit}}
        rebuilt = await rebuild(alone.database, policies, alone.ids, Silent(), other, patience=0)
        assert rebuilt.pieces == taken

    async def work(unit: Unit) -> int:
        return await restamp_marks(unit, 2, policies.of, alone.ids, most=10)

    assert await alone.database.write(work) == 0
    assert await stamps_of_repetitions(alone) == [3]
    assert await verified(alone) == []


async def stamps_of_repetitions(alone: Asked) -> list[int]:
    rows = await alone.rows("MATCH (r:Repetition) RETURN r.policy AS policy")
    return [row["policy"] for row in rows]
