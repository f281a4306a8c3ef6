"""Reads the audit."""

from __future__ import annotations

from graphid.graph.database import Readable
from graphid.graph.queries import query
from graphid.service.audit.entries import Entry, of_row
from graphid.service.pages import Page, PageRequest, page_of
from graphid.service.visitors import END

LIST_NEWEST = query("audit/list_newest")
LIST_BY_ACTOR = query("audit/list_by_actor")
LIST_BY_SUBJECT = query("audit/list_by_subject")


class Trail:
    """Reads entries, the latest first. A page's keys are positions."""

    def __init__(self, database: Readable) -> None:
        self._database = database

    async def page(
        self, request: PageRequest, *, actor: str | None = None, subject: str | None = None
    ) -> Page[Entry]:
        """A page of the entries of an actor and about a subject; None: of any."""
        before, limit = request.after or END, request.limit + 1
        read = self._database.read_rows
        if subject is not None:
            rows = await read(
                LIST_BY_SUBJECT, subject=subject, actor=actor, before=before, limit=limit
            )
        elif actor is not None:
            rows = await read(LIST_BY_ACTOR, actor=actor, before=before, limit=limit)
        else:
            rows = await read(LIST_NEWEST, before=before, limit=limit)
        return page_of(
            [of_row(row["entry"]) for row in rows], request, lambda entry: entry.position
        )
