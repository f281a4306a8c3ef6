"""What the readable graph should hold: visitors, devices, contacts, people, identifiers, reviews,
links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from graphid.graph.checks import MISSING, Check, differing, says, shown
from graphid.graph.projection import shared_since
from graphid.graph.queries import query
from graphid.graph.rows import (
    Row,
    contact_row,
    identifier_row,
    properties_of,
    review_row,
    visitor_row,
)
from graphid.identity.state import (
    Key,
    Link,
    LinkKind,
    LinkState,
    Person,
    Review,
    Visitor,
)
from graphid.identity.values import Place

READ_VISITORS = query("verify/read_visitors")
READ_DEVICES = query("verify/read_devices")
READ_CONTACTS = query("verify/read_contacts")
READ_PEOPLE = query("verify/read_people")
READ_IDENTIFIERS = query("verify/read_identifiers")
READ_REVIEWS = query("verify/read_reviews")


class Linked(Check):
    """A thing from which links go out."""

    def link_faults(self, id: str, rows: Iterable[tuple[str, Row, str]]) -> Iterator[str]:
        """What is wrong with the links that go out from a visitor or a contact."""
        expected = {link.id: link for link in self.folded.links_of(id)}
        for type, properties, target in rows:
            link_id = properties.get("id")
            name = f"{type} {link_id} to {target}"
            link = self.folded.link(link_id or "")
            if link is not None and is_in_place(link, id, type, target):
                expected.pop(link.id, None)
                told = dict.fromkeys(properties) | properties_of(link)
                yield from (f"{name}: {fault}" for fault in differing(properties, told))
            elif link is not None:
                yield f"{name}: the evidence says that it is elsewhere"
            elif properties.get("state") != LinkState.SEVERED or not properties.get("retractedBy"):
                state = properties.get("state")
                yield f"{name}: is {shown(state)}, and the evidence makes no such link"
        for link in expected.values():
            yield f"{link.kind} {link.id} to {link.target}: {MISSING}"


def is_in_place(link: Link | None, source: str, type: str, target: str) -> bool:
    """Whether a link goes from where to where the fold puts it."""
    return link is not None and (link.kind, link.source, link.target) == (type, source, target)


class Visitors(Linked):
    """Visitors, with whom they are identified as."""

    kind = "visitor"
    reads = READ_VISITORS

    def faults(self, id: str, row: list[Any] | None) -> Iterator[str]:
        visitor = self.folded.visitor(id)
        if row is None:
            if visitor is not None:
                yield MISSING
            return
        _, properties, cookies, links = row
        if visitor is None and properties.get("start") is not None:
            visitor = self.born(id, properties)
            if visitor is None:
                yield "the evidence makes no such visitor"
        if visitor is None:
            yield from differing(properties, {"end": None, "contact": None})
        else:
            yield from differing(with_defaults(properties), visitor_row(visitor)["properties"])
            if cookies != [visitor.cookie]:
                yield says("cookie that it is of", cookies, [visitor.cookie])
        yield from self.link_faults(id, links)

    def born(self, id: str, properties: Row) -> Visitor | None:
        """The visitor that a cookie was born with, of whom no evidence tells; None: it is not."""
        cookie = properties.get("cookie")
        is_birth = cookie is not None and self.ids.birth(cookie) == id
        return Visitor(id=id, cookie=cookie) if cookie is not None and is_birth else None

    def expected(self) -> Iterator[str]:
        return (visitor.id for visitor in self.folded.visitors())

    def keys(self, id: str, row: list[Any] | None) -> set[Key]:
        visitor = self.folded.visitor(id)
        cookies = {row[1].get("cookie")} if row else set()
        if visitor is not None:
            cookies.add(visitor.cookie)
        return {("visitor", id), *(("cookie", cookie) for cookie in cookies if cookie is not None)}


def with_defaults(properties: Row) -> Row:
    """A visitor's properties: an event that comes first leaves out what is as it always is."""
    plain = visitor_row(Visitor(id="", cookie=""))["properties"]
    usual = {name: plain[name] for name in ("attended", "unattendedAfter", "unattendedOwner")}
    return usual | properties


