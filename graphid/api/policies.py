"""The policy, as it is told."""

from __future__ import annotations

from typing import cast

import strawberry

from graphid.api.context import Info
from graphid.api.scalars import JSON, Timestamp
from graphid.auth.scopes import may_see_policy
from graphid.errors import NotFound
from graphid.identity.policy import PolicyVersion


@strawberry.type(description="One version of the settings that resolution follows.")
class Policy:
    version: int = strawberry.field(description="1 is the default; each one set has the next.")
    document: JSON = strawberry.field(
        description="All settings, also those left out when it was set. The values in `blocked` "
        "are masked for whoever may neither see identifiers nor set the policy."
    )
    set_at: Timestamp = strawberry.field(description="Since when it counts.")
    set_by: str | None = strawberry.field(description="The key that set it; null for version 1.")

    @classmethod
    def of(cls, found: PolicyVersion) -> Policy:
        return cls(
            version=found.version,
            document=cast(JSON, found.document),
            set_at=Timestamp(found.set_at),
            set_by=found.set_by,
        )


async def policy_by_version(info: Info, version: int | None) -> Policy:
    """The version in force, or the one asked for. NotFound where there is no such version."""
    policies = info.context.policies
    found = await (policies.current() if version is None else policies.find(version))
    if found is None:
        raise NotFound(f"The policy has no version {version}.", path=["version"])
    context = info.context
    return Policy.of(found if may_see_policy(context.caller.scopes) else await context.shown(found))
