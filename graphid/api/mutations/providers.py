"""Mutations: the identity providers whose word counts."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import strawberry
from pydantic.alias_generators import to_camel

from graphid import errors
from graphid.api.context import Info
from graphid.api.inputs import IdentifierClaimInput, OidcProviderInput
from graphid.api.mutations.recorded import recorded
from graphid.api.mutations.submitting import or_not_found, or_refused
from graphid.api.nodes import computed
from graphid.api.problems import InvalidInput, NotFound, Refused
from graphid.api.providers import OidcProvider
from graphid.auth.providers import Path

MEANS_NEVER = frozenset({"email_claim", "phone_claim"})
"""Fields in which null says something; in the others it is as good as nothing."""


@strawberry.type(description="The provider vouches for nobody any more.")
class ProviderRemoved:
    issuer: str = strawberry.field(description="Which one it was.")


SetProviderResult = Annotated[
    OidcProvider | InvalidInput | Refused, strawberry.union("SetProviderResult")
]
RemoveProviderResult = Annotated[
    ProviderRemoved | InvalidInput | NotFound, strawberry.union("RemoveProviderResult")
]


@strawberry.type
class ProviderMutations:
    @computed(
        "Believes an identity provider from now on, in every process within 5 seconds; one with "
        "the same issuer is replaced. Up to 50; those of the settings are changed there."
    )
    async def set_provider(self, info: Info, input: OidcProviderInput) -> SetProviderResult:
        return await or_refused(_set(info, input))

    @computed(
        "Believes an identity provider no more, in every process within 5 seconds, and forgets its "
        "client secret. What it has vouched for stays as it is."
    )
    async def remove_provider(
        self,
        info: Info,
        issuer: Annotated[str, strawberry.argument(description="As `providers` lists it.")],
    ) -> RemoveProviderResult:
        return await or_not_found(_remove(info, issuer))


async def _set(info: Info, sent: OidcProviderInput) -> OidcProvider:
    context = info.context
    claims = sent.identifiers or []
    document = _document(sent, claims)
    record = await recorded(
        info,
        context.services.providers.set(
            document, context.caller, spelled=lambda path: _spelled(path, claims)
        ),
        about=lambda record: _subject(record.provider.issuer),
    )
    return OidcProvider.of(record)


async def _remove(info: Info, issuer: str) -> ProviderRemoved:
    context = info.context
    await recorded(
        info, context.services.providers.remove(issuer), about=lambda _: _subject(issuer)
    )
    return ProviderRemoved(issuer=issuer)


def _subject(issuer: str) -> str:
    return f"provider_{issuer}"


def _document(sent: OidcProviderInput, claims: list[IdentifierClaimInput]) -> dict[str, Any]:
    """What was sent, as settings would say it. Raises InvalidInput for a claim named twice."""
    document = {
        field.name: value
        for field in dataclasses.fields(sent)
        if (value := getattr(sent, field.name)) is not strawberry.UNSET
        and (value is not None or field.name in MEANS_NEVER)
    }
    named: dict[str, str] = {}
    for number, each in enumerate(claims):
        if each.claim in named:
            path = ["identifiers", str(number), "claim"]
            raise errors.InvalidInput("A claim may be there once.", path=path)
        named[each.claim] = each.type
    return {**document, "identifiers": named}


def _spelled(path: Path, claims: list[IdentifierClaimInput]) -> Path:
    """A path in the document, as the client sent it."""
    field, *within = path
    if field == "identifiers" and within:
        number = [each.claim for each in claims].index(within[0])
        within = [str(number), "claim" if len(within) > 1 else "type"]
    return (to_camel(field), *within)
