"""step: what is left of somebody who was erased: where on a cookie they were, and not who."""

from __future__ import annotations

from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.people import replace
from graphid.identity.state import (
    Cookie,
    Device,
    Opening,
    Visitor,
    device_key,
)
from graphid.identity.values import Identify, Logout, Micros, Place, Vacancy, just_after
from graphid.identity.view import View


def step_vacancy(view: View, vacancy: Vacancy, ids: Ids) -> Outcome:
    """Keep the visitor, and the device, from being anybody's alone."""
    if vacancy.given:
        return _keep_given(view, vacancy, ids)
    found = view.find("cookie", vacancy.cookie)
    visitor = (
        Visitor(id=ids.birth(vacancy.cookie), cookie=vacancy.cookie)
        if found is None
        else found.visitor
    )
    if vacancy.ends:
        return _end(view, visitor, vacancy, ids)
    device = device_key(vacancy.device, vacancy.cookie)
    if view.find("device", device) != _SHARED:
        view.put("device", device, _SHARED)
    if visitor.link is not None:
        close(view, visitor, vacancy, vacancy.place, "switch")
        visitor = _next(visitor, vacancy, vacancy.place, Opening.SWITCH, ids)
    _forget(view, visitor, vacancy.reach)
    return Outcome(visitor=visitor.id)


_SHARED = Device(shared=True)


def _end(view: View, visitor: Visitor, vacancy: Vacancy, ids: Ids) -> Outcome:
    """End the visitor where it is that of somebody who was erased."""
    if visitor.is_forgotten and visitor.link is None:
        boundary = just_after(vacancy.place)
        close(view, visitor, vacancy, boundary, "severed")
        following = _next(visitor, vacancy, boundary, Opening.CUT, ids)
        view.put("cookie", visitor.cookie, Cookie(following))
    return Outcome(visitor=visitor.id)


def _keep_given(view: View, vacancy: Vacancy, ids: Ids) -> Outcome:
    """Keep visitors whom nobody identified from being anybody's: an operator had given them."""
    for cookie in vacancy.given:
        found = view.find("cookie", cookie)
        visitor = Visitor(id=ids.birth(cookie), cookie=cookie) if found is None else found.visitor
        if visitor.link is None:
            _forget(view, visitor, 0)
    return Outcome()


def _forget(view: View, visitor: Visitor, reach: Micros) -> None:
    """Let an open visitor be nobody's to claim, from ``reach`` on at the latest."""
    since = max(visitor.started_at or 0, reach)
    if visitor.forgotten_from is None or since < visitor.forgotten_from:
        view.put("cookie", visitor.cookie, Cookie(replace(visitor, forgotten_from=since)))


def _next(
    visitor: Visitor, vacancy: Vacancy, boundary: Place, opening: Opening, ids: Ids
) -> Visitor:
    return Visitor(
        id=ids.visitor(visitor.cookie, vacancy.id),
        cookie=visitor.cookie,
        opening=opening,
        opened_by=vacancy.id,
        start=boundary,
        started_at=vacancy.at,
    )


def close(
    view: View, visitor: Visitor, by: Logout | Identify | Vacancy, boundary: Place, reason: str
) -> Visitor:
    """End a visitor, and its link where it has one; the one after it is for the caller to write."""
    link = visitor.link
    if link is not None:
        link = view.put_link(replace(link, ended_at=by.at, ended_by=by.id, reason=reason))
    closed = replace(visitor, end=boundary, ended_at=by.at, ended_by=by.id, link=link)
    view.put("visitor", visitor.id, closed)
    return closed
