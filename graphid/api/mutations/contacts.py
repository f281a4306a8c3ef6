"""Mutations: what sources hold of humans."""

from __future__ import annotations

from typing import Annotated

import strawberry

from graphid.api.context import Info
from graphid.api.inputs import ContactInput
from graphid.api.links import Link, ReviewItem, contact_by_id, links_by_id, reviews_by_id
from graphid.api.loaders import PersonByIdLoader
from graphid.api.mutations.recorded import or_failed
from graphid.api.mutations.submitting import Warning, or_refused, submit, warnings_of
from graphid.api.nodes import computed, found
from graphid.api.people import Contact, Person, person_by_id
from graphid.api.problems import InvalidInput, Refused
from graphid.errors import Pending
from graphid.identity.outcome import Outcome
from graphid.service import messages
from graphid.service.receipts import Receipt


@strawberry.type(description="What the source holds is kept.")
class ContactSaved:
    created: bool = strawberry.field(description="Whether the contact is new.")
    duplicate: bool = strawberry.field(description="Whether the message was known already.")
    warnings: list[Warning] = strawberry.field(description="What to mend.")
    outcome: strawberry.Private[Outcome]
    pending: strawberry.Private[bool]

    @computed("The contact. While a new one is PENDING (see warnings), an error: ask again.")
    async def contact(self, info: Info) -> Contact:
        return await contact_by_id(info, await self._whose(info))

    @computed("Whom it belongs to, now. While a new one is PENDING, an error: ask again.")
    async def person(self, info: Info) -> Person:
        return await person_by_id(info, await self._whose(info))

    async def _whose(self, info: Info) -> str:
        contact = found(self.outcome.contact)
        if self.pending and await info.context.load(PersonByIdLoader).load(contact) is None:
            raise Pending
        return contact

    @computed("The links that it made, raised or took over.")
    async def links(self, info: Info) -> list[Link]:
        return await links_by_id(info, self.outcome.links)

    @computed("The reviews that it filed.")
    async def reviews(self, info: Info) -> list[ReviewItem]:
        return await reviews_by_id(info, self.outcome.reviews)

    @classmethod
    def of(cls, receipt: Receipt) -> ContactSaved:
        outcome = found(receipt.outcome)
        return cls(
            created=outcome.created,
            duplicate=receipt.duplicate,
            warnings=warnings_of(receipt),
            outcome=outcome,
            pending=receipt.pending,
        )


SaveContactResult = Annotated[
    ContactSaved | InvalidInput | Refused, strawberry.union("SaveContactResult")
]


@strawberry.type
class ContactMutations:
    @computed("A source tells what it holds of a human, or that it holds it no more.")
    async def save_contact(self, info: Info, input: ContactInput) -> SaveContactResult:
        return await or_refused(_save(info, input))


async def _save(info: Info, sent: ContactInput) -> ContactSaved:
    context, action = info.context, info.field_name
    if not context.caller.is_person:
        # What programs send carries its provenance in the graph.
        return ContactSaved.of(await submit(info, messages.Contact, sent))
    with or_failed(context, action):
        saved = ContactSaved.of(await submit(info, messages.Contact, sent))
    await context.record(action, subjects=[found(saved.outcome.contact)])
    return saved
