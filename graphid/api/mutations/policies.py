"""Mutations: what resolution follows."""

from __future__ import annotations

from typing import Annotated

import strawberry

from graphid.api.context import Info
from graphid.api.mutations.recorded import or_failed
from graphid.api.mutations.submitting import or_invalid
from graphid.api.nodes import computed
from graphid.api.policies import Policy
from graphid.api.problems import InvalidInput
from graphid.api.scalars import JSON
from graphid.errors import InvalidPolicy
from graphid.service.audit.entries import Outcome

SetPolicyResult = Annotated[Policy | InvalidInput, strawberry.union("SetPolicyResult")]


@strawberry.type
class PolicyMutations:
    @computed(
        "Evidence recorded from now on follows this document; what it leaves out is the default. "
        "Evidence recorded before stays as it is."
    )
    async def set_policy(self, info: Info, document: JSON) -> SetPolicyResult:
        return await or_invalid(_set(info, document))


async def _set(info: Info, document: JSON) -> Policy:
    context, action = info.context, info.field_name
    try:
        with or_failed(context, action):
            version = await context.policies.set(document, context.caller.name)
    except InvalidPolicy:
        await context.record(action, outcome=Outcome.REFUSED)
        raise
    await context.record(action, subjects=[f"policy_{version.version}"])
    return Policy.of(version)
