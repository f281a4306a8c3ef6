"""Events as ``cypher/parts/append_events`` takes them: put in order here, so that the database
looks up each cookie, session and device once for all that one transaction adds to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

from graphid.identity.ids import Ids
from graphid.identity.values import Micros
from graphid.service.recordings import Event

Batch = dict[str, Any]


NO_MARKS: Mapping[str, Mapping[str, str]] = {}


def batch_of(
    events: Iterable[Event],
    timeout: Micros,
    ids: Ids,
    marks: Mapping[str, Mapping[str, str]] = NO_MARKS,
) -> Batch:
    """The batch of events, none of which is stored yet and each of which is there once.

    ``marks``: more properties of events, by message id.

    Those of a cookie with no gap longer than ``timeout`` between them are one run, which goes into
    one session: the one that it continues, or a new one, named for the run's first event.
    """
    of_cookies: dict[str, list[Event]] = {}
    devices: dict[str, dict[str, dict[str, Any]]] = {}
    changes: list[dict[str, Any]] = []
    for event in events:
        of_cookies.setdefault(event.cookie, []).append(event)
        changes += event.chat_changes()
        if event.device is not None:
            uses = devices.setdefault(event.device, {})
            use = uses.get(event.cookie)
            if use is None:
                use = {"first": event.at, "last": event.at, "timeout": timeout}
                uses[event.cookie] = use | {"cookie": event.cookie}
            elif event.at < use["first"]:
                use["first"] = event.at
            elif event.at > use["last"]:
                use["last"] = event.at
    return {
        "cookies": [_cookie(id, of_cookies[id], timeout, ids, marks) for id in sorted(of_cookies)],
        "devices": [
            {
                "id": id,
                "first": min(use["first"] for use in devices[id].values()),
                "last": max(use["last"] for use in devices[id].values()),
                "uses": [*devices[id].values()],
            }
            for id in sorted(devices)
        ],
        "chatChanges": changes,
    }


def _cookie(
    id: str,
    events: list[Event],
    timeout: Micros,
    ids: Ids,
    marks: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    events.sort(key=attrgetter("position"))
    runs: list[dict[str, Any]] = []
    last = None
    for event in events:
        if last is None or event.at > last + timeout:
            runs.append(
                {
                    "start": event.at,
                    "newSession": ids.session(id, event.message_id),
                    "timeout": timeout,
                    "chatStarts": [],
                    "events": [],
                }
            )
        last = event.at
        run = runs[-1]
        run["end"] = last
        run["chatStarts"] += event.chat_starts()
        properties = event.properties()
        if marks and event.message_id in marks:
            properties |= marks[event.message_id]
        run["events"].append(properties)
    return {
        "id": id,
        "birth": ids.birth(id),
        "first": events[0].at,
        "last": events[-1].at,
        "runs": runs,
    }
