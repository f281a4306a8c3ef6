"""Mutations: the keys that callers show."""

from __future__ import annotations

from typing import Annotated

import strawberry

from graphid import errors
from graphid.api.context import Info
from graphid.api.inputs import CreateKeyInput, message_of
from graphid.api.keys import AccessKey, IssuedKey
from graphid.api.mutations.recorded import recorded
from graphid.api.mutations.submitting import or_not_found, or_refused
from graphid.api.nodes import computed
from graphid.api.problems import InvalidInput, NotFound, Refused, refused
from graphid.service.keymaking import OVERLAP, CreateKey, RevokeKey, RotateKey

CreateKeyResult = Annotated[IssuedKey | InvalidInput | Refused, strawberry.union("CreateKeyResult")]
RotateKeyResult = Annotated[
    IssuedKey | InvalidInput | NotFound | Refused, strawberry.union("RotateKeyResult")
]
RevokeKeyResult = Annotated[
    AccessKey | InvalidInput | NotFound, strawberry.union("RevokeKeyResult")
]


@strawberry.type
class KeyMutations:
    @computed(
        "Makes a key, and tells its text this once. Nobody can give it a scope that they do not "
        "hold themselves."
    )
    async def create_key(self, info: Info, input: CreateKeyInput) -> CreateKeyResult:
        return await or_refused(_create(info, input))

    @computed(
        "Gives a key another secret, told this once, and with HS256 another secret to sign with. "
        "The former ones are taken until the overlap ends."
    )
    async def rotate_key(
        self,
        info: Info,
        *,
        id: strawberry.ID,
        overlap: Annotated[
            int | None,
            strawberry.argument(description="Seconds, 0 to 2,592,000; 0 ends the former at once."),
        ] = OVERLAP,
        signing_public_key: Annotated[
            str | None,
            strawberry.argument(
                description="For signing PUBLIC_KEY: the site's next key, as PEM. Null: it keeps "
                "the one that it has."
            ),
        ] = strawberry.UNSET,
    ) -> RotateKeyResult:
        given: dict[str, object] = {
            "overlap": OVERLAP if overlap is None else overlap,
            "signingPublicKey": signing_public_key or None,
        }
        try:
            return await or_not_found(_rotate(info, id, given))
        except errors.Refused as error:
            return refused(error)

    @computed("Ends a key, with all its secrets, in every process within 5 seconds.")
    async def revoke_key(
        self,
        info: Info,
        *,
        id: strawberry.ID,
        reason: Annotated[
            str | None, strawberry.argument(description="Why: up to 1,000 characters.")
        ] = strawberry.UNSET,
    ) -> RevokeKeyResult:
        return await or_not_found(_revoke(info, id, {"reason": reason or None}))


async def _create(info: Info, sent: CreateKeyInput) -> IssuedKey:
    context = info.context
    wanted = message_of(CreateKey, sent)
    making = context.services.keys.create(wanted, context.caller)
    return IssuedKey.of(await recorded(info, making, about=lambda made: _subject(made.key.id)))


async def _rotate(info: Info, id: str, given: dict[str, object]) -> IssuedKey:
    context = info.context
    wanted = message_of(RotateKey, given)
    rotating = context.services.keys.rotate(id, wanted, context.caller)
    subject = _subject(id)
    return IssuedKey.of(await recorded(info, rotating, about=lambda _: subject, asked=[subject]))


async def _revoke(info: Info, id: str, given: dict[str, object]) -> AccessKey:
    context = info.context
    wanted = message_of(RevokeKey, given)
    revoking = context.services.keys.revoke(id, wanted, context.caller)
    return AccessKey.of(await recorded(info, revoking, about=lambda _: _subject(id)))


def _subject(id: str) -> str:
    return f"key_{id}"
