"""Mutations: pages and tracked events."""

from __future__ import annotations

from typing import Annotated

import strawberry

from graphid.api.context import Info
from graphid.api.inputs import PageInput, TrackInput
from graphid.api.mutations.submitting import EventAccepted, accepted, or_invalid
from graphid.api.nodes import computed
from graphid.api.problems import InvalidInput
from graphid.service import messages

PageResult = Annotated[EventAccepted | InvalidInput, strawberry.union("PageResult")]
TrackResult = Annotated[EventAccepted | InvalidInput, strawberry.union("TrackResult")]


@strawberry.type
class EventMutations:
    @computed("A page was seen.")
    async def page(self, info: Info, input: PageInput) -> PageResult:
        return await or_invalid(accepted(info, messages.Page, input))

    @computed("Something happened that the site has a name for.")
    async def track(self, info: Info, input: TrackInput) -> TrackResult:
        return await or_invalid(accepted(info, messages.Track, input))
