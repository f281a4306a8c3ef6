"""Operators' steps of a scenario over GraphQL: what they point at, and what they send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.scenarios.scenario import Step

Ask = Callable[..., dict[str, Any]]
"""Sends a document and variables; the ``data`` of the answer."""

LOOK = """query ($id: ID!) { event(messageId: $id) {
  person { id links(state: SEVERED, first: 10) { id kind } }
  attribution { link { id to { ... on Contact { id } } } } } }"""
RECORD = """query ($source: String!, $id: ID!) {
  contact(source: $source, sourceId: $id) { id person { id } } }"""

ACTS = {
    "merge": ("mergePeople", "$ids: [ID!]!", "ids: $ids"),
    "unmerge": ("unmerge", "$id: ID!", "id: $id"),
    "sever": ("severLink", "$id: ID!, $from: DateTime", "id: $id, from: $from"),
    "restore": ("restoreLink", "$id: ID!", "id: $id"),
    "promote": ("promoteContact", "$id: ID!", "id: $id"),
}


class Nothing(Exception):
    """There is nothing that the step could point at."""


class Operator:
    """Acts in one playing. ``own`` makes a scenario's ids this playing's; ``time`` its times."""

    def __init__(
        self,
        ask: Ask,
        steps: Mapping[str, Step],
        own: Callable[[str], str],
        time: Callable[[float], str],
    ) -> None:
        self._ask = ask
        self._steps = steps
        self._own = own
        self._time = time
        self._said: dict[str, dict[str, Any] | None] = {}
        self._told: dict[str, dict[str, Any]] = {}

    def act(self, step: Step) -> bool:
        """Do a step; whether it was done. One that comes again is sent as it was before, and
        answered as it was before."""
        if step["id"] not in self._said:
            try:
                self._said[step["id"]] = self._variables(step)
            except Nothing:
                self._said[step["id"]] = None
        variables = self._said[step["id"]]
        if variables is None:
            return False
        field, declared, passed = ACTS[step["op"]]
        document = f"""mutation ({declared}, $operation: ID, $reason: String!) {{
          done: {field}({passed}, reason: $reason, operationId: $operation) {{ __typename
            ... on Change {{ operationId dryRun pending graphVersion
              links {{ id }} after {{ id }} }}
            ... on Problem {{ message }} ... on Refused {{ reasons }} }} }}"""
        done: dict[str, Any] = self._ask(document, **variables)["done"]
        if done["__typename"] != "Change":
            assert done["__typename"] in ("Refused", "NotFound"), done
            assert step["id"] not in self._told, (step, done)
            return False
        assert self._told.setdefault(step["id"], done) == done
        return True

    def _variables(self, step: Step) -> dict[str, Any]:
        said: dict[str, Any] = {"operation": self._own(step["id"]), "reason": f"It is {step['id']}"}
        match step["op"]:
            case "merge":
                return said | {"ids": [self._whom(ref) for ref in step["of"]]}
            case "unmerge":
                return said | {"id": self._own(step["of"])}
            case "promote":
                return said | {"id": self._person(step["contact"])}
            case "sever":
                since = self._time(step["from"]) if "from" in step else None
                return said | {"id": self._link(step["link_of"]), "from": since}
        return said | {"id": self._link(step["link_of"], severed=True)}

    def _whom(self, ref: str) -> str:
        """The contact that an event's visitor is identified as; else the anonymous visitor."""
        step = self._steps[ref]
        if step["op"] == "contact":
            return str(self._record(step)["id"])
        event = self._event(ref)
        link = event["attribution"]["link"]
        return str(event["person"]["id"] if link is None else link["to"]["id"])

    def _person(self, ref: str) -> str:
        step = self._steps[ref]
        found = self._record(step) if step["op"] == "contact" else self._event(ref)
        return str(found["person"]["id"])

    def _link(self, ref: str, *, severed: bool = False) -> str:
        """The link that an event is attributed by; or the one that was withdrawn."""
        event = self._event(ref)
        link = event["attribution"]["link"]
        if link is not None:
            return str(link["id"])
        if severed:
            for link in event["person"]["links"]:
                if link["kind"] == "IDENTIFIED_AS":
                    return str(link["id"])
        raise Nothing

    def _event(self, ref: str) -> dict[str, Any]:
        event: dict[str, Any] = self._ask(LOOK, id=self._own(ref))["event"]
        return event

    def _record(self, step: Step) -> dict[str, Any]:
        id = self._own(step["source_id"])
        record: dict[str, Any] = self._ask(RECORD, source=step["source"], id=id)["contact"]
        return record
