"""Without identifier:view no value of an identifier is in any answer, wherever it might stand.

The documents select all that the schema holds (``tests/integration/walking.py``), so what is added
to it is asked for as well. A query's arguments are found by their names below; one that needs
another is to be added to ``GIVEN``, and a mutation that answers people to ``mutations``.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
from graphql import GraphQLArgument, GraphQLField, is_required_argument

from graphid.api import limits
from graphid.api.execution import Request, answer
from graphid.api.rights import scopes_of
from graphid.api.schema import executable
from graphid.auth.keys import Caller
from graphid.auth.scopes import SERVER as EVERY_SCOPE
from graphid.auth.scopes import Scope
from graphid.graph.database import Address, Unit
from graphid.service.messages import (
    Author,
    ChatMessage,
    ClaimedIdentifier,
    Contact,
    Context,
    Identify,
    Logout,
    Page,
    Proof,
    StartChat,
    Track,
    Traits,
)
from tests.integration.asking import Asked, ids_in, installation, time_of
from tests.integration.test_ingest import BROWSER, SERVER
from tests.integration.walking import FEW, everything_below, reached

MOST_ASKED = 2
"""Of how many ids of each type everything is read."""

SEEING = Caller("sk:seeing", EVERY_SCOPE, False)
VIEWING = Caller("sk:viewing", EVERY_SCOPE - {Scope.IDENTIFIER_VIEW, Scope.POLICY_EDIT}, False)
ANALYST = Caller("sk:analyst", frozenset({Scope.GRAPH_VIEW}), False)


class Values:
    """What identifies two people, found nowhere else; and the forms in which it is said."""

    def __init__(self) -> None:
        digits = f"{uuid4().int % 10**12:012d}"
        self.local = f"jane{digits}"
        self.email = f"{self.local}@shop.example"
        self.other = f"joan{digits}@shop.example"
        self.national = f"7{digits[:9]}"
        self.phone = f"+44{self.national}"
        self.account = f"8{digits[::-1]}"
        self.member = f"M-{digits}-Q"
        self.record = f"R-{digits}-R"
        self.subject = f"sub-{digits}-S"

    @property
    def spaced(self) -> str:
        return f"{self.national[:4]} {self.national[4:]}"

    def hidden(self) -> dict[str, str]:
        """What must not be read, in lower case, by what it is."""
        return {
            "local part": self.local,
            "encoded address": self.email.replace("@", "%40"),
            "other person's": self.other.partition("@")[0],
            "phone": self.national,
            "spaced phone": self.spaced,
            "account": self.account,
            "member": self.member.lower(),
            "record": self.record.lower(),
            "subject": self.subject.lower(),
        }

    def seen_in(self, said: str) -> set[str]:
        folded = said.lower()
        return {name for name, value in self.hidden().items() if value in folded}


class Told:
    """A world in which everything is said that could tell who somebody is."""

    def __init__(self, asked: Asked) -> None:
        self.world = asked
        self.values = Values()
        self.clear: list[dict[str, Any]] = []
        self.masked: list[dict[str, Any]] = []
        self.devices: list[dict[str, Any]] = []
        """What is answered to who sees identifiers, to who does not, and to the analyst."""
        self.ends: list[str] = []
        """What can be at the end of a chain."""

    def where(self, cookie: str, seconds: int) -> Context:
        return Context(
            message_id=f"{self.world.run}-{cookie}-{seconds}",
            cookie_id=f"{self.world.run}-{cookie}",
            device_id=f"{self.world.run}-device",
            occurred_at=time_of(self.world.at(seconds)),
        )

    async def tell(self) -> None:
        v, claim, one = self.values, ClaimedIdentifier, self.world.one
        email, phone = v.email.replace("@", "%40"), v.phone.replace("+", "%2B")
        url = f"https://shop.example/{v.account}?email={email}&tel={phone}&m={v.member}"
        await one(Page(context=self.where("a", 0), url=url, title=v.email, referrer=url))
        said: Any = {v.email: 1, "account": int(v.account), "deep": [{"note": f"call 0{v.spaced}"}]}
        await one(Track(context=self.where("a", 1), name=f"Sent to {v.email}", properties=said))
        chat = f"{self.world.run}-chat"
        await one(StartChat(context=self.where("a", 2), chat_id=chat))
        await one(
            ChatMessage(
                chat_id=chat,
                cookie_id=f"{self.world.run}-a",
                author=Author.CUSTOMER,
                text=f"I am {v.email}, {v.account} or {v.member}; call 0{v.spaced} or {v.phone}",
                occurred_at=time_of(self.world.at(3)),
            )
        )
        custom: Any = {"crm_account_id": v.account, "nick": v.email, "userId": v.member}
        custom[f"of {v.email}"] = "a name"
        traits = Traits(email=v.email.upper(), phone=v.phone, first_name="Jane", custom=custom)
        ids: Any = (claim(type="member", value=v.member),)
        await one(Identify(context=self.where("a", 4), traits=traits, identifiers=ids), SERVER)
        # A second person on the device, whose name is an identifier, and a review of the two.
        # What was claimed and vouched for is nobody's in the end: an operator severs them.
        ids = (claim(type="email", value=v.other), claim(type="member", value=f"{v.member}2"))
        vouched = Proof(issuer="https://i.example", subject=v.subject, identifiers=ids)
        traits = Traits(custom={"card": f"{v.member}2"})
        context = self.where("b", 5)
        said = Identify(context=context, identifiers=ids, traits=traits, proof=vouched)
        await one(said, SERVER)
        ids = (claim(type="email", value=v.other), claim(type="member", value=v.member))
        await one(Identify(context=self.where("c", 6), identifiers=ids), BROWSER)
        await one(Logout(context=self.where("b", 7)))
        record = (claim(type="crm_id", value=v.record), claim(type="email", value=v.email))
        for curated in (False, True):
            await one(
                Contact(
                    source=f"crm of {v.email}",
                    source_id=v.record,
                    identifiers=record,
                    curated=curated,
                    traits=Traits(custom={"mail": f"<{v.email}>"}),
                    occurred_at=time_of(self.world.at(8 + curated)),
                ),
                SERVER,
            )

        async def vouch(unit: Unit) -> None:
            await unit.run_text(
                "MATCH (c:Chat {id: $id}) SET c.subject = $subject, c.issuer = 'https://i.example'",
                id=chat,
                subject=v.subject,
            )

        await self.world.database.write(vouch)
        # What an operator did, and said of it: this person's and the record's are not one.
        found = await self.world.ask(
            """query ($type: String!, $value: String!) {
              personByIdentifier(type: $type, value: $value) { links(first: 100) { id kind } } }""",
            type="member",
            value=f"{v.member}2",
        )
        link = next(
            link["id"]
            for link in found["personByIdentifier"]["links"]
            if link["kind"] == "IDENTIFIED_AS"
        )
        await self.world.ask(
            """mutation ($id: ID!, $why: String!) {
              severLink(id: $id, reason: $why) { __typename } }""",
            id=link,
            why=f"wrote from {v.email} and called from {v.phone}",
        )

    async def answers(self, key: Caller) -> list[dict[str, Any]]:
        """What each document answers to a caller."""

        def opens(type: str, name: str) -> bool:
            return not key.scopes.isdisjoint(scopes_of(type, name))

        types = await self.types()
        ids = [id for of_type in types.values() for id in of_type[:1]]
        in_no_chain = ("Link", "ReviewItem", "Session")
        lines = ("join_",)  # and joins and splits, which are lines of journeys
        self.ends = [
            id
            for type, all in types.items()
            if type not in in_no_chain
            for id in [id for id in all if not id.startswith(lines)][:2]
        ]
        found = []
        for name, root in executable.query_type.fields.items():  # type: ignore[union-attr]
            if not opens("Query", name):
                continue
            for only in types if name == "node" else (None,):
                document = asking(name, root, everything_below(root, opens, only=only))
                of_type = ids if only is None else types[only][:MOST_ASKED]
                for given in self.given(name, root.args, of_type):
                    found.append(await self.ask(key, document, given))
        known = [id for id in types["Person"] if id.startswith("person_")]
        for call in self.mutations(types["Link"][0], known[:2]):
            name = call.partition("(")[0]
            if opens("Mutation", name):
                root = executable.mutation_type.fields[name]  # type: ignore[union-attr]
                document = f"mutation {{ {call} {everything_below(root, opens)} }}"
                found.append(await self.ask(key, document))
        return found

    async def types(self) -> dict[str, list[str]]:
        """The ids that are given out of this world, by what they are the ids of."""
        roots = [f"{self.world.run}-{name}" for name in ("a", "b", "c", "chat", "device")]
        pending, known, found = list(roots), set[str](), dict[str, list[str]]()
        node = executable.query_type.fields["node"]  # type: ignore[union-attr]
        kind = asking("node", node, "{ __typename }")
        while pending:
            id = pending.pop(0)
            if id in known:
                continue
            known.add(id)
            type = (await self.ask(SEEING, kind, {"id": id}))["data"]["node"]["__typename"]
            # A visitor's id is also that of the anonymous person as whom it is read.
            is_visitor = id.startswith("visitor_") and "~" not in id
            for each in ("Visitor", "Person") if is_visitor else (type,):
                found.setdefault(each, []).append(id)
            if id in roots:
                below = everything_below(node, only=type)
                pending += ids_in(await self.ask(SEEING, asking("node", node, below), {"id": id}))
        return found

    def given(
        self, name: str, arguments: Mapping[str, GraphQLArgument], ids: list[str]
    ) -> Iterator[dict[str, Any]]:
        """The arguments of a query, in each way in which it is asked."""
        needed = [name for name, one in arguments.items() if is_required_argument(one)]
        v = self.values
        known = {
            "id": ids,
            "cookieId": [f"{self.world.run}-a"],
            "messageId": [
                f"{self.world.run}-{line}" for line in ("a-0", "a-1", "a-2", "a-4", "b-5")
            ],
            "source": [f"crm of {v.email}"],
            "sourceId": [v.record],
            "type": ["email"],
            "value": [v.email],
            "text": [v.email, v.account],
            "around": [f"{self.world.run}-device"],
            "a": self.ends,
            "b": [*self.ends[1:], *self.ends[:1]],
        }
        unknown = [argument for argument in needed if argument not in known]
        assert not unknown, f"say in this test what to ask {name} for: {unknown}"
        for way in range(max((len(known[argument]) for argument in needed), default=1)):
            yield {argument: known[argument][way % len(known[argument])] for argument in needed}

    def mutations(self, link: str, people: list[str]) -> list[str]:
        """Calls of mutations that answer people; what they do is undone or done before."""
        run, v = self.world.run, self.values
        dry = 'reason: "to see", dryRun: true'
        context = f'context: {{cookieId: "{run}-a", messageId: "{run}-a-4"}}'
        return [
            f"mergePeople(ids: {json.dumps(people)}, {dry})",
            f'severLink(id: "{link}", {dry})',
            f'unmerge(id: "{link}", {dry})',
            f'blockIdentifier(type: "email", value: "{v.email}", {dry})',
            f'erasePerson(id: "{people[0]}", {dry})',
            f'identify(input: {{{context}, identifiers: [{{type: "email", value: "{v.email}"}}]}})',
            f'page(input: {{{context.replace("a-4", "a-0")}, url: "https://shop.example/"}})',
            f'startChat(input: {{{context.replace("a-4", "a-2")}, chatId: "{run}-chat"}})',
            f'logout(input: {{context: {{cookieId: "{run}-b", messageId: "{run}-b-7"}}}})',
            f'saveContact(input: {{source: "crm of {v.email}", sourceId: "{v.record}", '
            f'curated: true, identifiers: [{{type: "crm_id", value: "{v.record}"}}, '
            f'{{type: "email", value: "{v.email}"}}]}})',
        ]

    async def ask(
        self, key: Caller, document: str, variables: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        context = self.world.request_context(key)
        found = await answer(Request(document, variables or {}), context, may_change=True)
        assert "errors" not in found.body, (document, variables, found.body["errors"])
        return found.body


def asking(name: str, root: GraphQLField, below: str) -> str:
    """A query of one field, whose required arguments are variables."""
    needed = {name: one for name, one in root.args.items() if is_required_argument(one)}
    declared = ", ".join(f"${name}: {one.type}" for name, one in needed.items())
    passed = ", ".join(
        [*(f"{name}: ${name}" for name in needed), *([FEW] if "first" in root.args else ())]
    )
    query = f"query ({declared})" if declared else "query"
    return f"{query} {{ {name}{f'({passed})' if passed else ''} {below} }}"


@pytest.fixture(scope="module")
async def told(database: Address) -> AsyncIterator[Told]:
    # Without the server's warnings: with them the driver looks at the stack at each statement.
    async with installation(database, server_warnings=False) as (connected, ids):
        told = Told(Asked(connected, ids))
        with pytest.MonkeyPatch.context() as patched:
            # Nobody asks for so much at once; here it is the point.
            patched.setattr(limits, "MAX_COST", 10**9)
            await told.tell()
            told.clear = await told.answers(SEEING)
            told.masked = await told.answers(VIEWING)
            told.devices = await told.answers(ANALYST)
            yield told


def test_who_may_not_see_identifiers_sees_none(told: Told) -> None:
    clear, masked = told.clear, told.masked
    # What cannot be found by who may see it would be found by nobody.
    assert told.values.seen_in(json.dumps(clear)) == told.values.hidden().keys()
    for found in masked:
        assert told.values.seen_in(json.dumps(found)) == set(), json.dumps(found)
    # The same is answered, but for the values.
    assert {*reached(clear)} == {*reached(masked)}
    said = json.dumps(masked)
    for shown in ("j***@shop.example", f"+44***{told.values.phone[-2:]}", "R***R", "M***Q", "Jane"):
        assert shown in said


def test_the_walk_reaches_what_people_are_told(told: Told) -> None:
    found = {*reached(told.clear)}
    assert found >= {
        *("Person.displayName", "Person.reviews", "Person.chats", "Identifier.value"),
        *("IdentifierNode.value", "Trait.value", "Link.explanation", "Link.reason"),
        *("Attribution.explanation", "JourneyEvent.detail", "ReviewItem.identifier"),
        *("ReviewItem.explanation", "Contact.sourceId", "Chat.subject", "ChatMessage.text"),
        *("Change.before", "Change.after", "Change.links", "Device.people", "Device.personAt"),
        *("ContactSaved.contact", "Identified.person", "LoggedOut.ended", "Policy.document"),
    }


def test_an_analyst_reads_who_shares_a_device_and_nothing_that_they_did(told: Told) -> None:
    answers = told.devices
    assert told.values.seen_in(json.dumps(answers)) == set()
    found = {*reached(answers)}
    assert found >= {
        *("Device.people", "Device.uses", "DevicePerson.person", "DeviceUse.visitor"),
        *("Person.kind", "Person.displayName", "Person.links", "Link.explanation"),
        *("Link.from", "Link.to", "IdentifierNode.value", "Cookie.visitors"),
    }
    told_of = (coordinate.split(".") for coordinate in found)
    types = {type for type, field in told_of if field != "__typename"}
    assert types.isdisjoint({"JourneyEvent", "Session", "Chat", "ChatMessage", "ReviewItem"})


async def test_a_refusal_holds_no_value(told: Told) -> None:
    v, run = told.values, told.world.run
    person = (await told.ask(SEEING, f'{{ person(id: "{run}") {{ id }} }}'))["data"]["person"]
    assert person is None
    refusals = [
        f'blockIdentifier(type: "phone", value: "x{v.email}", reason: "r")',
        f'blockIdentifier(type: "1 {v.email}", value: "{v.email}", reason: "r")',
        f'promoteContact(id: "{v.email}", reason: "r")',
        f'severLink(id: "{v.email}", reason: "r")',
        f'mergePeople(ids: ["{v.email}", "{v.account}"], reason: "r")',
        f'erasePerson(id: "{v.email}", reason: "r")',
        f'identify(input: {{context: {{cookieId: " {v.email}"}}}})',
        f'saveContact(input: {{source: "crm", sourceId: " {v.email}", identifiers: []}})',
        f'endChat(input: {{chatId: "{v.email}"}})',
    ]
    for call in refusals:
        problem = "... on Problem { code message } ... on Refused { reasons }"
        if call.startswith(("identify", "saveContact")):
            problem += " ... on InvalidInput { path }"
        if call.startswith("endChat"):
            problem = "... on Problem { code message }"
        body = await told.ask(VIEWING, f"mutation {{ {call} {{ __typename {problem} }} }}")
        ((found),) = body["data"].values()
        assert found["__typename"] in {"Refused", "NotFound", "InvalidInput"}, (call, found)
        assert v.seen_in(json.dumps(found)) == set()
