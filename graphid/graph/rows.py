"""The readable graph's nodes and links, as rows of what is written."""

from __future__ import annotations

from typing import Any

from graphid.graph.memory import encode
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.state import Contact, Link, LinkKind, Review, Visitor
from graphid.identity.values import OF_OPERATION, OPERATIONS, Evidence, IdentifierKey
from graphid.identity.words import words_of_identifier, words_of_names

Row = dict[str, Any]


def evidence_as_row(piece: Evidence, outcome: Outcome, digest: str | None) -> dict[str, Any]:
    """An Evidence node."""
    return {
        "id": piece.id,
        "place": piece.place,
        "kind": type(piece).__struct_config__.tag,
        "at": piece.at,
        "recordedAt": piece.recorded_at,
        "policy": piece.policy,
        "body": encode(piece),
        "outcome": encode(outcome),
        "digest": digest,
        "cookie": cookie_of(piece),
        "operation": type(piece).__struct_config__.tag if isinstance(piece, OPERATIONS) else None,
    }


def cookie_of(evidence: Evidence) -> str | None:
    """Where evidence came from; None for a record and for an operation."""
    cookie: str | None = getattr(evidence, "cookie", None)
    return cookie


def visitor_row(visitor: Visitor) -> Row:
    link = None if visitor.owner is None else visitor.link
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
            "unattendedAfter": visitor.unattended_after,
            "unattendedOwner": visitor.unattended_owner.value,
            "contact": None if link is None else link.target,
            "linkedAt": None if link is None else link.at,
        },
    }


def contact_row(contact: Contact) -> Row:
    return {
        "id": contact.id,
        "properties": {
            "source": contact.source or "identify",
            "sourceId": contact.source_id or contact.id,
            "state": "CURATED" if contact.curated else "IDENTIFIED",
            "assurance": int(contact.assurance),
            "made": contact.made,
            "madeAt": contact.made_at,
            "namedFor": contact.named_for,
            "evidence": contact.evidence,
            "isRecord": contact.source is not None and not contact.deleted,
            "traits": encode(contact.traits),
            "names": words_of_names(contact),
        },
    }


def identifier_row(key: IdentifierKey, ids: Ids) -> Row:
    type, _, value = key.partition(":")
    return {
        "key": key,
        "id": ids.identifier(key),
        "type": type,
        "value": value,
        "words": words_of_identifier(key),
    }


def review_row(review: Review) -> Row:
    states = {None: "OPEN", True: "ACCEPTED", False: "REJECTED"}
    return {
        "id": review.id,
        "properties": {
            "kind": review.kind.value,
            "state": states[review.accepted],
            "contacts": list(review.contacts),
            "identifier": review.identifier,
            "evidence": review.evidence,
            "at": review.at,
            "recordedAt": review.recorded_at,
            "position": f"{review.recorded_at:016d}{review.id}",
            "reason": review.reason,
            "decidedBy": review.decided_by,
        },
    }


def link_row(link: Link) -> Row:
    return {
        "id": link.id,
        "source": link.source,
        "target": link.target,
        "properties": properties_of(link),
    }


def properties_of(link: Link) -> Row:
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
        "toldOf": link.target if _is_told(link) else None,
    }
    return {name: value for name, value in properties.items() if value is not None}


def _is_told(link: Link) -> bool:
    """Whether an operator gave a visitor to the contact, or took one: a journey tells of that, and
    has to find it among very many visitors."""
    if link.kind is not LinkKind.IDENTIFIED_AS:
        return False
    return link.rule == "MERGED" or (link.retracted_by or "").endswith(OF_OPERATION)
