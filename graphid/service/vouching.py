"""What others vouch for: a provider by a code or an ID token, a site by what it signs itself.

What is vouched for is taken in as an identify at VERIFIED, in one transaction with the chat's badge
and with the note that the code was used. Nothing else is ever VERIFIED.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import msgspec

from graphid.auth.exchange import CodeExchange
from graphid.auth.keys import Caller
from graphid.auth.signed import SignedIdentities, SigningKey
from graphid.auth.tokens import IdTokens, Vouched, issuer_of
from graphid.errors import InvalidInput, Refused
from graphid.graph.database import Database, Unit
from graphid.graph.policies import Policies
from graphid.graph.queries import query
from graphid.identity.identifiers import InvalidIdentifier, normalise
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.values import SECOND, Micros
from graphid.service.chat_places import ChatPlace, ChatPlaces
from graphid.service.ingest import Ingest
from graphid.service.messages import (
    AuthenticateChat,
    ChatAuthentication,
    ClaimedIdentifier,
    Identify,
    Proof,
    Traits,
    Use,
)
from graphid.service.providers import KnownProviders
from graphid.service.receipts import Receipt
from graphid.service.recording import micros
from graphid.service.senders import sender_of

FIND_USED = query("proofs/find_used")

OLDEST = timedelta(minutes=5)
"""How long before it arrives a browser's proof may have happened; it counts when it arrives."""

_outcomes = msgspec.json.Decoder(Outcome)


@dataclass(frozen=True)
class Authenticated:
    """A chat that a provider vouched in; ``links``: ids of what that made or changed;
    ``contacts``: of the contact that it identified, where it identified one."""

    chat: str
    links: tuple[str, ...]
    contacts: tuple[str, ...]


