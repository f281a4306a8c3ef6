"""Identity providers, as they are told: everything but their client secrets."""

from __future__ import annotations

import strawberry

from graphid.api.scalars import Timestamp
from graphid.auth.providers import ClientAuthMethod
from graphid.service.provider_setup import ProviderRecord


@strawberry.type(description="A claim of a provider's tokens that is an identifier.")
class IdentifierClaim:
    claim: str = strawberry.field(description="Its name.")
    type: str = strawberry.field(description="The identifier type that it fills.")


@strawberry.type(description="An OpenID Connect provider whose word counts, and how far.")
class OidcProvider:
    issuer: str = strawberry.field(description="As the provider itself writes it.")
    client_id: str = strawberry.field(
        description="What graphid is called there: the audience of its tokens."
    )
    has_secret: bool = strawberry.field(
        description="Whether a client secret is kept. Without one it is a public client, whose "
        "codes need their verifier (PKCE). The secret itself is told to nobody."
    )
    auth_method: ClientAuthMethod = strawberry.field(
        description="How the secret is shown when a code is exchanged."
    )
    algorithms: list[str] = strawberry.field(description="How its tokens may be signed.")
    leeway: int = strawberry.field(description="Seconds by which its clock may differ from ours.")
    redirect_uris: list[str] = strawberry.field(
        description="Where codes may have been sent, character by character."
    )
    hosts: list[str] = strawberry.field(
        description="Hosts beside the issuer's own that its keys and its token endpoint may be on."
    )
    require_nonce: bool = strawberry.field(
        description="Whether a token is taken only with the nonce of its login."
    )
    max_age: int | None = strawberry.field(
        description="Seconds since the human last showed who they are, at most; null: any."
    )
    subject_type: str = strawberry.field(description="The identifier type of its subjects.")
    email_claim: str | None = strawberry.field(
        description="Taken as `email` where the claim of this name and `_verified` is true; null: "
        "never."
    )
    phone_claim: str | None = strawberry.field(
        description="Taken as `phone` where the claim of this name and `_verified` is true; null: "
        "never."
    )
    identifiers: list[IdentifierClaim] = strawberry.field(
        description="Further claims that are identifiers."
    )
    from_settings: bool = strawberry.field(
        description="Whether the settings define it: then it is changed and removed there."
    )
    set_at: Timestamp | None = strawberry.field(
        description="When it was set as it is; null: by the settings."
    )
    set_by: str | None = strawberry.field(
        description="The name of the caller who set it; null: the settings did."
    )

    @classmethod
    def of(cls, record: ProviderRecord) -> OidcProvider:
        provider = record.provider
        return cls(
            issuer=provider.issuer,
            client_id=provider.client_id,
            has_secret=provider.client_secret is not None,
            auth_method=provider.auth_method,
            algorithms=list(provider.algorithms),
            leeway=provider.leeway,
            redirect_uris=list(provider.redirect_uris),
            hosts=list(provider.hosts),
            require_nonce=provider.require_nonce,
            max_age=provider.max_age,
            subject_type=provider.subject_type,
            email_claim=provider.email_claim,
            phone_claim=provider.phone_claim,
            identifiers=[
                IdentifierClaim(claim=claim, type=type)
                for claim, type in provider.identifiers.items()
            ],
            from_settings=record.is_from_settings,
            set_at=None if record.set_at is None else Timestamp(record.set_at),
            set_by=record.set_by,
        )
