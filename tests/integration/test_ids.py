"""Every id that an answer gave out is found, and leads to the right one, whatever came later."""

from __future__ import annotations

from graphid.identity.ids import UNCLAIMED
from graphid.service.messages import Context, Page
from tests.integration.asking import Asked, time_of
from tests.integration.test_ingest import SERVER


async def forestalled(asked: Asked) -> tuple[str, str, str]:
    """A contact that a browser's identify made, which late records make no more.

    Both of its identifiers are then others', who contradict it. Returns the contact, its person
    and the link that led there.
    """
    receipt = await asked.one(asked.said("a", 100, "member:1", "user_id:5"))
    assert receipt.outcome is not None
    contact = receipt.outcome.contact
    assert contact is not None
    (link,) = [
        id for id in receipt.outcome.links if (await asked.node(id))["from"]["id"] != contact
    ]
    person = (await asked.person(contact))["id"]
    await forestall(asked)
    assert await asked.differences() == []
    return contact, person, link


async def forestall(asked: Asked) -> None:
    """Two people had member 1 and user 5 before: an identify with both names neither."""
    await asked.one(asked.record("one", 50, "member:1", "user_id:6"), SERVER)
    await asked.one(asked.record("two", 51, "member:2", "user_id:5"), SERVER)


async def test_a_contact_made_no_more_means_who_holds_what_it_was_named_for(asked: Asked) -> None:
    contact, person, link = await forestalled(asked)
    held = await asked.row("one")
    assert held["id"] != contact
    assert (await asked.person(contact))["id"] == held["person"]["id"]
    assert (await asked.person(person))["id"] == held["person"]["id"]
    assert (await asked.node(person))["id"] == held["person"]["id"]
    found = await asked.node(contact)
    assert (found["id"], found["person"]["id"]) == (held["id"], held["person"]["id"])
    withdrawn = await asked.node(link)
    assert (withdrawn["state"], withdrawn["reason"]) == ("SEVERED", "REFOLDED")
    assert withdrawn["to"]["id"] == held["id"]
    assert withdrawn["from"]["id"] == asked.birth("a")
    assert "it was never so" in withdrawn["explanation"]
    same = await asked.ask(
        """query ($id: ID!) { contact(source: "identify", sourceId: $id) { id } }""", id=contact
    )
    assert same["contact"]["id"] == held["id"]


async def test_a_message_sent_again_is_answered_with_whom_it_means_now(asked: Asked) -> None:
    document = """mutation ($input: IdentifyInput!) { identify(input: $input) { ... on Identified {
      created duplicate person { id } contact { id person { id } } links { id ...ends } } } }
      fragment ends on Link { to { ... on Contact { id } ... on IdentifierNode { id } } }"""
    said = {
        "context": {
            "messageId": f"{asked.run}-again",
            "cookieId": f"{asked.run}-a",
            "occurredAt": time_of(asked.at(100)).isoformat(),
        },
        "identifiers": [
            {"type": "member", "value": f"{asked.run}-1"},
            {"type": "user_id", "value": f"{asked.run}-5"},
        ],
        "assurance": "CLAIMED",
    }
    first = (await asked.ask(document, input=said))["identify"]
    await forestall(asked)
    again = (await asked.ask(document, input=said))["identify"]
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert (first["created"], again["created"]) == (True, True)
    assert [link["id"] for link in again["links"]] == [link["id"] for link in first["links"]]
    assert again["contact"]["id"] == (await asked.row("one"))["id"] != first["contact"]["id"]
    assert again["person"]["id"] == asked.birth("a")


async def test_where_nobody_holds_that_it_means_whom_its_evidence_is_counted_to(
    asked: Asked,
) -> None:
    contact, person, link = await forestalled(asked)
    # The record that held it lists it no more: now nobody does.
    await asked.one(asked.record("one", 170, "user_id:6"), SERVER)
    anonymous = asked.birth("a")
    assert (await asked.person(contact))["id"] == anonymous
    assert (await asked.person(person))["kind"] == "ANONYMOUS"
    nobodys = await asked.node(contact)
    assert (nobodys["id"], nobodys["person"]["id"]) == (contact, anonymous)
    assert (nobodys["identifiers"], nobodys["traits"]) == ([], [])
    assert link in {found["id"] for found in nobodys["links"]}
    assert (await asked.node(link))["to"] == {
        "__typename": "Contact",
        "id": contact,
        "person": {"id": anonymous},
    }
    # Its visitor identifies as somebody after all.
    receipt = await asked.one(asked.said("a", 200, "user_id:7"))
    assert receipt.outcome is not None
    owner = receipt.outcome.contact
    assert owner not in (None, contact)
    assert (await asked.node(contact))["id"] == owner
    assert (await asked.person(person))["contacts"] == [{"id": owner}]
    assert await asked.differences() == []


async def test_a_visitor_made_no_more_means_who_has_the_cookie_there(asked: Asked) -> None:
    await asked.one(asked.page("a", 90))
    await asked.one(asked.said("a", 100, "member:1", "user_id:5"))
    switched = await asked.one(asked.said("a", 200, "member:3"))
    line = await asked.one(asked.page("a", 210))
    left = await asked.one(asked.logout("a", 300))
    after = await asked.one(asked.page("a", 310))
    assert switched.outcome is not None
    assert switched.outcome.visitor is not None
    visitor = switched.outcome.visitor
    given = await asked.given_out("a")
    sessions = {id for id in given if id.startswith("session_")}
    assert visitor in given
    owner = (await asked.person(visitor))["id"]
    assert (await asked.node(visitor))["__typename"] == "Visitor"

    await forestall(asked)
    # The first identify names nobody now, so the second begins no visitor: it is the first's.
    assert left.outcome is not None
    found = await asked.node(visitor)
    assert found["id"] == asked.birth("a")
    assert found["person"]["id"] == owner
    assert (await asked.person(visitor))["id"] == owner
    lines = {edge["node"]["messageId"] for edge in (await asked.person(owner))["journey"]["edges"]}
    assert line.message_id in lines
    assert after.message_id not in lines
    for id in sessions:
        session = await asked.node(id)
        assert session["events"]["edges"]
    for id in given:
        await asked.node(id)
    assert await asked.differences() == []


