"""A person as a step sees them, and the rules about one or two people.

The rules here are those of model.md under *Contradiction*, *Merge rules*, *Which id survives
a merge* and step 3 of identify, *Authority does not follow claims*.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from graphid.identity.policy import Policy
from graphid.identity.state import MANY, Contact, Hold, Identifier, Person, View
from graphid.identity.values import Assurance, IdentifierKey, Place, type_of


class Someone:
    """A person with all their contacts and identifiers, read through a step's view."""

    def __init__(self, view: View, name: str) -> None:
        person = view.find("person", name)
        if person is None:
            raise LookupError(f"the state names person {name} but does not hold it")
        self.name = name
        self.contacts = [view.contact(id) for id in person.contacts]

    @classmethod
    def of_contact(cls, view: View, contact: str) -> Someone:
        return cls(view, view.contact(contact).person)

    @classmethod
    def holding(cls, view: View, identifier: IdentifierKey) -> Someone | None:
        """Whoever holds the identifier."""
        found = view.find("identifier", identifier)
        if found is None or not found.contacts:
            return None
        return cls.of_contact(view, found.contacts[0])

    def holds_of(self, identifier: IdentifierKey) -> list[tuple[Contact, Hold]]:
        """Each contact's hold on the identifier, the best vouched for and oldest first."""
        found = [(c, c.holds[identifier]) for c in self.contacts if identifier in c.holds]
        return sorted(found, key=lambda pair: (-pair[1].assurance, pair[0].made, pair[0].id))

    def assurance_of(self, identifier: IdentifierKey) -> Assurance | None:
        """The highest assurance that vouched for this person's hold; None where not held."""
        return max(
            (c.holds[identifier].assurance for c in self.contacts if identifier in c.holds),
            default=None,
        )

    @property
    def identifiers(self) -> set[IdentifierKey]:
        return {identifier for contact in self.contacts for identifier in contact.holds}

    @property
    def rests_on_claims_alone(self) -> bool:
        return all(contact.assurance == Assurance.CLAIMED for contact in self.contacts)

    @property
    def is_curated(self) -> bool:
        return any(contact.curated for contact in self.contacts)

    def is_only_claim_of(self, visitor: str) -> bool:
        """One contact made by identify, on claims alone, that only this visitor ever claimed."""
        if len(self.contacts) != 1:
            return False
        contact = self.contacts[0]
        return (
            contact.source is None
            and contact.assurance == Assurance.CLAIMED
            and contact.claimant == visitor
        )

    def was_claimed_with(self, vouched: Collection[IdentifierKey]) -> bool:
        """Whether each visitor that claims brought here claimed one of ``vouched`` as well."""
        return all(
            not claims.isdisjoint(vouched)
            for contact in self.contacts
            for claims, _ in contact.claim_sets
        )

    def __contains__(self, contact: str) -> bool:
        return any(c.id == contact for c in self.contacts)


def sets_apart(identifier: IdentifierKey, policy: Policy) -> bool:
    """Whether a type is unique or distinguishing: two values of it may contradict."""
    rule = policy.rule(type_of(identifier))
    return rule.unique or rule.distinguishing


def have_in_common(
    one: Collection[IdentifierKey], other: Collection[IdentifierKey], policy: Policy
) -> bool:
    """A unique or distinguishing identifier in both; a shared phone is not enough."""
    return any(i in other and sets_apart(i, policy) for i in one)


def contradict(
    one: Iterable[IdentifierKey],
    other: Collection[IdentifierKey],
    policy: Policy,
    *,
    in_common: bool,
    distinguish: bool = True,
) -> bool:
    """Whether two sets of identifiers cannot be one human's (model.md, Contradiction).

    Two values of a unique type always contradict; of a distinguishing type only where no value
    is shared and nothing else is ``in_common``. ``distinguish=False`` leaves the latter out.
    """
    values: dict[str, set[IdentifierKey]] = {}
    for identifier in one:
        values.setdefault(type_of(identifier), set()).add(identifier)
    theirs: dict[str, set[IdentifierKey]] = {}
    for identifier in other:
        type = type_of(identifier)
        if type in values:
            theirs.setdefault(type, set()).add(identifier)
    for type, held in theirs.items():
        rule = policy.rule(type)
        if rule.unique and held != values[type]:
            return True
        if distinguish and rule.distinguishing and not in_common and held.isdisjoint(values[type]):
            return True
    return False


def seniority(contact: Contact) -> tuple[bool, Place, str]:
    """Sort key: the contact that a person is named for comes first."""
    return (not contact.is_known, contact.made, contact.id)


def save(view: View, contacts: Iterable[Contact], *, former: Iterable[str] = ()) -> str:
    """Write the contacts as one person, named for the first; the former names become aliases.

    Returns the person's name.
    """
    members = sorted(contacts, key=seniority)
    name = members[0].id
    for contact in members:
        view.put("contact", contact.id, msgspec.structs.replace(contact, person=name))
    view.put("person", name, Person(contacts=tuple(contact.id for contact in members)))
    for alias in former:
        if alias != name:
            view.put("person", alias, Person(merged_into=name))
    return name


def add_hold(view: View, identifier: IdentifierKey, contact: str) -> None:
    """Write that a contact holds the identifier."""
    found = view.find("identifier", identifier) or Identifier()
    if contact not in found.contacts:
        view.put("identifier", identifier, Identifier((*found.contacts, contact)))


def drop_hold(view: View, identifier: IdentifierKey, contact: str) -> None:
    """Write that a contact no longer holds the identifier."""
    found = view.find("identifier", identifier) or Identifier()
    rest = tuple(c for c in found.contacts if c != contact)
    view.put("identifier", identifier, Identifier(rest))


def count_claim(
    contact: Contact,
    *,
    before: frozenset[IdentifierKey] | None,
    after: frozenset[IdentifierKey] | None,
) -> Contact:
    """The contact once one of its visitors' claims changed; None: not, or no longer, its own."""
    if before == after:
        return contact
    counts = dict(contact.claim_sets)
    if before is not None and before in counts:
        counts[before] -= 1
        if not counts[before]:
            del counts[before]
    if after is not None:
        counts[after] = counts.get(after, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: sorted(item[0]))
    return msgspec.structs.replace(contact, claim_sets=tuple(ordered))


def claimed_by(contact: Contact, visitor: str) -> Contact:
    """The contact once a visitor claimed it."""
    if contact.claimant in (visitor, MANY):
        return contact
    claimant = visitor if contact.claimant is None else MANY
    return msgspec.structs.replace(contact, claimant=claimant)
