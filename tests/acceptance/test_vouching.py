"""A chat is authenticated when a provider vouched, and at no other time: over the real API, with a
certified provider, and with one that says what a test wants."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from graphid.graph.engine import Address
from tests.acceptance.oidc.provider import REDIRECT, CertifiedProvider, Login
from tests.auth.lying_provider import CLIENT, LyingProvider, Said, encoded, lying_provider
from tests.auth.lying_provider import REDIRECT as LYING_REDIRECT
from tests.service import (
    OTHER_PUBLISHABLE_KEY,
    PUBLISHABLE_KEY,
    Client,
    Service,
    running_service,
)
from tests.test_documents import PROVIDERS, block

DOCUMENT = (Path(__file__).parents[2] / "docs" / "providers.md").read_text(encoding="utf-8")
DOWN = "http://127.0.0.1:9"
"""An issuer where nobody answers."""

CHAT = "id authenticated authenticatedAt issuer subject"
PROBLEM = "... on Problem { code message } ... on Refused { reasons } ... on InvalidInput { path }"
START = """mutation ($input: StartChatInput!) { done: startChat(input: $input) {
  ... on ChatStarted { chat { id authenticated } } } }"""
SAY = """mutation ($input: ChatMessageInput!) { done: sendChatMessage(input: $input) {
  ... on EventAccepted { event { messageId } } ... on Problem { code } } }"""
LOGOUT = "mutation ($input: LogoutInput!) { done: logout(input: $input) { __typename } }"
AUTHENTICATE = f"""mutation ($input: AuthenticateChatInput!) {{
  done: authenticateChat(input: $input) {{ __typename
    ... on ChatAuthenticated {{ chat {{ {CHAT} }} person {{ id kind }} links {{ id kind }} }}
    {PROBLEM} }} }}"""
AUTHENTICATE_AS_BROWSER = block(PROVIDERS, "graphql authenticate").replace(
    "authenticateChat(", "done: authenticateChat("
)
"""As the documents have it."""
IDENTIFY = f"""mutation ($input: IdentifyInput!) {{ done: identify(input: $input) {{ __typename
  ... on Identified {{ person {{ id identifiers {{ type value }} }} event {{ detail }}
    links {{ kind assurance }} warnings {{ code }} }} {PROBLEM} }} }}"""
IDENTIFY_AS_BROWSER = f"""mutation ($input: IdentifyInput!) {{
  done: identify(input: $input) {{ __typename {PROBLEM} }} }}"""
SEVER = """mutation ($id: ID!) { done: severLink(id: $id, reason: "not them") { __typename } }"""
READ_CHAT = f"query ($id: ID!) {{ chat(id: $id) {{ {CHAT} person {{ id kind }} }} }}"
EVENT = """query ($id: ID!) { event(messageId: $id) {
  type person { id kind } attribution { basis assurance link { id } } } }"""
CREATE = """mutation ($input: CreateKeyInput!) { done: createKey(input: $input) {
  ... on IssuedKey { text signingSecret key { id } } } }"""

SET = """mutation ($input: OidcProviderInput!) { done: setProvider(input: $input) { __typename
  ... on OidcProvider { issuer hasSecret fromSettings } ... on Problem { message } } }"""
REMOVE = """mutation ($issuer: String!) { done: removeProvider(issuer: $issuer) { __typename } }"""
PROVIDERS = "{ providers { issuer fromSettings hasSecret } }"
AUDIT = """query ($subject: ID) { audit(first: 5, subject: $subject) {
  edges { node { action outcome } } } }"""


class Shop:
    """A service that two providers vouch at, and what is said in one chat of it."""

    def __init__(
        self, service: Service, certified: CertifiedProvider, lying: LyingProvider
    ) -> None:
        self.service = service
        self.server = service.client()
        self.browser = service.client(PUBLISHABLE_KEY)
        self.certified = certified
        self.lying = lying
        self.run = uuid4().hex[:10]
        self.cookie = f"{self.run}-cookie"
        self._sent = 0

    def start(self, cookie: str | None = None) -> str:
        """The id of a chat that a browser began."""
        sent = {"context": self.context(cookie), "chatId": f"{self.run}-{uuid4().hex[:6]}"}
        chat: dict[str, Any] = self.browser.graphql(START, input=sent)["done"]["chat"]
        assert chat["authenticated"] is False
        return str(chat["id"])

    def start_again(self, client: Client, chat: str) -> Any:
        """The chat as whoever begins it once more is told of it."""
        sent = {"context": self.context(), "chatId": chat}
        return client.graphql(START, input=sent)["done"]["chat"]

    def say(self, chat: str, cookie: str | None = None) -> str:
        """The message id of a line."""
        self._sent += 1
        line = {
            "messageId": f"{self.run}-line{self._sent}",
            "chatId": chat,
            "cookieId": cookie or self.cookie,
            "author": "CUSTOMER",
            "text": "Where is my order?",
        }
        event = self.browser.graphql(SAY, input=line)["done"]["event"]
        return str(event["messageId"])

    def context(self, cookie: str | None = None, **more: Any) -> dict[str, Any]:
        return {"cookieId": cookie or self.cookie, **more}

    def authenticate(
        self, chat: str, login: Login, *, client: Client | None = None, **more: Any
    ) -> dict[str, Any]:
        """What the hand-off of a code is answered."""
        asked = {
            "chatId": chat,
            "authCode": login.code,
            "redirectUri": login.redirect_uri,
            "codeVerifier": login.code_verifier,
            "nonce": login.nonce,
            "iss": login.issuer,
            **more,
        }
        document = AUTHENTICATE if client is None else AUTHENTICATE_AS_BROWSER
        done: dict[str, Any] = (client or self.server).graphql(document, input=asked)["done"]
        return done

    def chat(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.server.graphql(READ_CHAT, id=id)["chat"]
        return found

    def line(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.server.graphql(EVENT, id=id)["event"]
        return found

    def identify(self, client: Client | None = None, **sent: Any) -> dict[str, Any]:
        sent.setdefault("context", self.context())
        document = IDENTIFY if client is None else IDENTIFY_AS_BROWSER
        done: dict[str, Any] = (client or self.server).graphql(document, input=sent)["done"]
        return done

    def token(self, who: str, **claims: Any) -> str:
        """An ID token of the provider that says what it is told."""
        now = int(time.time())
        times = {"iat": now - 5, "exp": now + 300}
        return self.lying.token(**{"sub": f"{self.run}-{who}", **times, **claims})

    def lying_code(self, **claims: Any) -> dict[str, Any]:
        """What a code of that provider is handed over with; it stands for such a token."""
        now = int(time.time())
        token = self.token("sub", iat=now - 5, **claims)
        self.lying.code_answer = Said({"id_token": token, "token_type": "Bearer"})
        return {"authCode": uuid4().hex, "redirectUri": LYING_REDIRECT, "iss": self.lying.issuer}


@pytest.fixture(scope="module")
def lying() -> Iterator[LyingProvider]:
    with lying_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def service(
    database: Address,
    certified_provider: CertifiedProvider,
    lying: LyingProvider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    providers = [
        certified_provider.document("basic", require_nonce=True),
        {
            "issuer": lying.issuer,
            "client_id": CLIENT,
            "client_secret": "of the client",
            "redirect_uris": [LYING_REDIRECT],
        },
        {"issuer": DOWN, "client_id": "x", "redirect_uris": [REDIRECT]},
    ]
    folder = tmp_path_factory.mktemp("vouching")
    with running_service(database, folder, GRAPHID_OIDC_PROVIDERS=json.dumps(providers)) as running:
        yield running


@pytest.fixture
def shop(service: Service, certified_provider: CertifiedProvider, lying: LyingProvider) -> Shop:
    return Shop(service, certified_provider, lying)


# The login in a chat ---------------------------------------------------------------------------


def test_an_anonymous_chat_becomes_the_persons_and_is_authenticated_from_then_on(
    shop: Shop,
) -> None:
    chat = shop.start()
    before = shop.say(chat)
    assert shop.chat(chat)["person"]["kind"] == "ANONYMOUS"
    who = f"jane{shop.run}"
    done = shop.authenticate(chat, shop.certified.log_in(who), messageId=f"{shop.run}-auth")
    assert done["__typename"] == "ChatAuthenticated", done
    assert done["person"]["kind"] == "KNOWN"
    assert "IDENTIFIED_AS" in {link["kind"] for link in done["links"]}
    read = shop.chat(chat)
    assert read == {**done["chat"], "person": done["person"]}
    assert (read["authenticated"], read["issuer"]) == (True, shop.certified.issuer)
    assert read["subject"] == who
    after = shop.say(chat)
    assert shop.line(before)["attribution"]["basis"] == "RETROACTIVE"
    assert shop.line(after)["attribution"]["basis"] == "AUTHENTICATED"
    assert shop.line(f"{shop.run}-auth")["type"] == "CHAT_AUTHENTICATED"
    assert {shop.line(id)["person"]["id"] for id in (before, after)} == {done["person"]["id"]}
    contact = done["person"]["id"].replace("person_", "contact_")
    told = shop.server.graphql(AUDIT, subject=contact)["audit"]["edges"]
    assert [edge["node"] for edge in told] == [{"action": "authenticateChat", "outcome": "DONE"}]


def test_a_browser_authenticates_its_own_chat_and_learns_nobodys_id(shop: Shop) -> None:
    chat = shop.start()
    login = shop.certified.log_in(f"joe{shop.run}")
    done = shop.authenticate(chat, login, client=shop.browser, cookieId=shop.cookie)
    assert done["__typename"] == "ChatAuthenticated", done
    assert done["chat"]["authenticated"] is True
    with pytest.raises(AssertionError, match="FORBIDDEN"):
        shop.browser.graphql(
            AUTHENTICATE,
            input={"chatId": chat, "authCode": "x"}
            | {"redirectUri": REDIRECT, "cookieId": shop.cookie},
        )


def test_the_same_code_again_is_answered_as_it_was(shop: Shop) -> None:
    chat = shop.start()
    login = shop.certified.log_in(f"ann{shop.run}")
    first = shop.authenticate(chat, login)
    assert first["__typename"] == "ChatAuthenticated", first
    # The provider takes a code once: it was not asked again.
    assert shop.authenticate(chat, login) == first
    assert shop.authenticate(chat, login, messageId=f"{shop.run}-again") == first
    other = shop.start(f"{shop.run}-other")
    refused = shop.authenticate(other, login)
    assert (refused["__typename"], refused["reasons"]) == (
        "Refused",
        ["authCode: was used before."],
    )
    assert shop.chat(other)["authenticated"] is False


def test_of_many_at_once_one_redeems_the_code(shop: Shop) -> None:
    chat = shop.start()
    login = shop.certified.log_in(f"eve{shop.run}")
    clients = [shop.service.client() for _ in range(4)]
    asked = {
        "chatId": chat,
        "authCode": login.code,
        "redirectUri": login.redirect_uri,
        "codeVerifier": login.code_verifier,
        "nonce": login.nonce,
        "iss": login.issuer,
    }
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda c: c.graphql(AUTHENTICATE, input=asked)["done"], clients))
    kinds = [answer["__typename"] for answer in done]
    assert "ChatAuthenticated" in kinds
    # Who came while the code was being redeemed was told so, and may ask again.
    assert shop.authenticate(chat, login)["__typename"] == "ChatAuthenticated"
    assert shop.chat(chat)["authenticated"] is True


# When the badge is gone ------------------------------------------------------------------------


def authenticated(shop: Shop) -> tuple[str, dict[str, Any]]:
    chat = shop.start()
    done = shop.authenticate(chat, shop.certified.log_in(f"kim{uuid4().hex[:8]}"))
    assert done["chat"]["authenticated"] is True
    return chat, done


def test_a_browser_that_begins_the_chat_again_is_told_what_it_sent(shop: Shop) -> None:
    """It reads nothing: whether the badge stands depends on what others did."""
    chat, _ = authenticated(shop)
    told = [shop.start_again(client, chat) for client in (shop.server, shop.browser)]
    assert [answer["id"] for answer in told] == [chat, chat]
    assert [answer["authenticated"] for answer in told] == [True, False]


def gone(shop: Shop, chat: str, done: dict[str, Any]) -> None:
    """The badge is gone, and what it said stays as history."""
    read = shop.chat(chat)
    kept = {name: read[name] for name in ("authenticatedAt", "issuer", "subject")}
    assert read["authenticated"] is False
    assert kept == {name: done["chat"][name] for name in kept}


def test_after_a_logout(shop: Shop) -> None:
    chat, done = authenticated(shop)
    shop.browser.graphql(LOGOUT, input={"context": shop.context()})
    gone(shop, chat, done)
    assert shop.line(shop.say(chat))["attribution"]["basis"] == "ANONYMOUS"


def test_after_somebody_else_is_identified(shop: Shop) -> None:
    chat, done = authenticated(shop)
    said = [{"type": "user_id", "value": f"{shop.run}-thief"}]
    assert shop.identify(shop.browser, identifiers=said)["__typename"] == "Identified"
    gone(shop, chat, done)
    assert shop.line(shop.say(chat))["attribution"]["basis"] == "IDENTIFIED"


def test_after_an_operator_severed_it(shop: Shop) -> None:
    chat, done = authenticated(shop)
    link = next(link["id"] for link in done["links"] if link["kind"] == "IDENTIFIED_AS")
    assert shop.server.graphql(SEVER, id=link)["done"]["__typename"] == "Change"
    gone(shop, chat, done)


def test_another_login_in_the_same_chat_points_it_anew(shop: Shop) -> None:
    chat, first = authenticated(shop)
    line = shop.say(chat)
    second = shop.authenticate(chat, shop.certified.log_in(f"lee{shop.run}"))
    assert second["chat"]["authenticated"] is True
    assert second["chat"]["subject"] == f"lee{shop.run}"
    assert second["person"]["id"] != first["person"]["id"]
    assert shop.chat(chat)["person"] == second["person"]
    assert shop.line(line)["person"] == first["person"]
    assert shop.line(shop.say(chat))["attribution"]["basis"] == "AUTHENTICATED"


# What is refused -------------------------------------------------------------------------------


def test_nobody_touches_anothers_chat(shop: Shop) -> None:
    chat = shop.start()
    login = shop.certified.log_in()
    asked: dict[str, Any] = {"client": shop.browser, "cookieId": f"{shop.run}-thief"}
    assert shop.authenticate(chat, login, **asked)["code"] == "NOT_FOUND"
    other = shop.service.client(OTHER_PUBLISHABLE_KEY)
    asked = {"client": other, "cookieId": shop.cookie}
    assert shop.authenticate(chat, login, **asked)["code"] == "NOT_FOUND"
    missing = shop.authenticate(chat, login, client=shop.browser)
    assert (missing["code"], missing["path"]) == ("INVALID_INPUT", ["cookieId"])
    assert shop.authenticate("nothing", login)["code"] == "NOT_FOUND"
    assert shop.chat(chat)["authenticated"] is False
    # The code is still good: nobody was asked about it.
    assert shop.authenticate(chat, login)["__typename"] == "ChatAuthenticated"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"codeVerifier": "x" * 43}, "verifier"),
        ({"authCode": "nonsense"}, "used before or has expired"),
        ({"redirectUri": "https://evil.example/"}, "not on the provider's list"),
        ({"nonce": "another"}, "nonce is another"),
        ({"nonce": None}, "nonce of the login is needed"),
        ({"maxAge": 60}, "does not say when the login was"),
        ({"iss": "https://evil.example"}, "No identity provider with this issuer"),
        ({"iss": None}, "name the issuer"),
    ],
    ids=str,
)
def test_what_the_provider_does_not_vouch_for(
    shop: Shop, wrong: dict[str, Any], reason: str
) -> None:
    chat = shop.start()
    line = shop.say(chat)
    done = shop.authenticate(chat, shop.certified.log_in(), **wrong)
    assert done["__typename"] == "Refused", done
    assert reason in " ".join(done["reasons"])
    read = shop.chat(chat)
    assert (read["authenticated"], read["authenticatedAt"]) == (False, None)
    assert shop.line(line)["person"]["kind"] == "ANONYMOUS"
    assert shop.say(chat)


def test_a_provider_that_is_down_lets_the_chat_go_on(shop: Shop) -> None:
    chat = shop.start()
    login = Login("code", DOWN, REDIRECT, "v" * 43, "n")
    done = shop.authenticate(chat, login)
    assert (done["__typename"], done["reasons"]) == ("Refused", ["The provider cannot be reached."])
    assert shop.say(chat)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "another"}, "another audience"),
        ({"aud": [CLIENT, "another"]}, "several audiences"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "another client"),
        ({"exp": 1}, "expired"),
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"sub": "x" * 10_000}, "longer than 255"),
        ({"sub": "1111"}, "identifies nobody"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_lie_in_a_token(shop: Shop, claims: dict[str, Any], reason: str) -> None:
    chat = shop.start()
    asked = {"chatId": chat, **shop.lying_code(**claims)}
    done = shop.server.graphql(AUTHENTICATE, input=asked)["done"]
    assert done["__typename"] == "Refused", done
    assert reason in done["reasons"][0]
    assert shop.chat(chat)["authenticatedAt"] is None


# Tokens in an identify -------------------------------------------------------------------------


def test_a_token_vouches_only_for_what_it_names_itself(shop: Shop) -> None:
    """A genuine token, with the victim's address beside it, opens nothing of the victim's."""
    victim = f"{shop.run}-victim@example.com"
    theirs = shop.identify(
        context=shop.context(f"{shop.run}-victim"),
        identifiers=[{"type": "email", "value": victim}],
    )
    for beside in (
        {"identifiers": [{"type": "email", "value": victim}]},
        {"traits": {"email": victim}},
    ):
        cookie = f"{shop.run}-{uuid4().hex[:6]}"
        message = f"{cookie}-m"
        done = shop.identify(
            shop.browser,
            context=shop.context(cookie, messageId=message),
            idToken=shop.token("attacker"),
            **beside,
        )
        assert done["__typename"] == "Identified", done
        line = shop.line(message)
        assert line["person"]["id"] != theirs["person"]["id"]
        assert line["attribution"] == line["attribution"] | {
            "basis": "AUTHENTICATED",
            "assurance": "VERIFIED",
        }


def test_an_address_counts_only_where_the_token_says_that_it_is_verified(shop: Shop) -> None:
    address = f"{shop.run}@example.com"
    unverified = shop.identify(
        context=shop.context(f"{shop.run}-1"), idToken=shop.token("one", email=address)
    )
    assert address not in str(unverified["person"])
    verified = shop.identify(
        context=shop.context(f"{shop.run}-2"),
        idToken=shop.token("two", email=address, email_verified=True),
    )
    assert {"type": "email", "value": address} in verified["person"]["identifiers"]
    assert {link["assurance"] for link in verified["links"]} == {"VERIFIED"}
    assert verified["event"]["detail"]["issuer"] == shop.lying.issuer


def test_a_nonce_is_used_once(shop: Shop) -> None:
    token = shop.token("jane", nonce=uuid4().hex)
    assert shop.identify(idToken=token)["__typename"] == "Identified"
    # As pages do on each load.
    assert shop.identify(idToken=token)["__typename"] == "Identified"
    elsewhere = shop.identify(context=shop.context(f"{shop.run}-thief"), idToken=token)
    assert (elsewhere["__typename"], elsewhere["reasons"]) == (
        "Refused",
        ["This code or nonce was used before."],
    )


def test_a_browsers_proof_counts_now(shop: Shop) -> None:
    """Else a login could be dated back into the visit of whoever was there before."""
    first = shop.context(f"{shop.run}-kiosk", messageId=f"{shop.run}-first")
    assert shop.identify(context=first, identifiers=[{"type": "user_id", "value": shop.run}])
    ago = (datetime.now(UTC) - timedelta(minutes=4)).isoformat()
    back = shop.context(f"{shop.run}-kiosk", occurredAt=ago)
    done = shop.identify(shop.browser, context=back, idToken=shop.token("late"))
    assert done["__typename"] == "Identified"
    assert shop.line(f"{shop.run}-first")["attribution"]["assurance"] == "ASSERTED"
    old = (datetime.now(UTC) - timedelta(minutes=6)).isoformat()
    too_old = shop.context(f"{shop.run}-kiosk", occurredAt=old)
    done = shop.identify(shop.browser, context=too_old, idToken=shop.token("late"))
    assert (done["code"], done["path"]) == ("INVALID_INPUT", ["context", "occurredAt"])


@pytest.mark.parametrize("alg", ["none", "HS256"])
def test_a_token_that_nobody_signed(shop: Shop, alg: str) -> None:
    body = shop.token("jane").split(".")[1]
    head = encoded(json.dumps({"alg": alg, "kid": "rsa"}))
    done = shop.identify(idToken=f"{head}.{body}.{'' if alg == 'none' else encoded(b'x' * 32)}")
    assert done["__typename"] == "Refused", done


# Providers that are set while the service runs --------------------------------------------------


def test_a_provider_vouches_from_when_it_is_set_until_it_is_removed(shop: Shop) -> None:
    with lying_provider() as provider:
        mine = Shop(shop.service, shop.certified, provider)
        token = mine.token("jane")
        asked = {"idToken": token, "context": mine.context(messageId=f"{mine.run}-login")}
        nobody = "No identity provider with this issuer is set up."
        refused = mine.identify(shop.browser, **asked)
        assert (refused["__typename"], refused["reasons"]) == ("Refused", [nobody])
        wanted = {
            "issuer": provider.issuer,
            "clientId": CLIENT,
            "clientSecret": "of the client",
            "redirectUris": [LYING_REDIRECT],
        }
        made = mine.server.graphql(SET, input=wanted)["done"]
        about = {"issuer": provider.issuer, "hasSecret": True, "fromSettings": False}
        assert made == {"__typename": "OidcProvider", **about}
        listed = mine.server.graphql(PROVIDERS)["providers"]
        assert about in listed
        assert [each["issuer"] for each in listed if each["fromSettings"]] == [
            shop.certified.issuer,
            shop.lying.issuer,
            DOWN,
        ]
        assert mine.identify(shop.browser, **asked)["__typename"] == "Identified"
        attribution = mine.line(f"{mine.run}-login")["attribution"]
        assert (attribution["basis"], attribution["assurance"]) == ("AUTHENTICATED", "VERIFIED")
        chat = mine.start(f"{mine.run}-chat")
        code = {"chatId": chat, **mine.lying_code()}
        done = mine.server.graphql(AUTHENTICATE, input=code)["done"]
        assert done["__typename"] == "ChatAuthenticated", done
        assert mine.chat(chat)["authenticated"] is True

        removed = mine.server.graphql(REMOVE, issuer=provider.issuer)["done"]
        assert removed["__typename"] == "ProviderRemoved"
        again = mine.identify(shop.browser, idToken=mine.token("jane"))
        assert (again["__typename"], again["reasons"]) == ("Refused", [nobody])
        # What it has vouched for stays.
        assert mine.chat(chat)["authenticated"] is True
        subject = f"provider_{provider.issuer}"
        edges = mine.server.graphql(AUDIT, subject=subject)["audit"]["edges"]
        assert [edge["node"]["action"] for edge in edges] == ["removeProvider", "setProvider"]


def test_the_documented_example(shop: Shop) -> None:
    found = re.search(r"^```graphql provider\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert found is not None
    made = shop.server.graphql(found[1], secret="what the provider gave us")["setProvider"]
    issuer = "https://login.example.com"
    assert made.pop("setAt")
    assert made == {
        "issuer": issuer,
        "hasSecret": True,
        "subjectType": "oidc.login.example.com",
    }
    removed = shop.server.graphql(REMOVE, issuer=issuer)["done"]
    assert removed["__typename"] == "ProviderRemoved"


def test_nobody_else_sets_providers(shop: Shop) -> None:
    wanted = {"issuer": "https://evil.example", "clientId": "x"}
    with pytest.raises(AssertionError, match="FORBIDDEN"):
        shop.browser.graphql(SET, input=wanted)
    of_settings = shop.server.graphql(SET, input={**wanted, "issuer": shop.lying.issuer})["done"]
    assert of_settings["__typename"] == "Refused"
    assert shop.identify(idToken=shop.token("jane"))["__typename"] == "Identified"


# Signed identities -----------------------------------------------------------------------------


def test_a_site_proves_an_identify_with_its_own_key(shop: Shop) -> None:
    wanted = {"name": shop.run, "kind": "PUBLISHABLE", "signing": "HS256"}
    made = shop.server.graphql(CREATE, input=wanted)["done"]
    browser, secret = shop.service.client(made["text"]), made["signingSecret"]
    now = int(time.time())
    good = {"sub": f"{shop.run}-jane", "iat": now, "exp": now + 600}

    def signed(claims: dict[str, Any], by: str = secret) -> str:
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(by))

    message = f"{shop.run}-signed"
    context = shop.context(messageId=message)
    done = shop.identify(browser, context=context, signedIdentity=signed(good))
    assert done["__typename"] == "Identified", done
    line = shop.line(message)
    assert line["attribution"]["basis"] == "AUTHENTICATED"
    detail = shop.server.graphql(
        "query ($id: ID!) { event(messageId: $id) { detail } }", id=message
    )["event"]["detail"]
    assert detail["identifiers"] == [{"type": "user_id", "value": f"{shop.run}-jane"}]
    assert detail["issuer"] == f"pk:{made['key']['id']}"

    for wrong, reason in (
        (signed(good, "y" * 43), "signature of the token is wrong"),
        (signed(good | {"exp": now + 10_000}), "valid for more than"),
        (signed(good | {"exp": now - 100, "iat": now - 200}), "expired"),
        (shop.token("jane"), "signed"),
    ):
        refused = shop.identify(browser, signedIdentity=wrong)
        assert refused["__typename"] == "Refused", refused
        assert reason in refused["reasons"][0]
    # A key that signs nothing has nothing to check with.
    refused = shop.identify(shop.browser, signedIdentity=signed(good))
    assert "nothing that signed identities are checked with" in refused["reasons"][0]
    both = shop.identify(browser, signedIdentity=signed(good), idToken=shop.token("jane"))
    assert (both["code"], both["path"]) == ("INVALID_INPUT", ["signedIdentity"])