async def test_what_is_made_again_is_itself(asked: Asked) -> None:
    first = await asked.one(asked.said("a", 100, "member:1", "user_id:5"))
    switched = await asked.one(asked.said("a", 200, "member:3"))
    assert first.outcome is not None
    assert switched.outcome is not None
    contact, visitor = first.outcome.contact, switched.outcome.visitor
    assert contact is not None
    assert visitor is not None
    person = (await asked.person(contact))["id"]
    (link,) = [
        id for id in switched.outcome.links if (await asked.node(id))["from"]["id"] == visitor
    ]
    await forestall(asked)
    assert (await asked.node(contact))["id"] == (await asked.row("one"))["id"]
    assert (await asked.node(visitor))["id"] == asked.birth("a")
    # A server had known the two before the records did: they are one human's after all.
    await asked.one(asked.said("z", 40, "member:1", "user_id:5"), SERVER)
    assert (await asked.node(visitor))["id"] == visitor
    owner = (await asked.person(contact))["id"]
    assert (await asked.person(asked.birth("a")))["id"] == owner == person
    assert (await asked.node(contact))["id"] == contact
    assert (await asked.node(link))["state"] == "ACTIVE"
    stored = await asked.rows("MATCH (v:Visitor {id: $id}) RETURN v {.*} AS visitor", id=visitor)
    assert "unmadeStart" not in stored[0]["visitor"]
    assert await asked.differences() == []


async def test_a_cookie_has_its_first_visitor_without_evidence(asked: Asked) -> None:
    await asked.one(asked.page("a", 90))
    receipt = await asked.one(asked.said("a", 100, "member:1", "user_id:5"), SERVER)
    owned = (await asked.person(asked.birth("a")))["id"]
    assert owned != asked.birth("a")
    await forestall(asked)
    # The server's identify leaves nothing behind on the cookie, and the cookie is there.
    assert (await asked.folded()).state.get(("visitor", asked.birth("a"))) is None
    anonymous = await asked.person(asked.birth("a"))
    assert anonymous["id"] == asked.birth("a")
    assert len(anonymous["journey"]["edges"]) == 2
    event = await asked.ask(
        "query ($id: ID!) { event(messageId: $id) { person { id } } }", id=receipt.message_id
    )
    assert event["event"]["person"]["id"] == asked.birth("a")
    assert (await asked.node(asked.birth("a")))["endedAt"] is None


async def test_what_no_longer_is_is_not_a_use_of_the_device(asked: Asked) -> None:
    device = f"device-{asked.run}"
    uses = "query ($id: ID!) { device(id: $id) { personCount uses { visitor { id } sessions } } }"
    where = Context(cookie_id=f"{asked.run}-a", device_id=device, occurred_at=time_of(asked.at(90)))
    await asked.one(Page(context=where, url="https://shop.example/"))
    await asked.one(asked.said("a", 100, "member:1", "user_id:5"))
    await asked.one(asked.said("a", 200, "member:3"))
    before = (await asked.ask(uses, id=device))["device"]
    assert (before["personCount"], len(before["uses"])) == (2, 2)
    await forestall(asked)
    after = (await asked.ask(uses, id=device))["device"]
    assert after["personCount"] == 1
    assert [use["visitor"]["id"] for use in after["uses"]] == [asked.birth("a")]


async def test_an_unclaimed_part_that_is_no_more_means_the_owner(asked: Asked) -> None:
    long = 40 * 86_400
    early = await asked.one(asked.page("a", -long))
    await asked.one(asked.said("a", 0, "member:1"))
    unclaimed = asked.birth("a") + UNCLAIMED
    assert (await asked.person(unclaimed))["id"] == unclaimed
    owner = (await asked.person(asked.birth("a")))["id"]
    assert owner != unclaimed
    # A late identify of the same human, soon after the early page: all of it is theirs.
    await asked.one(asked.said("a", 60 - long, "member:1"))
    assert (await asked.person(unclaimed))["id"] == owner
    assert (await asked.node(unclaimed))["id"] == owner
    lines = (await asked.person(unclaimed))["journey"]["edges"]
    assert early.message_id in {line["node"]["messageId"] for line in lines}
    # And where there is no owner any more, it is the whole visitor.
    await asked.one(asked.page("b", 0))
    whole = asked.birth("b") + UNCLAIMED
    assert (await asked.person(whole))["id"] == asked.birth("b")


async def test_what_a_record_no_longer_lists_is_late_for_whoever_read_it(asked: Asked) -> None:
    """Un-listing writes an identifier that the message does not name."""
    await asked.one(asked.said("a", 100, "member:1", "user_id:5"))
    await asked.one(asked.record("one", 50, "member:1", "user_id:6"), SERVER)
    await asked.one(asked.record("two", 51, "member:2", "user_id:5"), SERVER)
    await asked.one(asked.record("one", 60, "user_id:6"), SERVER)
    assert await asked.differences() == []
