"""The exchange of an authorization code for the tokens of a login (RFC 6749, RFC 7636)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from graphid.auth.compact import refused
from graphid.auth.key_sets import KeySets
from graphid.auth.outbound import Outbound
from graphid.auth.providers import Provider
from graphid.errors import InvalidInput, Refused

MAX_CODE = 4096
"""Characters of a code, at most."""

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_REASONS: Mapping[object, str] = {
    "invalid_grant": (
        "The provider does not take the code: it was used before or has expired, or the verifier"
        " or the redirect address is not that of its login."
    ),
    "invalid_client": "The provider does not know graphid by this client id and secret.",
    "unauthorized_client": "The provider does not let graphid exchange codes.",
}
"""By what the token endpoint says (RFC 6749, section 5.2)."""


@dataclass(frozen=True)
class TokenAnswer:
    """What the provider gave for a code. Not validated yet."""

    id_token: str = field(repr=False)
    access_token: str | None = field(repr=False)


class CodeExchange:
    """Exchanges codes at the token endpoints of providers."""

    def __init__(self, outbound: Outbound, key_sets: KeySets) -> None:
        self._outbound = outbound
        self._key_sets = key_sets

    async def exchange(
        self, provider: Provider, *, code: str, redirect_uri: str, code_verifier: str | None = None
    ) -> TokenAnswer:
        """The tokens of the login that the code is of.

        ``redirect_uri``: where the provider sent the code. ``code_verifier``: of PKCE, where the
        login had a challenge. Raises InvalidInput for what can be no code or verifier, and Refused
        with the reason for everything else; the code is sent only when it may succeed, and so
        only where there are keys to believe the tokens by: it can be used but once.
        """
        _check_sent(code, code_verifier)
        if redirect_uri not in provider.redirect_uris:
            raise refused("The redirect address is not on the provider's list.")
        if provider.client_secret is None and code_verifier is None:
            raise refused("A public client's code is exchanged only with its verifier.")
        published = await self._key_sets.published(provider)
        if published.token_endpoint is None:
            raise refused("The provider does not say where codes are exchanged.")
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        if code_verifier is not None:
            form["code_verifier"] = code_verifier
        headers = _authenticate(provider, form)
        status, said = await self._outbound.post(
            published.token_endpoint, provider.allowed_hosts, form, headers
        )
        if status != 200:
            raise _refusal(said)
        return _tokens(said)


def _check_sent(code: str, verifier: str | None) -> None:
    if not 0 < len(code) <= MAX_CODE or not (code.isascii() and code.isprintable()):
        fault = f"A code is 1 to {MAX_CODE} printable ASCII characters."
        raise InvalidInput(fault, path=("authCode",))
    if verifier is not None and not _VERIFIER.fullmatch(verifier):
        fault = "A verifier is 43 to 128 letters, digits and any of - . _ ~"
        raise InvalidInput(fault, path=("codeVerifier",))


def _authenticate(provider: Provider, form: dict[str, str]) -> dict[str, str]:
    """Headers that show who asks; what belongs in the form is put there."""
    secret = "" if provider.client_secret is None else provider.client_secret.get_secret_value()
    if provider.auth_method == "client_secret_basic":
        # Both are encoded as in a form before they are joined (RFC 6749, section 2.3.1).
        pair = f"{quote_plus(provider.client_id)}:{quote_plus(secret)}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode('ascii')).decode('ascii')}"}
    form["client_id"] = provider.client_id
    if provider.auth_method == "client_secret_post":
        form["client_secret"] = secret
    return {}


def _refusal(said: Mapping[str, Any]) -> Refused:
    error = said.get("error")
    known = _REASONS.get(error) if isinstance(error, str) else None
    return refused(known or "The provider refused to exchange the code.")


def _tokens(said: Mapping[str, Any]) -> TokenAnswer:
    id_token, access_token = said.get("id_token"), said.get("access_token")
    if not isinstance(id_token, str):
        raise refused("The provider gave no ID token for the code.")
    if not isinstance(access_token, str | None):
        raise refused("The provider gave an access token that is not text.")
    return TokenAnswer(id_token, access_token)
