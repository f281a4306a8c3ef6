"""Traits: what evidence says of a contact, and which value a person shows."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from graphid.identity.state import Contact
from graphid.identity.values import Assurance, ContactUpsert, Identify, TraitValue


def _weight(trait: TraitValue) -> tuple[int, int, str]:
    return (trait.assurance, trait.at, trait.evidence)


def with_traits(contact: Contact, evidence: Identify | ContactUpsert, *, source: str) -> Contact:
    """The contact with the evidence's traits, where no stronger or later value stands."""
    if not evidence.traits:
        return contact
    traits = dict(contact.traits)
    for name, value in evidence.traits.items():
        said = TraitValue(value, evidence.assurance, evidence.at, evidence.id, source)
        if name not in traits or _weight(said) > _weight(traits[name]):
            traits[name] = said
    return msgspec.structs.replace(contact, traits=traits)


def traits_of(contacts: Iterable[Contact]) -> dict[str, TraitValue]:
    """A person's traits: curated contacts first, then assurance, latest time, id."""
    best: dict[str, tuple[tuple[bool, int, int, str], TraitValue]] = {}
    for contact in contacts:
        for name, trait in contact.traits.items():
            # A browser's claim on a curated contact is the browser's, not the curator's.
            curated = contact.curated and trait.assurance > Assurance.CLAIMED
            weight = (curated, *_weight(trait))
            if name not in best or weight > best[name][0]:
                best[name] = (weight, trait)
    return {name: trait for name, (_, trait) in sorted(best.items())}
