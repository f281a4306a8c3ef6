"""What of a record is masked for whoever may not see identifiers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec

from graphid.identity.policy import Policy, parse_policy
from graphid.identity.values import Assurance, TraitValue
from graphid.service.journey import EventRecord
from graphid.service.masked_reads import MaskedReads
from graphid.service.people import ContactRecord, IdentifierRecord, PersonRecord

EMAIL = "jane98313@corp.example"
CARD = "CARD40cc99"
NOBODY: Any = SimpleNamespace(person="visitor_1")
BLOCKED = parse_policy({"blocked": ["loyalty:LOYAL12345", "user_id:admin", "*:1000"]})


async def shown(found: Any, policy: Policy | None = None) -> Any:
    """A record as it is shown; nobody holds anything but the contacts in it."""

    async def current() -> Any:
        return SimpleNamespace(policy=policy or Policy())

    async def by_id(ids: list[str]) -> dict[str, PersonRecord]:
        return {}

    reads: Any = SimpleNamespace(
        policies=SimpleNamespace(current=current), people=SimpleNamespace(by_id=by_id)
    )
    return await MaskedReads(reads).shown(found)


async def detail_shown(detail: dict[str, Any], policy: Policy | None = None) -> Any:
    event = EventRecord(
        message_id="m",
        cookie="c",
        position="1",
        type="IDENTIFY",
        occurred_at=1,
        received_at=1,
        device=None,
        session=None,
        chat=None,
        detail_json=msgspec.json.encode(detail).decode(),
        owner=NOBODY,
    )
    return (await shown(event, policy)).detail


def person_with(traits: dict[str, Any], source: str = "crm") -> PersonRecord:
    values = {
        name: TraitValue(value, Assurance.ASSERTED, 1, "e", source)
        for name, value in traits.items()
    }
    contact = ContactRecord(
        id="contact_1",
        person="person_1",
        source=source,
        source_id="1",
        state="ACTIVE",
        made="e",
        traits=values,
        identifiers=(IdentifierRecord("identifier_1", "email", EMAIL, Assurance.ASSERTED),),
        is_record=True,
    )
    return PersonRecord(id="person_1", contacts=(contact,), traits=values)


async def test_whom_a_provider_vouched_for_on_a_line_that_is_nobodys() -> None:
    said = {"issuer": "https://i.example", "subject": "subject-of-44f9", "identifiers": []}
    assert await detail_shown(said) == {**said, "subject": "s***9"}


async def test_what_a_line_claims_is_masked_in_all_of_it() -> None:
    custom = {"cardNo": CARD, "note": f"has {CARD}", "of": "subject-of-44f9", "plan": "none"}
    said = {
        "traits": {"custom": custom},
        "subject": "subject-of-44f9",
        "identifiers": [{"type": "loyalty", "value": CARD}, {"type": "user_id", "value": "none"}],
    }
    assert await detail_shown(said) == {
        "traits": {
            "custom": {"cardNo": "C***9", "note": "has C***9", "of": "s***9", "plan": "none"}
        },
        "subject": "s***9",
        "identifiers": [{"type": "loyalty", "value": "C***9"}, {"type": "user_id", "value": "***"}],
    }


async def test_what_the_policy_blocks_is_no_trait_that_is_shown() -> None:
    kept = {"role": "admin", "price": 1000, "size": "XL"}
    traits = {"card": "loyal12345", "cards": ["LOYAL12345", 7], **kept}
    found = await shown(person_with(traits), BLOCKED)
    masked = {"card": "l***5", "cards": ["L***5", 7], **kept}
    assert {name: trait.value for name, trait in found.traits.items()} == masked
    said = {"traits": {"custom": traits}}
    assert await detail_shown(said, BLOCKED) == {"traits": {"custom": masked}}


async def test_names_of_traits_and_of_sources() -> None:
    found = await shown(person_with({EMAIL: "a name", "nick": "J"}, source=f"crm of {EMAIL}"))
    for record in (found, found.contacts[0]):
        assert list(record.traits) == ["j***@corp.example", "nick"]
        assert {trait.source for trait in record.traits.values()} == {"crm of j***@corp.example"}
    assert found.contacts[0].source == "crm of j***@corp.example"
