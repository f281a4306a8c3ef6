"""Keys, as they are told: everything but what opens them."""

from __future__ import annotations

import strawberry

from graphid.api.nodes import PageInfo, cursors_of, page_info
from graphid.api.scalars import Timestamp
from graphid.auth.key_text import KeyKind
from graphid.graph.access_keys import AccessKey as AccessKeyRecord
from graphid.service.keymaking import IssuedKey as IssuedKeyRecord
from graphid.service.pages import Page

KEYS = "keys"
"""The name of the list, in its cursors."""


@strawberry.type(description="How much may be asked with a key; null: no more than by all.")
class KeyLimits:
    requests_per_second: int | None = strawberry.field(description="Requests begun in a second.")
    events_per_second: int | None = strawberry.field(description="Messages sent in a second.")
    concurrent_requests: int | None = strawberry.field(description="Requests at one moment.")
    cost_per_minute: int | None = strawberry.field(
        description="Fields that the answers of a minute may hold."
    )


@strawberry.type(description="A key that the graph keeps. Its secret is told once, when made.")
class AccessKey:
    id: strawberry.ID = strawberry.field(description="The middle part of its text; no secret.")
    kind: KeyKind = strawberry.field(description="Who it is for.")
    name: str = strawberry.field(description="What it is called, for people.")
    scopes: list[str] = strawberry.field(description="What it may do, as `event:write`.")
    origins: list[str] | None = strawberry.field(
        description="Of the pages that may send with it; null: pages of any."
    )
    limits: KeyLimits | None = strawberry.field(description="How much may be asked with it.")
    signing_algorithm: str | None = strawberry.field(
        description="What `signedIdentity` is signed by: HS256, RS256, ES256 or EdDSA; null: a "
        "signed identity is not taken with this key."
    )
    created_at: Timestamp = strawberry.field(description="When it was made.")
    created_by: str = strawberry.field(description="The name of the caller who made it.")
    expires_at: Timestamp | None = strawberry.field(description="When it ends by itself.")
    rotated_at: Timestamp | None = strawberry.field(description="When it last got a new secret.")
    former_until: Timestamp | None = strawberry.field(
        description="Until when a former secret is taken beside the newest, or was."
    )
    revoked_at: Timestamp | None = strawberry.field(description="When it was ended, if it was.")
    revoked_by: str | None = strawberry.field(description="The name of the caller who ended it.")
    reason: str | None = strawberry.field(description="Why it was ended.")
    last_used_at: Timestamp | None = strawberry.field(
        description="When it last opened something, to a minute; null: never."
    )

    @classmethod
    def of(cls, key: AccessKeyRecord) -> AccessKey:
        return cls(
            id=strawberry.ID(key.id),
            kind=KeyKind(key.kind),
            name=key.name,
            scopes=list(key.scopes),
            origins=None if key.origins is None else list(key.origins),
            limits=None if key.limits is None else _limits(key),
            signing_algorithm=key.signing,
            created_at=Timestamp(key.created_at),
            created_by=key.created_by,
            expires_at=_time(key.expires_at),
            rotated_at=_time(key.rotated_at),
            former_until=_time(key.former_until),
            revoked_at=_time(key.revoked_at),
            revoked_by=key.revoked_by,
            reason=key.reason,
            last_used_at=_time(key.last_used_at),
        )


@strawberry.type(description="A key with what is told of it this once: keep it.")
class IssuedKey:
    key: AccessKey = strawberry.field(description="The key.")
    text: str = strawberry.field(description="What its holder shows: never told again.")
    signing_secret: str | None = strawberry.field(
        description="For signing HS256: the secret, whose 64 ASCII characters are the key of the "
        "HMAC. Never told again; rotating the key makes another."
    )

    @classmethod
    def of(cls, issued: IssuedKeyRecord) -> IssuedKey:
        return cls(
            key=AccessKey.of(issued.key), text=issued.text, signing_secret=issued.signing_secret
        )


@strawberry.type(description="A key in a list.")
class AccessKeyEdge:
    cursor: str = strawberry.field(description="For `after`.")
    node: AccessKey = strawberry.field(description="The key.")


@strawberry.type(description="A page of keys.")
class AccessKeyConnection:
    edges: list[AccessKeyEdge] = strawberry.field(description="The keys, the latest first.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def of(cls, page: Page[AccessKeyRecord]) -> AccessKeyConnection:
        cursors = cursors_of(KEYS, page)
        return cls(
            edges=[
                AccessKeyEdge(cursor=cursor, node=AccessKey.of(key))
                for cursor, key in zip(cursors, page.items, strict=True)
            ],
            page_info=page_info(page, cursors),
        )


def _limits(key: AccessKeyRecord) -> KeyLimits:
    limits = key.limits or {}
    return KeyLimits(
        requests_per_second=limits.get("requests_per_second"),
        events_per_second=limits.get("events_per_second"),
        concurrent_requests=limits.get("concurrent_requests"),
        cost_per_minute=limits.get("cost_per_minute"),
    )


def _time(at: int | None) -> Timestamp | None:
    return None if at is None else Timestamp(at)
