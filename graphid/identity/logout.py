"""step: logout."""

from __future__ import annotations

from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.state import Cookie, Opening, Visitor
from graphid.identity.vacancy import close
from graphid.identity.values import Logout, just_after
from graphid.identity.view import View


def step_logout(view: View, evidence: Logout, ids: Ids) -> Outcome:
    """End the visitor of the cookie where it has an owner; else nothing changes."""
    cookie = view.find("cookie", evidence.cookie)
    if cookie is None:
        return Outcome(visitor=ids.birth(evidence.cookie))
    visitor = cookie.visitor
    if not visitor.is_taken:
        return Outcome(visitor=visitor.id)
    boundary = just_after(evidence.place)
    link = close(view, visitor, evidence, boundary, "logout").link
    following = Visitor(
        id=ids.visitor(evidence.cookie, evidence.id),
        cookie=evidence.cookie,
        opening=Opening.LOGOUT,
        opened_by=evidence.id,
        start=boundary,
        started_at=evidence.at,
    )
    view.put("cookie", evidence.cookie, Cookie(following))
    return Outcome(visitor=visitor.id, ended=() if link is None else (link.id,))