class Devices(Check):
    """Devices, with since when they count as shared. One is there when something happened on it."""

    kind = "device"
    reads = READ_DEVICES

    def faults(self, id: str, row: list[Any] | None) -> Iterator[str]:
        if row is not None:
            expected = {"sharedSince": self.since(id)}
            yield from differing({"sharedSince": row[1]}, expected)

    def since(self, id: str) -> Place | None:
        """Since when it is shared, as the fold has it."""
        value, wrote, _ = self.folded.history(device(id)).present
        return shared_since(value, wrote)

    def expected(self) -> Iterator[str]:
        return iter(())

    def keys(self, id: str, row: list[Any] | None) -> set[Key]:
        return {device(id)}


def device(id: str) -> Key:
    """The key of a device."""
    return ("device", f"device:{id}")


class Contacts(Linked):
    """Contacts, with whom they belong to and what they are linked to."""

    kind = "contact"
    reads = READ_CONTACTS

    def faults(self, id: str, row: list[Any] | None) -> Iterator[str]:
        found = self.folded.contact(id)
        if row is None:
            if found is not None or self.folded.links_of(id):
                yield MISSING
            return
        _, properties, people, links = row
        if found is None:
            if people:
                yield says("person", people, None)
        else:
            contact, name = found
            yield from differing(properties, contact_row(contact)["properties"])
            if people != [self.ids.person(name)]:
                yield says("person", people, [self.ids.person(name)])
        yield from self.link_faults(id, links)

    def expected(self) -> Iterator[str]:
        yield from (contact.id for contact in self.folded.contacts())
        # A judgement can be about a contact that no evidence makes.
        apart = (link for link in self.folded.links() if link.kind is LinkKind.NOT_SAME_AS)
        yield from (link.source for link in apart)

    def keys(self, id: str, row: list[Any] | None) -> set[Key]:
        names = {id, *self.folded.names(id)}
        if row:
            names.update("contact_" + person.removeprefix("person_") for person in row[2])
        return {("person", name) for name in names}


class People(Check):
    """People, with whom they were merged into."""

    kind = "person"
    reads = READ_PEOPLE

    def faults(self, id: str, row: list[Any] | None) -> Iterator[str]:
        person = self.folded.value(("person", name_of(id)))
        if row is None:
            if person is not None:
                yield MISSING
            return
        into = []
        if isinstance(person, Person) and person.merged_into is not None:
            into = [self.ids.person(person.merged_into)]
        if row[1] != into:
            yield says("person that it was merged into", row[1], into)

    def expected(self) -> Iterator[str]:
        return (
            self.ids.person(history.key[1])
            for history in self.folded.of_kind("person")
            if history.present.value is not None
        )

    def keys(self, id: str, row: list[Any] | None) -> set[Key]:
        return {("person", name_of(id))}


def name_of(person: str) -> str:
    """The contact that a person is named for."""
    return "contact_" + person.removeprefix("person_")


class Identifiers(Check):
    """Identifiers, whoever holds them."""

    kind = "identifier"
    reads = READ_IDENTIFIERS

    def faults(self, id: str, row: list[Any] | None) -> Iterator[str]:
        if row is None:
            if self.folded.value(("identifier", id)) is not None:
                yield MISSING
            return
        yield from differing(row[1], identifier_row(id, self.ids))

    def expected(self) -> Iterator[str]:
        return (
            history.key[1]
            for history in self.folded.of_kind("identifier")
            if history.present.value is not None
        )

    def keys(self, id: str, row: list[Any] | None) -> set[Key]:
        return {("identifier", id)}


class Reviews(Check):
    """Reviews, with whom they concern."""

    kind = "review"
    reads = READ_REVIEWS

    def faults(self, id: str, row: list[Any] | None) -> Iterator[str]:
        review = self.folded.value(("review", id))
        if row is None:
            if review is not None:
                yield MISSING
            return
        _, properties, concerned = row
        if not isinstance(review, Review):
            if properties.get("state") == "OPEN":
                yield "is OPEN, and the evidence files no such review"
            return
        yield from differing(properties, review_row(review)["properties"])
        if sorted(concerned) != sorted(review.contacts):
            yield says("contacts that it concerns", concerned, review.contacts)

    def expected(self) -> Iterator[str]:
        return (
            history.key[1]
            for history in self.folded.of_kind("review")
            if history.present.value is not None
        )

    def keys(self, id: str, row: list[Any] | None) -> set[Key]:
        return {("review", id)}
