"""step: judgements, which are about all time and so stand before everything else."""

from __future__ import annotations

from graphid.identity.apart import link_of, pairs, token
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.people import replace
from graphid.identity.state import (
    Apart,
    Bar,
    Decided,
    Judgements,
    Withdrawn,
)
from graphid.identity.values import Block, Erase, Judged, KeepApart, Restore
from graphid.identity.view import View


def step_judgement(view: View, judgement: Judged, ids: Ids) -> Outcome:
    """Write what was judged, unless it was taken back."""
    if isinstance(judgement, Restore):
        _withdraw(view, judgement)
    elif view.find("withdrawn", judgement.id) is not None:
        pass
    elif isinstance(judgement, KeepApart):
        _withdraw(view, judgement)
        _keep_apart(view, judgement, ids)
    elif isinstance(judgement, Block):
        found = view.find("judged", judgement.identifier) or Judgements()
        blocked = replace(found, blocked_by=(*found.blocked_by, judgement.id))
        view.put("judged", judgement.identifier, blocked)
    else:
        _bar(view, judgement)
    return Outcome()


def _withdraw(view: View, judgement: KeepApart | Restore) -> None:
    for operation in judgement.withdraws:
        view.put("withdrawn", operation, Withdrawn(by=judgement.id))


def _keep_apart(view: View, judgement: KeepApart, ids: Ids) -> None:
    for own, other in pairs(judgement.sides, ids):
        apart = Apart(
            by=judgement.id,
            recorded_at=judgement.recorded_at,
            own=own,
            other=other,
            actor=judgement.actor,
            undoes=bool(judgement.withdraws),
        )
        found = view.find("judged", token(own)) or Judgements()
        view.put("judged", token(own), replace(found, apart=(*found.apart, apart)))
        link = link_of(apart, ids)
        if link is not None:
            view.put_link(link)
    if judgement.review is not None:
        view.put("decided", judgement.review, Decided(by=judgement.id))


def _bar(view: View, erasure: Erase) -> None:
    for bar in erasure.bars:
        found = view.find("bar", bar)
        until = max(erasure.recorded_at, 0 if found is None else found.until)
        view.put("bar", bar, Bar(until))
