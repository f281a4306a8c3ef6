"""People as a step sees them, and the rules about one or two people.

The rules here are those of model.md under *Contradiction*, *Merge rules*, *Which id survives
a merge* and step 3 of identify, *Authority does not follow claims*.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec

from graphid.identity.policy import Policy
from graphid.identity.state import (
    MANY,
    Contact,
    Hold,
    Identifier,
    Person,
)
from graphid.identity.values import Assurance, IdentifierKey, Place, type_of
from graphid.identity.view import View


class Someone:
    """A person with all their contacts and identifiers, as they are in this step.

    ``names``: every name that it has had in this step, those of people who were joined to it
    included.
    """

    def __init__(self, name: str, contacts: Iterable[Contact]) -> None:
        self.names = [name]
        self.contacts = {contact.id: contact for contact in contacts}
        self.is_changed = False
        self._holders: dict[IdentifierKey, list[str]] | None = None

    @property
    def name(self) -> str:
        """The contact that it was named for when the step met it."""
        return self.names[0]

    @property
    def identifiers(self) -> dict[IdentifierKey, list[str]]:
        """What it holds, each with the contacts that hold it."""
        if self._holders is None:
            self._holders = {}
            for contact in self.contacts.values():
                for identifier in contact.holds:
                    self._holders.setdefault(identifier, []).append(contact.id)
        return self._holders

    def put(self, contact: Contact) -> Contact:
        """Take in a contact as it now is."""
        former = self.contacts.get(contact.id)
        if former is contact:
            return contact
        if former is None or former.holds.keys() != contact.holds.keys():
            self._holders = None
        self.contacts[contact.id] = contact
        self.is_changed = True
        return contact

    def absorb(self, other: Someone) -> None:
        """Become one with another."""
        self.names += other.names
        self.contacts |= other.contacts
        self.is_changed = True
        self._holders = None

    def holds_of(self, identifier: IdentifierKey) -> list[tuple[Contact, Hold]]:
        """Each contact's hold on the identifier, the best vouched for and oldest first."""
        holders = [self.contacts[id] for id in self.identifiers.get(identifier, ())]
        found = [(contact, contact.holds[identifier]) for contact in holders]
        if len(found) > 1:
            found.sort(key=lambda pair: (-pair[1].assurance, pair[0].made, pair[0].id))
        return found

    def assurance_of(self, identifier: IdentifierKey) -> Assurance | None:
        """The highest assurance that vouched for this person's hold; None where not held."""
        return max(
            (
                self.contacts[id].holds[identifier].assurance
                for id in self.identifiers.get(identifier, ())
            ),
            default=None,
        )

    @property
    def senior(self) -> Contact:
        """The contact that the person is named for."""
        return min(self.contacts.values(), key=seniority)

    @property
    def rests_on_claims_alone(self) -> bool:
        return all(contact.assurance == Assurance.CLAIMED for contact in self.contacts.values())

    @property
    def is_curated(self) -> bool:
        return any(contact.curated for contact in self.contacts.values())

    def is_only_claim_of(self, visitor: str) -> bool:
        """One contact made by identify, on claims alone, that only this visitor ever claimed."""
        if len(self.contacts) != 1:
            return False
        (contact,) = self.contacts.values()
        # No source only claims: a record rests on more.
        return contact.assurance == Assurance.CLAIMED and contact.claimant == visitor

    def was_claimed_with(self, vouched: Collection[IdentifierKey]) -> bool:
        """Whether each visitor that claims brought here claimed one of ``vouched`` as well."""
        return all(
            not claims.isdisjoint(vouched)
            for contact in self.contacts.values()
            for claims, _ in contact.claim_sets
        )


