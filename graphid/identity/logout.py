"""step: logout."""

from __future__ import annotations

import msgspec

from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.state import Cookie, Opening, View, Visitor
from graphid.identity.values import Logout, just_after


def step_logout(view: View, evidence: Logout, ids: Ids) -> Outcome:
    """End the visitor of the cookie where it has an owner; else nothing changes."""
    cookie = view.find("cookie", evidence.cookie)
    visitor = view.find("visitor", cookie.visitor) if cookie else None
    if visitor is None or visitor.link is None:
        return Outcome(visitor=visitor.id if visitor else ids.birth(evidence.cookie))
    boundary = just_after(evidence.place)
    link = msgspec.structs.replace(
        visitor.link, ended_at=evidence.at, ended_by=evidence.id, reason="logout"
    )
    view.put_link(link)
    view.put(
        "visitor",
        visitor.id,
        msgspec.structs.replace(
            visitor, end=boundary, ended_at=evidence.at, ended_by=evidence.id, link=link
        ),
    )
    following = Visitor(
        id=ids.visitor(evidence.cookie, evidence.id),
        cookie=evidence.cookie,
        opening=Opening.LOGOUT,
        opened_by=evidence.id,
        start=boundary,
        started_at=evidence.at,
    )
    view.put("visitor", following.id, following)
    view.put("cookie", evidence.cookie, Cookie(following.id))
    return Outcome(visitor=visitor.id, ended=(link.id,))
