"""Mutations: identify and logout."""

from __future__ import annotations

from typing import Annotated

import strawberry

from graphid.api.context import Info
from graphid.api.inputs import IdentifyInput, LogoutInput, message_of
from graphid.api.journey import JourneyEvent
from graphid.api.links import Link, ReviewItem, contact_by_id, links_by_id, reviews_by_id
from graphid.api.mutations.submitting import (
    EventAccepted,
    Warning,
    or_invalid,
    or_refused,
    submit,
    submit_message,
    warnings_of,
)
from graphid.api.nodes import computed
from graphid.api.people import Contact, Person, person_by_id
from graphid.api.problems import InvalidInput, Refused
from graphid.identity.outcome import Outcome
from graphid.service import messages
from graphid.service.receipts import Receipt


@strawberry.type(description="Somebody was identified.")
class Identified:
    event: JourneyEvent = strawberry.field(description="The identify as a line of a journey.")
    created: bool = strawberry.field(description="True where this identify made the contact.")
    switched: bool = strawberry.field(
        description="True where the visitor belonged to somebody else, so that a new visitor "
        "began here."
    )
    duplicate: bool = strawberry.field(description="Whether it was known already.")
    warnings: list[Warning] = strawberry.field(description="What to mend.")
    outcome: strawberry.Private[Outcome]

    @computed("Whose the identify is, now.")
    async def person(self, info: Info) -> Person:
        return await person_by_id(info, await self.event.owner_id(info))

    @computed("Null where every identifier is somebody else's: the visitor stayed as it was.")
    async def contact(self, info: Info) -> Contact | None:
        contact = self.outcome.contact
        return None if contact is None else await contact_by_id(info, contact)

    @computed("The links that it made, raised or took over.")
    async def links(self, info: Info) -> list[Link]:
        return await links_by_id(info, self.outcome.links)

    @computed("The reviews that it filed.")
    async def reviews(self, info: Info) -> list[ReviewItem]:
        return await reviews_by_id(info, self.outcome.reviews)

    @classmethod
    def of(cls, receipt: Receipt, outcome: Outcome) -> Identified:
        return cls(
            event=JourneyEvent.of_receipt(receipt),
            created=outcome.created,
            switched=outcome.switched,
            duplicate=receipt.duplicate,
            warnings=warnings_of(receipt),
            outcome=outcome,
        )


@strawberry.type(description="The human on the cookie left.")
class LoggedOut:
    event: JourneyEvent = strawberry.field(description="The logout as a line of a journey.")
    next_cookie_id: strawberry.ID = strawberry.field(
        description="The cookie id that the client should use from now on."
    )
    duplicate: bool = strawberry.field(description="Whether it was known already.")
    outcome: strawberry.Private[Outcome]

    @computed("The links that ended.")
    async def ended(self, info: Info) -> list[Link]:
        return await links_by_id(info, self.outcome.ended)

    @classmethod
    def of(cls, receipt: Receipt) -> LoggedOut:
        return cls(
            event=JourneyEvent.of_receipt(receipt),
            next_cookie_id=strawberry.ID(receipt.next_cookie_id or receipt.cookie_id or ""),
            duplicate=receipt.duplicate,
            outcome=receipt.outcome or Outcome(),
        )


IdentifyResult = Annotated[
    Identified | EventAccepted | InvalidInput | Refused,
    strawberry.union(
        "IdentifyResult",
        description="EventAccepted: nothing usable was left after blocked values were dropped; "
        "the line is kept. Or, with a warning PENDING: it is worked out by a job, because much "
        "that came before depends on it; send it again for the answer.",
    ),
]
LogoutResult = Annotated[LoggedOut | InvalidInput, strawberry.union("LogoutResult")]


@strawberry.type
class IdentityMutations:
    @computed("Somebody on a cookie says who they are, or a server says it.")
    async def identify(self, info: Info, input: IdentifyInput) -> IdentifyResult:
        return await or_refused(_identify(info, input))

    @computed("The human on a cookie leaves; who comes next is somebody else.")
    async def logout(self, info: Info, input: LogoutInput) -> LogoutResult:
        return await or_invalid(_logout(info, input))


async def _identify(info: Info, sent: IdentifyInput) -> Identified | EventAccepted:
    message = await info.context.services.vouching.identify(
        message_of(messages.Identify, sent), info.context.caller
    )
    receipt = await submit_message(info, message)
    outcome = receipt.outcome
    # What was admitted depends on the input and the policy alone, so a browser may see which.
    if outcome is None or not outcome.admitted:
        return EventAccepted.of(receipt)
    return Identified.of(receipt, outcome)


async def _logout(info: Info, sent: LogoutInput) -> LoggedOut:
    return LoggedOut.of(await submit(info, messages.Logout, sent))