class Vouching:
    """Has codes and tokens validated, and takes in what they vouch for.

    ``clock`` answers microseconds since 1970 UTC.
    """

    def __init__(
        self,
        database: Database,
        ingest: Ingest,
        ids: Ids,
        *,
        policies: Policies,
        providers: KnownProviders,
        exchange: CodeExchange,
        tokens: IdTokens,
        clock: Callable[[], Micros],
    ) -> None:
        self._database = database
        self._ingest = ingest
        self._ids = ids
        self._policies = policies
        self._providers = providers
        self._exchange = exchange
        self._tokens = tokens
        self._signed = SignedIdentities(clock=lambda: clock() / SECOND)
        self._clock = clock

    # ------------------------------------------------------------------ chats

    async def authenticate_chat(self, asked: AuthenticateChat, caller: Caller) -> Authenticated:
        """Redeem the code, and flag the chat as authenticated for whom the provider vouches for.

        The same code for the same chat again is answered as it was, without a call to the
        provider. Raises InvalidInput; NotFound for a chat that is not there, or not the caller's;
        Refused for what the provider does not vouch for: then the chat goes on as it was.
        """
        place = await self._place_of(asked, caller)
        provider = await self._providers.of(asked.iss)
        code = Use(
            key=self._ids.use("code", provider.issuer, asked.auth_code),
            by=self._ids.use("chat", place.chat),
        )
        known = await self._answered(code, place)
        if known is not None:
            return known
        try:
            answer = await self._exchange.exchange(
                provider,
                code=asked.auth_code,
                redirect_uri=asked.redirect_uri,
                code_verifier=asked.code_verifier,
            )
        except Refused:
            # Who asks twice at once may be told by the provider that the code was used: by us.
            known = await self._answered(code, place)
            if known is not None:
                return known
            raise
        vouched = await self._tokens.validate(
            answer.id_token,
            provider,
            nonce=asked.nonce,
            max_age=asked.max_age,
            access_token=answer.access_token,
            code=asked.auth_code,
        )
        await self._require_somebody(vouched)
        proof = self._proof(vouched, (code, *self._nonce(vouched, code.key)))
        message = ChatAuthentication(
            message_id=asked.message_id or code.key,
            chat_id=place.chat,
            cookie_id=place.cookie,
            proof=proof,
        )
        (receipt,) = await self._ingest.submit([message], sender_of(caller))
        return _authenticated(place, _told(receipt))

    async def _require_somebody(self, vouched: Vouched) -> None:
        """Raises Refused where all that is vouched for are values that identify nobody."""
        policy = (await self._policies.current()).policy
        for type, value in vouched.identifiers:
            try:
                key = normalise(type, value, region=policy.phone.region)
            except InvalidIdentifier:
                continue
            if not policy.is_blocked(key):
                return
        raise Refused(reasons=["What the provider vouches for is a value that identifies nobody."])

    async def _place_of(self, asked: AuthenticateChat, caller: Caller) -> ChatPlace:
        sender = sender_of(caller)
        message = ChatAuthentication(
            message_id=asked.message_id or "unsent",
            chat_id=asked.chat_id,
            cookie_id=asked.cookie_id,
            proof=Proof(issuer="", subject="", identifiers=()),
        )

        async def work(unit: Unit) -> ChatPlace:
            chats = ChatPlaces(sender, self._ids)
            found = await chats.find(unit, [(message, message.message_id)], lock=False)
            return found[message.message_id]

        place = await self._database.read(work)
        if place.problem is not None:
            raise place.problem
        return place

    async def _answered(self, code: Use, place: ChatPlace) -> Authenticated | None:
        """What the code was answered with in this chat; None where it was not used.

        Raises Refused where it was used in another.
        """
        rows = await self._database.read_rows(FIND_USED, key=code.key)
        if not rows:
            return None
        if rows[0]["by"] != code.by:
            raise Refused(reasons=["authCode: was used before."])
        outcome = rows[0]["outcome"]
        return _authenticated(place, Outcome() if outcome is None else _outcomes.decode(outcome))

    # ------------------------------------------------------------------ identifies

    async def identify(self, message: Identify, caller: Caller) -> Identify:
        """The identify with what its token, or its signed identity, proves; itself where it has
        neither. Raises InvalidInput or Refused."""
        if message.id_token is None and message.signed_identity is None:
            return message
        if message.id_token is not None and message.signed_identity is not None:
            raise InvalidInput("send either this or idToken, not both", path=["signedIdentity"])
        message = self._as_of_now(message) if caller.is_browser else message
        if message.id_token is not None:
            provider = await self._providers.of(issuer_of(message.id_token))
            vouched = await self._tokens.validate(message.id_token, provider)
        else:
            assert message.signed_identity is not None
            vouched = self._signed_by_the_site(message.signed_identity, caller)
        again = self._ids.use("cookie", message.context.cookie_id, vouched.digest)
        proof = self._proof(vouched, self._nonce(vouched, again))
        return message.model_copy(update={"proof": proof})

    def _as_of_now(self, message: Identify) -> Identify:
        """A browser's proof counts when it arrives: at another time it would be others' events
        that it is about. Raises InvalidInput where it is too old to stand for now."""
        at = message.context.occurred_at
        oldest = self._clock() - OLDEST // timedelta(microseconds=1)
        if at is not None and micros(at) < oldest:
            raise InvalidInput(
                f"must be at most {OLDEST // timedelta(minutes=1)} minutes ago, for a proof",
                path=["context", "occurredAt"],
            )
        context = message.context.model_copy(update={"occurred_at": None})
        return message.model_copy(update={"context": context})

    def _signed_by_the_site(self, token: str, caller: Caller) -> Vouched:
        """What the site of the key vouches for, by any of its keys that is still taken."""
        if caller.signing is None:
            raise Refused(reasons=["This key has nothing that signed identities are checked with."])
        refusal: Refused | None = None
        for text in caller.signing.keys:
            key = _signing_key(caller.signing.algorithm, text)
            try:
                return self._signed.validate(token, key, issuer=caller.name)
            except Refused as error:
                refusal = refusal or error
        assert refusal is not None
        raise refusal

    # ------------------------------------------------------------------ what is vouched for

    def _nonce(self, vouched: Vouched, by: str) -> tuple[Use, ...]:
        """A nonce is used once: again only by who used it, with the same token."""
        if vouched.nonce is None:
            return ()
        key = self._ids.use("nonce", vouched.issuer, vouched.nonce)
        return (Use(key=key, by=self._ids.use("nonce of", by)),)

    def _proof(self, vouched: Vouched, uses: tuple[Use, ...]) -> Proof:
        return Proof(
            issuer=vouched.issuer,
            subject=vouched.subject,
            identifiers=tuple(
                ClaimedIdentifier(type=type, value=value) for type, value in vouched.identifiers
            ),
            traits=Traits.model_validate(dict(vouched.traits)) if vouched.traits else None,
            uses=uses,
        )


@lru_cache(maxsize=256)
def _signing_key(algorithm: str, text: str) -> SigningKey:
    """A site's key, read once."""
    return SigningKey.of_secret(text) if algorithm == "HS256" else SigningKey.of_public(text)


def _told(receipt: Receipt) -> Outcome:
    if receipt.problem is not None:
        raise receipt.problem
    return receipt.outcome or Outcome()


def _authenticated(place: ChatPlace, outcome: Outcome) -> Authenticated:
    contacts = () if outcome.contact is None else (outcome.contact,)
    return Authenticated(place.chat, outcome.links, contacts)
