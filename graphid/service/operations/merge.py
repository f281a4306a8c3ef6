"""Merge: these are one human."""

from __future__ import annotations

from graphid.identity.values import Merge
from graphid.service.operations.proposing import Asked, Header, Proposal, refused
from graphid.service.operations.seeing import Seen

MOST = 20
"""How many people one act merges."""


class MergePeople(Asked, frozen=True, tag="merge"):
    """By ids of people, contacts or visitors; an anonymous visitor is given to the others."""

    ids: tuple[str, ...]

    def check(self) -> None:
        if len(self.ids) < 2:
            raise refused("ids: two people or more are needed.")
        if len(self.ids) > MOST:
            raise refused(f"ids: no more than {MOST} people are merged at once.")

    async def propose(self, seen: Seen, header: Header) -> Proposal:
        met: dict[str, int] = {}
        anchors = []
        for index, id in enumerate(self.ids):
            whom = await seen.whom(id, f"ids[{index}]")
            if whom.person in met:
                first = met[whom.person]
                raise refused(f"ids[{first}] and ids[{index}] are one person already.")
            met[whom.person] = index
            anchors.append(whom.anchor)
        if all(person.startswith("visitor_") for person in met):
            raise refused("Nobody of these is known: an identify has to name one of them first.")
        return Proposal(header.on(Merge, of=tuple(anchors)))
