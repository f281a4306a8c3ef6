"""Departures: logouts that nobody calls so.

RudderStack's SDKs have no call for a logout. They keep the anonymous id, and from then on send an
empty user id with each event; which they also do before anybody has logged in. So such an event
is a logout where the last that the same key said of its cookie, before it and in the world's
time, was a user id. It stays a plain event everywhere else: where nobody was, where a logout came
since, and where only others (a server, beside a browser) said who this is.

What counts is what is stored when the event comes. A user id that arrives after it, although it
was said before it, is not ended by that event, but by the next of its kind; and that logout is
dated back to the first of them. So all orders of arrival come to the same, once the user id is
followed by such an event that arrived after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

import msgspec

from graphid.graph.database import Database
from graphid.graph.queries import query
from graphid.identity.values import Evidence, Identify, Logout, Micros, Place, moment, start_of
from graphid.service.recordings import Recording

FIND_PRECEDING = query("evidence/find_preceding")
FIND_NOBODY = query("events/find_nobody")

USER = "user_id:"
"""What the key of a user id begins with, whatever SDK said it."""


async def find_departed(database: Database, recordings: Collection[Recording]) -> dict[str, Micros]:
    """The messages that say a logout by naming nobody, by id, and when it was."""
    candidates = {r.message_id: r.departure for r in recordings if r.departure is not None}
    if not candidates:
        return {}
    rows = [
        {
            "message": id,
            "cookie": departure.cookie,
            "place": departure.place,
            "actor": departure.actor,
            "said": f'"actor":{msgspec.json.encode(departure.actor).decode()}',
        }
        for id, departure in candidates.items()
    ]
    found = await database.read_rows(FIND_PRECEDING, named={"departures": rows, "user": USER})
    stored = {row["message"]: (row["place"], row["kind"] == "identify") for row in found}
    followed = departed_of(candidates, stored, [e for r in recordings for e in r.evidence])
    if not followed:
        return {}
    between = [
        {
            "message": id,
            "cookie": candidates[id].cookie,
            "actor": candidates[id].actor,
            "from": start_of(moment(user) + 1),
            "before": candidates[id].place,
        }
        for id, user in followed.items()
    ]
    earlier = await database.read_rows(FIND_NOBODY, named={"departures": between})
    return {id: candidates[id].at for id in followed} | {r["message"]: r["at"] for r in earlier}


async def warm_departures(database: Database, *, within: float) -> None:
    """Have the server plan the statements before the first event waits for it; each in so many
    seconds."""
    nothing = {"departures": [], "user": USER}
    await database.read_rows(FIND_PRECEDING, within=within, named=nothing)
    await database.read_rows(FIND_NOBODY, within=within, named=nothing)


def departed_of(
    candidates: Mapping[str, Logout],
    stored: Mapping[str, tuple[Place, bool]],
    beside: Collection[Evidence],
) -> dict[str, Place]:
    """Which candidates, by message id, follow somebody: with the place of the user id.

    ``stored``: the place of what is stored last before a candidate, and whether it is a user id
    and no logout. ``beside``: the evidence that comes with them.
    """
    said: dict[str, list[tuple[Place, bool]]] = defaultdict(list)
    for piece in beside:
        if isinstance(piece, Logout):
            said[piece.cookie].append((piece.place, False))
        elif isinstance(piece, Identify) and any(key.startswith(USER) for key in piece.identifiers):
            said[piece.cookie].append((piece.place, True))
    departed: dict[str, Place] = {}
    for id, departure in sorted(candidates.items(), key=lambda each: each[1].place):
        before = [each for each in said[departure.cookie] if each[0] < departure.place]
        if id in stored:
            before.append(stored[id])
        place, is_user = max(before, default=("", False))
        if is_user:
            departed[id] = place
            said[departure.cookie].append((departure.place, False))
    return departed
