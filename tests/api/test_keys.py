"""Keys over GraphQL: who may make them, what they may hand on, and what is told of them, once."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from graphid.api.context import RequestContext
from graphid.api.execution import Request, answer
from graphid.auth.key_text import KeyText
from graphid.auth.keys import Caller
from graphid.auth.scopes import BROWSER, SERVER, Scope
from graphid.identity.values import SECOND
from graphid.service.keymaking import MAX_ORIGINS, MAX_SECRETS
from tests.api.witness import Seen
from tests.keys import IDS, OPERATOR, Process
from tests.services import services

KEY = """fragment key on AccessKey { id kind name scopes origins signingAlgorithm createdAt
  createdBy expiresAt rotatedAt formerUntil revokedAt revokedBy reason lastUsedAt
  limits { requestsPerSecond eventsPerSecond concurrentRequests costPerMinute } }"""
PROBLEMS = "__typename ... on Problem { code message } ... on InvalidInput { path }"
TOLD = f"""{PROBLEMS} ... on Refused {{ reasons }}
  ... on IssuedKey {{ text signingSecret key {{ ...key }} }}"""
CREATE = f"mutation ($input: CreateKeyInput!) {{ done: createKey(input: $input) {{ {TOLD} }} }}"
ROTATE = f"""mutation ($id: ID!, $overlap: Int, $pem: String) {{
  done: rotateKey(id: $id, overlap: $overlap, signingPublicKey: $pem) {{ {TOLD} }} }}"""
REVOKE = f"""mutation ($id: ID!, $reason: String) {{
  done: revokeKey(id: $id, reason: $reason) {{ {PROBLEMS} ... on AccessKey {{ ...key }} }} }}"""
LIST = """query ($first: Int, $after: String) { keys(first: $first, after: $after) {
  edges { cursor node { ...key } } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""

MANAGER = Caller("person:ada", frozenset({Scope.INTEGRATION_EDIT, Scope.EVENT_WRITE}), False)
"""Who may edit keys, and little else."""


class Asking(Process):
    """A process whose schema is asked, and whose audit is seen."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Seen()

    async def body(self, document: str, by: Caller, **variables: Any) -> dict[str, Any]:
        context = RequestContext.of(by, services(keys=self.keymaker))
        context.audit = self.seen.witness
        text = document + (KEY if "...key" in document else "")
        return (await answer(Request(text, variables), context, may_change=True)).body

    async def done(self, document: str, by: Caller = OPERATOR, **variables: Any) -> dict[str, Any]:
        body = await self.body(document, by, **variables)
        assert "errors" not in body, body
        found: dict[str, Any] = body["data"]["done"]
        return found

    async def create(self, by: Caller = OPERATOR, **wanted: Any) -> dict[str, Any]:
        wanted = {"name": "shop", "kind": "PUBLISHABLE", **wanted}
        return await self.done(CREATE, by, input=wanted)


@pytest.fixture
def asking() -> Asking:
    return Asking()


def pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


async def test_a_key_is_made_and_told_whole(asking: Asking) -> None:
    made = await asking.create(
        origins=["HTTPS://Shop.example:443/", "https://shop.example", "http://localhost:3000"],
        limits={"eventsPerSecond": 50, "concurrentRequests": 8},
        expiresAt="2099-01-01T00:00:00Z",
        signing="HS256",
    )
    assert made["__typename"] == "IssuedKey"
    shown = KeyText.read(made["text"])
    assert shown is not None
    assert made["key"] == {
        "id": shown.id,
        "kind": "PUBLISHABLE",
        "name": "shop",
        "scopes": ["event:write", "chat:write"],
        "origins": ["https://shop.example", "http://localhost:3000"],
        "limits": {
            "requestsPerSecond": None,
            "eventsPerSecond": 50,
            "concurrentRequests": 8,
            "costPerMinute": None,
        },
        "signingAlgorithm": "HS256",
        "createdAt": "2030-03-17T17:46:40.000000+00:00",
        "createdBy": "sk:operator",
        "expiresAt": "2099-01-01T00:00:00.000000+00:00",
        **dict.fromkeys(("rotatedAt", "formerUntil", "revokedAt", "revokedBy", "reason")),
        "lastUsedAt": None,
    }
    caller = await asking.keyring.find(made["text"])
    assert caller.signing is not None
    assert caller.signing.keys == (made["signingSecret"],)


async def test_what_is_kept_opens_nothing(asking: Asking) -> None:
    made = await asking.create(kind="SECRET", scopes=["event:write"], signing="HS256")
    shown = KeyText.read(made["text"])
    assert shown is not None
    kept = repr(asking.stored.kept[shown.id])
    assert shown.secret not in kept
    assert made["signingSecret"] not in kept
    listed = str(await asking.body(LIST, OPERATOR))
    for told in (shown.secret, made["signingSecret"], "salt", "digest"):
        assert told not in listed


async def test_a_secret_is_told_once(asking: Asking) -> None:
    made = await asking.create(kind="SECRET", scopes=["event:write"], signing="HS256")
    rotated = await asking.done(ROTATE, id=made["key"]["id"])
    assert rotated["text"] != made["text"]
    assert rotated["signingSecret"] != made["signingSecret"]
    ended = await asking.done(REVOKE, id=made["key"]["id"])
    assert set(ended) == {"__typename", *made["key"]}


@pytest.mark.parametrize(
    ("wanted", "path", "says"),
    [
        ({"name": ""}, ["name"], "at least 1"),
        ({"name": "x" * 101}, ["name"], "at most 100"),
        ({"name": "a\nb"}, ["name"], "control characters"),
        ({"scopes": []}, ["scopes"], "at least one"),
        ({"kind": "SECRET"}, ["scopes"], "at least one"),
        ({"scopes": ["event:write", "moon:view"]}, ["scopes", "1"], "event:write"),
        ({"scopes": ["event:write", "journey:view"]}, ["scopes"],
         "only hold chat:write and event:write"),
        ({"origins": []}, ["origins"], "at least 1"),
        ({"origins": [f"https://s{n}.example" for n in range(MAX_ORIGINS + 1)]}, ["origins"],
         f"at most {MAX_ORIGINS}"),
        ({"origins": ["https://a.example", "*"]}, ["origins", "1"], "leave the list out"),
        ({"origins": ["https://a.example/shop"]}, ["origins", "0"], "without a path"),
        ({"origins": ["https://" + "a" * 400]}, ["origins", "0"], "at most 300"),
        ({"limits": {"requestsPerSecond": 0}}, ["limits", "requestsPerSecond"], "equal to 1"),
        ({"limits": {"costPerMinute": 2_000_000_000}}, ["limits", "costPerMinute"], "1000000000"),
        ({"expiresAt": "2030-03-17T17:46:40Z"}, ["expiresAt"], "in the future"),
        ({"expiresAt": "1999-01-01T00:00:00Z"}, ["expiresAt"], "2000-01-01"),
        ({"signing": "PUBLIC_KEY"}, ["signingPublicKey"], "must be given"),
        ({"signingPublicKey": "x"}, ["signingPublicKey"], "for signing PUBLIC_KEY only"),
        ({"signing": "HS256", "signingPublicKey": "x"}, ["signingPublicKey"], "PUBLIC_KEY only"),
        ({"signing": "PUBLIC_KEY", "signingPublicKey": "x"}, ["signingPublicKey"], "as PEM"),
        ({"signing": "PUBLIC_KEY", "signingPublicKey": "x" * 9000}, ["signingPublicKey"],
         "at most 8192"),
    ],
)  # fmt: skip
async def test_faults_name_field_and_limit(
    asking: Asking, wanted: dict[str, Any], path: list[str], says: str
) -> None:
    problem = await asking.create(**wanted)
    assert (problem["__typename"], problem["code"]) == ("InvalidInput", "INVALID_INPUT")
    assert problem["path"] == path
    assert says in problem["message"]
    assert asking.stored.kept == {}


NOT_MANAGERS = [
    Caller("sk:x", SERVER - {Scope.INTEGRATION_EDIT}, False),
    Caller("pk:x", BROWSER, True),
]


@pytest.mark.parametrize("by", NOT_MANAGERS, ids=lambda by: by.name)
@pytest.mark.parametrize("document", [CREATE, ROTATE, REVOKE, LIST])
async def test_it_takes_the_scope(asking: Asking, by: Caller, document: str) -> None:
    made = await asking.create()
    wanted = {"name": "shop", "kind": "PUBLISHABLE"}
    body = await asking.body(document, by, id=made["key"]["id"], input=wanted)
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert "integration:edit" in error["message"]
    assert len(asking.stored.kept) == 1
    await asking.keyring.find(made["text"])


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [
        ({"kind": "SECRET", "scopes": ["journey:view"]}, ["journey:view"]),
        ({"kind": "SECRET", "scopes": ["event:write", "privacy:edit", "identity:edit"]},
         ["identity:edit", "privacy:edit"]),
        ({}, ["chat:write"]),
    ],
)  # fmt: skip
async def test_nobody_hands_on_what_they_do_not_hold(
    asking: Asking, wanted: dict[str, Any], missing: list[str]
) -> None:
    problem = await asking.create(MANAGER, **wanted)
    assert (problem["__typename"], problem["code"]) == ("Refused", "REFUSED")
    assert problem["reasons"] == [f"You do not hold {scope}." for scope in missing]
    assert asking.stored.kept == {}
    held = {"kind": "SECRET", "scopes": ["event:write", "integration:edit"]}
    made = await asking.create(MANAGER, **held)
    assert made["key"]["createdBy"] == "person:ada"


async def test_nobody_takes_over_a_key_that_holds_more_than_they_do(asking: Asking) -> None:
    made = await asking.create(kind="SECRET", scopes=["event:write", "journey:view"])
    problem = await asking.done(ROTATE, MANAGER, id=made["key"]["id"], overlap=0)
    assert problem["__typename"] == "Refused"
    assert problem["reasons"] == ["You do not hold journey:view."]
    await asking.keyring.find(made["text"])
    ended = await asking.done(REVOKE, MANAGER, id=made["key"]["id"], reason="leaked")
    assert (ended["revokedBy"], ended["reason"]) == ("person:ada", "leaked")


async def test_what_revokes_first_stays(asking: Asking) -> None:
    made = await asking.create()
    first = await asking.done(REVOKE, id=made["key"]["id"], reason="leaked")
    asking.time.go_on(60)
    again = await asking.done(REVOKE, MANAGER, id=made["key"]["id"], reason="once more")
    assert again == first
    problem = await asking.done(ROTATE, id=made["key"]["id"])
    assert problem["reasons"] == ["It was revoked: make another one."]


async def test_what_has_expired_is_not_rotated(asking: Asking) -> None:
    made = await asking.create(expiresAt="2030-03-17T17:46:41Z")
    asking.time.go_on(1)
    problem = await asking.done(ROTATE, id=made["key"]["id"])
    assert problem["reasons"] == ["It has expired: make another one."]


async def test_a_rotation_says_until_when(asking: Asking) -> None:
    made = await asking.create()
    rotated = await asking.done(ROTATE, id=made["key"]["id"])
    assert rotated["signingSecret"] is None
    assert rotated["key"]["rotatedAt"] == made["key"]["createdAt"]
    assert rotated["key"]["formerUntil"] == "2030-03-18T17:46:40.000000+00:00"
    shorter = await asking.done(ROTATE, id=made["key"]["id"], overlap=60)
    assert shorter["key"]["formerUntil"] == "2030-03-17T17:47:40.000000+00:00"
    assert len(asking.stored.kept[made["key"]["id"]].versions) == 3
    asking.time.go_on(60)
    await asking.done(ROTATE, id=made["key"]["id"], overlap=0)
    assert len(asking.stored.kept[made["key"]["id"]].versions) == 2


async def test_a_key_has_few_secrets_at_one_time(asking: Asking) -> None:
    made = await asking.create()
    for _ in range(MAX_SECRETS - 1):
        assert "text" in await asking.done(ROTATE, id=made["key"]["id"])
    problem = await asking.done(ROTATE, id=made["key"]["id"])
    assert problem["__typename"] == "Refused"
    assert "overlap of 0" in problem["reasons"][0]
    assert "text" in await asking.done(ROTATE, id=made["key"]["id"], overlap=0)


@pytest.mark.parametrize("overlap", [-1, 30 * 24 * 3600 + 1])
async def test_an_overlap_has_bounds(asking: Asking, overlap: int) -> None:
    made = await asking.create()
    problem = await asking.done(ROTATE, id=made["key"]["id"], overlap=overlap)
    assert (problem["__typename"], problem["path"]) == ("InvalidInput", ["overlap"])


async def test_a_reason_is_words(asking: Asking) -> None:
    made = await asking.create()
    for reason in ("  ", "x" * 1001):
        problem = await asking.done(REVOKE, id=made["key"]["id"], reason=reason)
        assert (problem["__typename"], problem["path"]) == ("InvalidInput", ["reason"])
    await asking.keyring.find(made["text"])


@pytest.mark.parametrize("id", ["", "abcdefghijkl", "sk:abc", "x" * 10_000])
@pytest.mark.parametrize("document", [ROTATE, REVOKE])
async def test_there_is_no_such_key(asking: Asking, document: str, id: str) -> None:
    assert (await asking.done(document, id=id))["__typename"] == "NotFound"


async def test_a_site_that_signs_with_its_own_key_tells_the_next(asking: Asking) -> None:
    first, second = pem(), pem()
    made = await asking.create(signing="PUBLIC_KEY", signingPublicKey=first)
    assert (made["signingSecret"], made["key"]["signingAlgorithm"]) == (None, "ES256")
    rotated = await asking.done(ROTATE, id=made["key"]["id"], overlap=60, pem=second)
    caller = await asking.keyring.find(rotated["text"])
    assert caller.signing is not None
    assert (caller.signing.algorithm, caller.signing.keys) == ("ES256", (second, first))
    asking.time.go_on(60)
    kept = await asking.done(ROTATE, id=made["key"]["id"])
    caller = await asking.keyring.find(kept["text"])
    assert caller.signing is not None
    assert caller.signing.keys == (second,)


async def test_the_next_public_key_is_like_the_former(asking: Asking) -> None:
    edwards = ed25519.Ed25519PrivateKey.generate().public_key()
    other = edwards.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    made = await asking.create(signing="PUBLIC_KEY", signingPublicKey=pem())
    problem = await asking.done(ROTATE, id=made["key"]["id"], pem=other)
    assert (problem["path"], "ES256" in problem["message"]) == (["signingPublicKey"], True)
    for signing in (None, "HS256"):
        made = await asking.create(signing=signing)
        problem = await asking.done(ROTATE, id=made["key"]["id"], pem=pem())
        assert problem["path"] == ["signingPublicKey"]


def test_a_secret_to_sign_with_is_of_one_key_and_one_version() -> None:
    secrets = {IDS.signing_secret(key, number) for key in ("a", "b") for number in (1, 2)}
    assert len(secrets) == 4
    assert {len(secret) for secret in secrets} == {64}
    assert IDS.signing_secret("a", 1) in secrets


async def test_pages_of_keys(asking: Asking) -> None:
    made = []
    for _ in range(5):
        made.append((await asking.create())["key"]["id"])
        asking.time.micros += SECOND
    seen: list[str] = []
    after = None
    while True:
        page = (await asking.body(LIST, OPERATOR, first=2, after=after))["data"]["keys"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        assert page["edges"][-1]["cursor"] == after
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == made[::-1]
    assert page["pageInfo"]["hasPreviousPage"]
    (error,) = (await asking.body(LIST, OPERATOR, first=201))["errors"]
    assert error["extensions"]["path"] == ["first"]


async def test_the_audit_knows_who_made_rotated_and_ended_them(asking: Asking) -> None:
    made = await asking.create(kind="SECRET", scopes=["event:write", "journey:view"])
    id = made["key"]["id"]
    subject = (f"key_{id}",)
    await asking.create(MANAGER, kind="SECRET", scopes=["journey:view"])
    await asking.done(ROTATE, id=id)
    await asking.done(ROTATE, MANAGER, id=id)
    await asking.done(REVOKE, id=id)
    await asking.done(REVOKE, id="jane@example.com")
    await asking.create(name="")
    assert asking.seen.entries == [
        ("createKey", "DONE", subject),
        ("createKey", "REFUSED", ()),
        ("rotateKey", "DONE", subject),
        ("rotateKey", "REFUSED", subject),
        ("revokeKey", "DONE", subject),
        ("revokeKey", "REFUSED", ()),
    ]
