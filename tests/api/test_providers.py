"""Identity providers over GraphQL: who may set them, what is wrong with them, what is told."""

from __future__ import annotations

from typing import Any

import pytest

from graphid.api.context import RequestContext
from graphid.api.execution import Request, answer
from graphid.auth.keys import Caller
from graphid.auth.providers import ClientAuthMethod
from graphid.auth.scopes import BROWSER, SERVER, Scope
from graphid.errors import DatabaseUnavailable
from graphid.service.provider_setup import MAX_PROVIDERS
from tests.api.witness import Seen
from tests.keys import OPERATOR
from tests.providers import OF_SETTINGS, Process
from tests.services import services

SHOP = "https://login.shop.example"
SECRET = "what the provider gave us"

PROVIDER = """fragment provider on OidcProvider { issuer clientId hasSecret authMethod algorithms
  leeway redirectUris hosts requireNonce maxAge subjectType emailClaim phoneClaim
  identifiers { claim type } fromSettings setAt setBy }"""
PROBLEMS = """__typename ... on Problem { code message } ... on InvalidInput { path }
  ... on Refused { reasons }"""
SET = f"""mutation ($input: OidcProviderInput!) {{ done: setProvider(input: $input) {{ {PROBLEMS}
  ...provider }} }} {PROVIDER}"""
REMOVE = """mutation ($issuer: String!) { done: removeProvider(issuer: $issuer) { __typename
  ... on Problem { code message } ... on ProviderRemoved { issuer } } }"""
LIST = f"{{ done: providers {{ ...provider }} }} {PROVIDER}"

MANAGER = Caller("person:ada", frozenset({Scope.INTEGRATION_EDIT}), False, is_person=True)