class People:
    """The people that a step meets, each once, and who holds what."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._met: dict[str, Someone] = {}
        self._first_holder: dict[IdentifierKey, str | None] = {}

    def find(self, contact: str) -> Someone | None:
        """Whose contact this is; None where there never was such a contact."""
        someone = self._met.get(contact)
        if someone is not None:
            return someone
        trail: list[str] = []
        name = contact
        while (someone := self._met.get(name)) is None:
            person = self._view.find("person", name)
            if person is None:
                if trail:
                    raise LookupError(f"the state merges {trail[-1]} into {name}, which is not")
                return None
            trail.append(name)
            if person.merged_into is None:
                someone = Someone(name, person.contacts)
                break
            name = person.merged_into
        self._met.update(dict.fromkeys(trail, someone))
        return someone

    def of(self, contact: str) -> Someone:
        """Whose contact this is. A contact that something points at exists."""
        someone = self._met.get(contact) or self.find(contact)
        if someone is None:
            raise LookupError(f"the state names contact {contact} but does not hold it")
        return someone

    def contact(self, id: str) -> Contact:
        """A contact as it is in this step."""
        return self.of(id).contacts[id]

    def holding(self, identifier: IdentifierKey) -> Someone | None:
        """Whoever holds the identifier."""
        if identifier not in self._first_holder:
            self._first_holder[identifier] = next(iter(self._holders(identifier)), None)
        contact = self._first_holder[identifier]
        return None if contact is None else self.of(contact)

    def begin(self, contact: Contact) -> Someone:
        """A new contact, a person of its own."""
        someone = Someone(contact.id, [contact])
        someone.is_changed = True
        self._met[contact.id] = someone
        return someone

    def join(self, someone: Someone, other: Someone) -> None:
        """Make two people one."""
        someone.absorb(other)
        # Under whatever name it was met: those of its contacts, too.
        met_as = [name for name, met in self._met.items() if met is other]
        self._met.update(dict.fromkeys(met_as, someone))

    def put(self, contact: Contact) -> Contact:
        """Take in a contact as it now is."""
        return self.of(contact.id).put(contact)

    def hold(self, contact: Contact, identifier: IdentifierKey, hold: Hold) -> Contact:
        """Give the contact a hold, or change the one that it has."""
        if identifier not in contact.holds:
            self._put_holders(identifier, (*self._holders(identifier), contact.id))
        return self.put(replace(contact, holds={**contact.holds, identifier: hold}))

    def release(self, contact: Contact, identifier: IdentifierKey) -> Contact:
        """Take a hold from the contact."""
        rest = tuple(id for id in self._holders(identifier) if id != contact.id)
        self._put_holders(identifier, rest)
        kept = {i: hold for i, hold in contact.holds.items() if i != identifier}
        return self.put(replace(contact, holds=kept))

    def _holders(self, identifier: IdentifierKey) -> tuple[str, ...]:
        found = self._view.find("identifier", identifier)
        return () if found is None else found.contacts

    def _put_holders(self, identifier: IdentifierKey, contacts: tuple[str, ...]) -> None:
        self._view.put("identifier", identifier, Identifier(contacts))
        self._first_holder[identifier] = next(iter(contacts), None)

    def save(self) -> None:
        """Write everybody who changed, named for their senior contact; the names that they had
        before become aliases."""
        for someone in self._changed():
            members = sorted(someone.contacts.values(), key=seniority)
            name = members[0].id
            self._view.put("person", name, Person(contacts=tuple(members)))
            for alias in someone.names:
                if alias != name:
                    self._view.put("person", alias, Person(merged_into=name))

    def _changed(self) -> Iterator[Someone]:
        done: set[int] = set()
        for someone in self._met.values():
            if someone.is_changed and id(someone) not in done:
                done.add(id(someone))
                yield someone


replace = msgspec.structs.replace


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
    """Whether two sets of identifiers cannot be one human's (model.md, Contradiction)."""
    found = contradictions(one, other, policy, in_common=in_common, distinguish=distinguish)
    return next(found, None) is not None


def contradictions(
    one: Iterable[IdentifierKey],
    other: Collection[IdentifierKey],
    policy: Policy,
    *,
    in_common: bool,
    distinguish: bool = True,
) -> Iterator[tuple[set[IdentifierKey], set[IdentifierKey]]]:
    """The values, a type at a time, by which two sets of identifiers cannot be one human's.

    Two values of a unique type always contradict; of a distinguishing type only where nothing is
    ``in_common``, a value of that type included. ``distinguish=False`` leaves the latter out.
    """
    distinguish = distinguish and not in_common
    values: dict[str, set[IdentifierKey]] = {}
    for identifier in one:
        rule = policy.rule(type := type_of(identifier))
        if rule.unique or (distinguish and rule.distinguishing):
            values.setdefault(type, set()).add(identifier)
    if not values:
        return
    theirs: dict[str, set[IdentifierKey]] = {}
    for identifier in other:
        type = type_of(identifier)
        if type in values:
            theirs.setdefault(type, set()).add(identifier)
    for type, held in theirs.items():
        if not policy.rule(type).unique or held != values[type]:
            yield values[type], held


def seniority(contact: Contact) -> tuple[bool, Place, str]:
    """Sort key: the contact that a person is named for comes first."""
    return (not contact.is_known, contact.made, contact.id)


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
    ordered = counts.items() if len(counts) < 2 else sorted(counts.items(), key=_by_claims)
    return replace(contact, claim_sets=tuple(ordered))


def _by_claims(counted: tuple[frozenset[IdentifierKey], int]) -> list[IdentifierKey]:
    return sorted(counted[0])


def claimed_by(contact: Contact, visitor: str) -> Contact:
    """The contact once a visitor claimed it."""
    if contact.claimant in (visitor, MANY):
        return contact
    claimant = visitor if contact.claimant is None else MANY
    return replace(contact, claimant=claimant)
