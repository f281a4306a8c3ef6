"""Why two are one, and why they are not."""

from __future__ import annotations

import strawberry

from graphid.api.context import Info
from graphid.api.links import Link, links_by_id
from graphid.api.nodes import computed
from graphid.service.ends import End
from graphid.service.parting import explain_parted
from graphid.service.reasons import Reasons


@strawberry.type
class ReasonQuery:
    """Queries that ask why."""

    @computed(
        "The shortest chain of links between two nodes, from `a` to `b`: people, contacts, "
        "visitors, identifiers, events, chats, cookies or devices. A person's id means the "
        "contact that they are named for; a cookie or a device, the visits there. Empty where "
        "nothing joins them, or nothing among the latest visits of two places that have very many, "
        "and where both are one node: whyNotLinked tells which. Of equally "
        "short chains, the one whose links are best vouched for, then the oldest."
    )
    async def why_linked(self, info: Info, a: strawberry.ID, b: strawberry.ID) -> list[Link]:
        reasons = Reasons(info.context.reads)
        ends = await reasons.ends(a, b)
        await _meet(info, *ends)
        chain = await reasons.chain(*ends)
        return await links_by_id(info, tuple(chain.links or ()))

    @computed(
        "What keeps two nodes from being one person's, one sentence a reason; empty where they "
        "are. The same nodes as of whyLinked."
    )
    async def why_not_linked(self, info: Info, a: strawberry.ID, b: strawberry.ID) -> list[str]:
        reasons = Reasons(info.context.reads)
        ends = await reasons.ends(a, b)
        await _meet(info, *ends)
        parted = await reasons.parted(*ends)
        if parted is None:
            return []
        return explain_parted(await parted.shown(info.context.shown))


async def _meet(info: Info, *ends: End) -> None:
    """Tell the audit whom the request is about."""
    people = [end.person for end in ends if end.person is not None]
    info.context.people |= {person.id: person for person in await info.context.shown(people)}
