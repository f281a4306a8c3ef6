"""A reader of the past answers nothing of the present by accident."""

from __future__ import annotations

import inspect

import pytest

from graphid.service.chats import Chats
from graphid.service.devices import Devices
from graphid.service.lines import Lines
from graphid.service.links import Links
from graphid.service.past.chats import PastChats
from graphid.service.past.devices import PastDevices
from graphid.service.past.lines import PastLines
from graphid.service.past.links import PastLinks
from graphid.service.past.people import PastPeople
from graphid.service.past.statements import PastStatements
from graphid.service.past.visitors import PastVisitors
from graphid.service.past.visits import PastVisits
from graphid.service.people import People
from graphid.service.statements import Statements
from graphid.service.visitors import Visitors
from graphid.service.visits import Visits

READERS: list[tuple[type, type, set[str], set[str]]] = [
    (Visitors, PastVisitors, {"of_people", "slices_of_people", "owners"}, set()),
    (People, PastPeople, {"by_id", "contacts", "holding"}, {"contact"}),
    (Links, PastLinks, set(), {"identifiers", "newest_reviews"}),
    (Statements, PastStatements, {"of"}, set()),
    (Devices, PastDevices, set(), set()),
    (Chats, PastChats, {"now", "messages"}, set()),
    (Lines, PastLines, {"seen"}, set()),
    (Visits, PastVisits, {"sessions", "chats"}, set()),
]
"""The reader of the present, that of the past, what this one has from the other because it asks
only what it does itself, and what is the same at all times or is asked for at the root alone."""


@pytest.mark.parametrize(("present", "past", "built", "timeless"), READERS)
def test_every_reader_reads_the_past(
    present: type, past: type, built: set[str], timeless: set[str]
) -> None:
    asked = {
        name
        for name, member in vars(present).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }
    assert asked - vars(past).keys() == built | timeless
