"""The readable graph, as rows made from what the fold changed (docs/graph.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from graphid.graph.memory import as_row
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.state import (
    Contact,
    Identifier,
    Key,
    Link,
    Person,
    Review,
    Value,
    Visitor,
)
from graphid.identity.values import ContactUpsert, Evidence, IdentifierKey, Place

_encoder = msgspec.json.Encoder()

_LINK_ROWS = {
    "IDENTIFIED_AS": "identifiedAs",
    "HAS_IDENTIFIER": "hasIdentifier",
    "SAME_AS": "sameAs",
}


def changes_as_rows(
    changes: Mapping[Key, Value], places: Mapping[Key, Place], ids: Ids
) -> dict[str, list[dict[str, Any]]]:
    """The parameters of ``evidence/write_changes`` that say what changed."""
    rows: dict[str, list[dict[str, Any]]] = {
        name: []
        for name in [
            "states",
            "visitors",
            "contacts",
            "identifiers",
            "people",
            "aliases",
            "reviews",
            "identifiedAs",
            "hasIdentifier",
            "sameAs",
        ]
    }
    for key, value in changes.items():
        if not isinstance(value, Link):
            rows["states"].append(as_row(key, value, places[key]))
        match value:
            case Visitor():
                rows["visitors"].append(_visitor(value))
            case Contact():
                rows["contacts"].append(_contact(value))
            case Identifier():
                rows["identifiers"].append(_identifier(key[1], ids))
            case Person(merged_into=str() as into):
                rows["aliases"].append({"id": ids.person(key[1]), "into": ids.person(into)})
            case Person(contacts=contacts):
                rows["people"].append({"id": ids.person(key[1]), "contacts": list(contacts)})
            case Review():
                rows["reviews"].append(_review(value))
            case Link():
                rows[_LINK_ROWS[value.kind]].append(_link(value))
            case _:
                pass
    return rows


def evidence_as_row(evidence: Evidence, outcome: Outcome, digest: str) -> dict[str, Any]:
    """An Evidence node."""
    return {
        "id": evidence.id,
        "place": evidence.place,
        "kind": type(evidence).__struct_config__.tag,
        "at": evidence.at,
        "recordedAt": evidence.recorded_at,
        "body": _encoder.encode(evidence).decode(),
        "outcome": _encoder.encode(outcome).decode(),
        "digest": digest,
        "cookie": None if isinstance(evidence, ContactUpsert) else evidence.cookie,
    }


def _visitor(visitor: Visitor) -> dict[str, Any]:
    return {
        "id": visitor.id,
        "cookie": visitor.cookie,
        "properties": {
            "cookie": visitor.cookie,
            "opening": visitor.opening.value,
            "openedBy": visitor.opened_by,
            "start": visitor.start,
            "end": visitor.end,
            "startedAt": visitor.started_at,
            "endedAt": visitor.ended_at,
            "endedBy": visitor.ended_by,
            "identified": visitor.identified,
            "verified": visitor.verified,
            "attended": [moment for run in visitor.attended for moment in run],
        },
    }


def _contact(contact: Contact) -> dict[str, Any]:
    return {
        "id": contact.id,
        "properties": {
            "source": contact.source or "identify",
            "sourceId": contact.source_id or contact.id,
            "state": "CURATED" if contact.curated else "IDENTIFIED",
            "assurance": int(contact.assurance),
            "made": contact.made,
            "madeAt": contact.made_at,
            "isRecord": contact.source is not None,
            "traits": _encoder.encode(contact.traits).decode(),
        },
    }


def _identifier(key: IdentifierKey, ids: Ids) -> dict[str, Any]:
    type, _, value = key.partition(":")
    return {"key": key, "id": ids.identifier(key), "type": type, "value": value}


def _review(review: Review) -> dict[str, Any]:
    return {
        "id": review.id,
        "properties": {
            "kind": review.kind.value,
            "contacts": list(review.contacts),
            "identifier": review.identifier,
            "evidence": review.evidence,
            "at": review.at,
            "recordedAt": review.recorded_at,
            "reason": review.reason,
        },
    }


def _link(link: Link) -> dict[str, Any]:
    return {
        "id": link.id,
        "source": link.source,
        "target": link.target,
        "properties": properties_of(link),
    }


def properties_of(link: Link) -> dict[str, Any]:
    """The properties that a link has in the graph; what is not so has none."""
    properties = {
        "id": link.id,
        "state": link.state.value,
        "rule": link.rule,
        "assurance": int(link.assurance),
        "evidence": link.evidence,
        "actor": link.actor,
        "at": link.at,
        "recordedAt": link.recorded_at,
        "reach": link.reach,
        "endedAt": link.ended_at,
        "endedBy": link.ended_by,
        "retractedAt": link.retracted_at,
        "retractedBy": link.retracted_by,
        "reason": link.reason,
    }
    return {name: value for name, value in properties.items() if value is not None}