class Asking(Process):
    """A process whose schema is asked, and whose audit is seen."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Seen()

    async def body(self, document: str, by: Caller, **variables: Any) -> dict[str, Any]:
        context = RequestContext.of(by, services(providers=self.setup))
        context.audit = self.seen.witness
        return (await answer(Request(document, variables), context, may_change=True)).body

    async def done(self, document: str, by: Caller = OPERATOR, **variables: Any) -> Any:
        body = await self.body(document, by, **variables)
        assert "errors" not in body, body
        return body["data"]["done"]

    async def setting(self, by: Caller = OPERATOR, **wanted: Any) -> dict[str, Any]:
        wanted = {"issuer": SHOP, "clientId": "graphid", **wanted}
        found: dict[str, Any] = await self.done(SET, by, input=wanted)
        return found


@pytest.fixture
def asking() -> Asking:
    return Asking()


LEAST = {
    "__typename": "OidcProvider",
    "issuer": SHOP,
    "clientId": "graphid",
    "hasSecret": False,
    "authMethod": "NONE",
    "algorithms": ["RS256", "ES256"],
    "leeway": 30,
    "redirectUris": [],
    "hosts": [],
    "requireNonce": False,
    "maxAge": None,
    "subjectType": "oidc.login.shop.example",
    "emailClaim": "email",
    "phoneClaim": "phone_number",
    "identifiers": [],
    "fromSettings": False,
    "setAt": "2030-03-17T17:46:40.000000+00:00",
    "setBy": "sk:operator",
}
WHOLE: dict[str, Any] = {
    "clientSecret": SECRET,
    "authMethod": "CLIENT_SECRET_POST",
    "algorithms": ["EdDSA"],
    "leeway": 0,
    "redirectUris": ["https://shop.example/logged-in", "com.example.app:/callback"],
    "hosts": ["keys.shop.example"],
    "requireNonce": True,
    "maxAge": 3600,
    "subjectType": "crm_account_id",
    "emailClaim": "upn",
    "phoneClaim": None,
    "identifiers": [{"claim": "https://shop.example/id", "type": "user_id"}],
}


async def test_what_is_left_out_is_the_default(asking: Asking) -> None:
    assert await asking.setting() == LEAST
    # Null is as good as nothing, but where it says that a claim is not asked for.
    wanted = {**dict.fromkeys(WHOLE), "issuer": SHOP, "clientId": "graphid"}
    assert await asking.done(SET, input=wanted) == {**LEAST, "emailClaim": None, "phoneClaim": None}


async def test_everything_that_is_set_is_told_but_the_secret(asking: Asking) -> None:
    made = await asking.setting(**WHOLE)
    told = {name: value for name, value in WHOLE.items() if name != "clientSecret"}
    assert made == {**LEAST, **told, "hasSecret": True}
    known = await asking.known.of(SHOP)
    assert known.client_secret is not None
    assert known.client_secret.get_secret_value() == SECRET
    assert known.auth_method is ClientAuthMethod.CLIENT_SECRET_POST
    assert known.identifiers == {"https://shop.example/id": "user_id"}
    assert SECRET not in str(asking.stored.kept)
    assert SECRET not in str(await asking.body(LIST, OPERATOR))


async def test_the_list_says_which_are_the_settings(asking: Asking) -> None:
    await asking.setting(MANAGER, issuer="https://z.example")
    await asking.setting()
    listed = await asking.done(LIST)
    assert [each["issuer"] for each in listed] == [OF_SETTINGS, SHOP, "https://z.example"]
    first, second, third = (
        {name: each[name] for name in ("fromSettings", "hasSecret", "setBy")} for each in listed
    )
    assert first == {"fromSettings": True, "hasSecret": True, "setBy": None}
    assert second == {"fromSettings": False, "hasSecret": False, "setBy": "sk:operator"}
    assert third == {**second, "setBy": "person:ada"}


async def test_a_secret_that_is_left_out_stays(asking: Asking) -> None:
    await asking.setting(clientSecret=SECRET, leeway=7)
    replaced = await asking.setting(clientId="another")
    assert replaced == {
        **LEAST,
        "clientId": "another",
        "hasSecret": True,
        "authMethod": "CLIENT_SECRET_BASIC",
    }
    known = await asking.known.of(SHOP)
    assert known.client_secret is not None
    assert known.client_secret.get_secret_value() == SECRET
    other = await asking.setting(clientSecret="another", authMethod="CLIENT_SECRET_POST")
    assert other["hasSecret"]
    known = await asking.known.of(SHOP)
    assert known.client_secret is not None
    assert known.client_secret.get_secret_value() == "another"
    assert await asking.setting(authMethod="NONE") == LEAST
    assert (await asking.known.of(SHOP)).client_secret is None


async def test_a_secret_that_cannot_be_read_is_asked_for(asking: Asking) -> None:
    await asking.setting(clientSecret=SECRET)
    here, other = asking.stored.kept, asking.stored.kept[SHOP]
    await asking.setting(issuer="https://z.example", clientSecret=SECRET)
    here["https://z.example"] = type(other)(
        "https://z.example", other.document, 0, "x", sealed=other.sealed
    )
    problem = await asking.setting(issuer="https://z.example")
    assert (problem["__typename"], problem["path"]) == ("InvalidInput", ["clientSecret"])
    assert (await asking.setting(issuer="https://z.example", clientSecret="x"))["hasSecret"]


@pytest.mark.parametrize(
    ("wanted", "path", "says"),
    [
        ({"issuer": "http://login.example"}, ["issuer"], "this machine only"),
        ({"issuer": ""}, ["issuer"], "at least 1 character"),
        ({"issuer": "https://" + "x" * 600}, ["issuer"], "at most 512"),
        ({"clientId": ""}, ["clientId"], "at least 1 character"),
        ({"clientSecret": ""}, ["clientSecret"], "must not be empty"),
        ({"clientSecret": "x" * 1025}, ["clientSecret"], "at most 1024"),
        ({"authMethod": "CLIENT_SECRET_BASIC"}, ["authMethod"], "must be none, if"),
        ({"clientSecret": "x", "authMethod": "NONE"}, ["authMethod"], "must be none, if"),
        ({"algorithms": ["RS256", "none"]}, ["algorithms", "1"], "must be one of ES256"),
        ({"algorithms": ["RS256"] * 21}, ["algorithms"], "at most 20"),
        ({"leeway": 301}, ["leeway"], "less than or equal to 300"),
        ({"redirectUris": ["/x"]}, ["redirectUris", "0"], "an absolute address"),
        ({"hosts": ["https://x.example"]}, ["hosts", "0"], "must be a host"),
        ({"maxAge": 0}, ["maxAge"], "greater than or equal to 1"),
        ({"subjectType": "email"}, ["subjectType"], "must not be email"),
        (
            {"identifiers": [{"claim": "a", "type": "x"}, {"claim": "b", "type": "phone"}]},
            ["identifiers", "1", "type"],
            "must not be email or phone",
        ),
        (
            {"identifiers": [{"claim": "a" * 129, "type": "x"}]},
            ["identifiers", "0", "claim"],
            "at most 128",
        ),
        (
            {"identifiers": [{"claim": "a", "type": "x"}, {"claim": "a", "type": "y"}]},
            ["identifiers", "1", "claim"],
            "once",
        ),
        (
            {"identifiers": [{"claim": "a", "type": "x"}, {"claim": "b", "type": "x"}]},
            ["identifiers"],
            "one type twice",
        ),
        (
            {"leeway": -1, "maxAge": 0, "redirectUris": ["x"]},
            ["leeway"],
            "; also redirectUris.0: must be an absolute address without a fragment; also maxAge: ",
        ),
    ],
)
async def test_faults_name_field_and_limit(
    asking: Asking, wanted: dict[str, Any], path: list[str], says: str
) -> None:
    problem = await asking.setting(**wanted)
    assert (problem["__typename"], problem["code"]) == ("InvalidInput", "INVALID_INPUT")
    assert problem["path"] == path
    assert says in problem["message"]
    assert asking.stored.kept == {}
    assert asking.seen.entries == []


@pytest.mark.parametrize(
    "by",
    [
        Caller("sk:x", SERVER - {Scope.INTEGRATION_EDIT}, False),
        Caller("pk:x", BROWSER, True),
    ],
    ids=lambda by: by.name,
)
@pytest.mark.parametrize("document", [SET, REMOVE, LIST])
async def test_it_takes_the_scope(asking: Asking, by: Caller, document: str) -> None:
    await asking.setting()
    wanted = {"issuer": SHOP, "clientId": "another"}
    (error,) = (await asking.body(document, by, input=wanted, issuer=SHOP))["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert "integration:edit" in error["message"]
    assert (await asking.known.of(SHOP)).client_id == "graphid"


async def test_who_may_integrate_may_set_list_and_remove(asking: Asking) -> None:
    assert (await asking.setting(MANAGER))["setBy"] == "person:ada"
    assert len(await asking.done(LIST, MANAGER)) == 2
    removed = await asking.done(REMOVE, MANAGER, issuer=SHOP)
    assert removed == {"__typename": "ProviderRemoved", "issuer": SHOP}
    assert asking.stored.kept == {}


async def test_those_of_the_settings_are_changed_there(asking: Asking) -> None:
    problem = await asking.setting(issuer=OF_SETTINGS)
    assert (problem["__typename"], problem["code"]) == ("Refused", "REFUSED")
    assert "GRAPHID_OIDC_PROVIDERS" in problem["reasons"][0]
    missing = await asking.done(REMOVE, issuer=OF_SETTINGS)
    assert missing["__typename"] == "NotFound"
    assert "GRAPHID_OIDC_PROVIDERS" in missing["message"]
    assert asking.stored.kept == {}


@pytest.mark.parametrize("issuer", ["", SHOP + "/", "x" * 10_000])
async def test_there_is_no_such_provider(asking: Asking, issuer: str) -> None:
    await asking.setting()
    assert (await asking.done(REMOVE, issuer=issuer))["__typename"] == "NotFound"
    assert list(asking.stored.kept) == [SHOP]


async def test_there_are_not_too_many(asking: Asking) -> None:
    for number in range(MAX_PROVIDERS):
        await asking.set(f"https://p{number}.example")
    problem = await asking.setting()
    assert problem["__typename"] == "Refused"
    assert f"There are {MAX_PROVIDERS} already" in problem["reasons"][0]
    again = await asking.setting(issuer="https://p0.example", leeway=1)
    assert again["leeway"] == 1
    await asking.done(REMOVE, issuer="https://p1.example")
    assert (await asking.setting())["__typename"] == "OidcProvider"


async def test_the_audit_knows_who_set_and_removed_them(asking: Asking) -> None:
    await asking.setting(clientSecret=SECRET)
    await asking.setting(issuer=OF_SETTINGS)
    await asking.done(REMOVE, issuer=SHOP)
    await asking.done(REMOVE, issuer="jane@example.com")
    subject = (f"provider_{SHOP}",)
    assert asking.seen.entries == [
        ("setProvider", "DONE", subject),
        ("setProvider", "REFUSED", ()),
        ("removeProvider", "DONE", subject),
        ("removeProvider", "REFUSED", ()),
    ]


async def test_what_may_be_done_is_noted(asking: Asking) -> None:
    asking.setup.remove = _fails  # type: ignore[method-assign]
    (error,) = (await asking.body(REMOVE, OPERATOR, issuer=SHOP))["errors"]
    assert error["extensions"]["code"] == "DATABASE_UNAVAILABLE"
    assert asking.seen.entries == [("removeProvider", "FAILED", ())]


async def _fails(issuer: str) -> None:
    raise DatabaseUnavailable
