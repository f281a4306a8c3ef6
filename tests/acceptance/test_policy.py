"""setPolicy as a client meets it: judged whole, kept, and followed by what comes after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from graphid.graph.engine import Address
from graphid.identity.policy import Policy, document_of, parse_policy
from tests.service import PUBLISHABLE_KEY, Client, Service, running_service

SET = """mutation ($policy: JSON!) { set: setPolicy(document: $policy) { __typename
  ... on Policy { version document setAt setBy }
  ... on Problem { code message } ... on InvalidInput { path } } }"""
READ = "query ($version: Int) { policy(version: $version) { version document setAt setBy } }"
IDENTIFY = """mutation ($input: IdentifyInput!) { sent: identify(input: $input) { __typename
  ... on Identified { duplicate created person { id } warnings { code } links { assurance } }
  ... on EventAccepted { warnings { code } } } }"""


@pytest.fixture
def server(graphid: Service) -> Iterator[Client]:
    """A secret key. The default policy is in force again afterwards."""
    client = graphid.client()
    yield client
    assert set_policy(client, {})["__typename"] == "Policy"


@pytest.fixture
def own() -> str:
    return uuid4().hex[:12]


def set_policy(server: Client, document: Any) -> dict[str, Any]:
    found: dict[str, Any] = server.graphql(SET, policy=document)["set"]
    return found


def read(server: Client, version: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = server.graphql(READ, version=version)["policy"]
    return found


def identify(client: Client, own: str, cookie: str, **identifiers: str) -> dict[str, Any]:
    """Identifiers are this test's own; the same call again is the same message."""
    said = [{"type": type, "value": f"{own}-{value}"} for type, value in identifiers.items()]
    message = {
        "context": {"messageId": f"{own}-{cookie}-{said}", "cookieId": f"{own}-{cookie}"},
        "identifiers": said,
    }
    found: dict[str, Any] = client.graphql(IDENTIFY, input=message)["sent"]
    return found


def test_a_policy_is_told_whole_and_its_versions_are_kept(server: Client, own: str) -> None:
    before = read(server)
    assert before["document"] == plain(Policy())
    asked = {"logout_events": [own], "merge": {"max_contacts": 7}}
    first = set_policy(server, asked)
    assert first.pop("__typename") == "Policy"
    assert first["version"] == before["version"] + 1
    assert first["document"] == plain(parse_policy(asked))
    assert first["setBy"].startswith("sk:")
    assert first["setAt"] >= before["setAt"]
    assert read(server) == first
    second = set_policy(server, {**asked, "session": {"timeout": 60}})
    assert second["version"] == first["version"] + 1
    assert set_policy(server, {**asked, "session": {"timeout": 60}}) == second
    assert read(server, first["version"]) == first
    assert read(server, before["version"]) == before
    default = read(server, 1)
    assert (default["version"], default["document"]) == (1, plain(Policy()))
    assert default["setBy"] is None


def plain(policy: Policy) -> Any:
    """The document as JSON has it: lists, not tuples."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in document_of(policy).items()}


@pytest.mark.parametrize("version", [0, -1, 1_000_000])
def test_a_version_that_is_not_there(graphid: Service, version: int) -> None:
    with pytest.raises(AssertionError, match=f"no version {version}.*NOT_FOUND"):
        read(graphid.client(), version)


@pytest.mark.parametrize(
    ("document", "path", "limit"),
    [
        ({"identifiers": [{"type": "email"}, {"type": "email"}]}, "identifiers.1", "same as"),
        ({"identifiers": [{"type": "*"}, {"type": "*"}]}, "identifiers.1", "same as entry 0"),
        ({"identifiers": [{"type": "no type"}]}, "identifiers.0.type", "name of a type"),
        ({"identifiers": [{"type": "x", "limit": 0}]}, "identifiers.0.limit", "from 1 to 1000"),
        ({"blocked": ["*:/(a)\\1/"]}, "blocked.0", "RE2"),
        ({"blocked": ["jane@example.com"]}, "blocked.0", "type:value"),
        ({"session": {"timeout": -1}}, "session.timeout", "from 1 to 604800"),
        ({"merge": {"max_contacts": 0}}, "merge.max_contacts", "from 1 to 10000"),
        ({"retention": {"anonymous": 60}}, "retention.anonymous", "2592000 seconds"),
        ({"nonsense": 1}, "nonsense", "not known"),
        ([], "document", "an object"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_policy_is_refused_whole(
    server: Client, document: Any, path: str, limit: str
) -> None:
    before = read(server)
    both = {"unattended": {"owner": "ANONYMOUS"}, **document} if document else document
    found = set_policy(server, both)
    assert (found["__typename"], found["code"]) == ("InvalidInput", "INVALID_INPUT")
    assert ".".join(found["path"]) == path
    assert found["message"].startswith(f"{path}: ")
    assert limit in found["message"]
    assert read(server) == before


def test_a_document_in_the_query_itself(server: Client) -> None:
    found = server.graphql(
        """mutation { set: setPolicy(document: {session: {timeout: 1e999}, merge: {}}) {
             __typename ... on InvalidInput { path } } }"""
    )
    assert found["set"] == {"__typename": "InvalidInput", "path": ["session", "timeout"]}


def test_a_browser_may_neither_read_nor_set(graphid: Service) -> None:
    browser = graphid.client(PUBLISHABLE_KEY)
    with pytest.raises(AssertionError, match="FORBIDDEN"):
        read(browser)
    with pytest.raises(AssertionError, match="setPolicy: it needs policy:edit"):
        browser.graphql("mutation { setPolicy(document: {}) { __typename } }")


def test_later_evidence_follows_it_and_earlier_stays(server: Client, own: str) -> None:
    """A loyalty id is unique by default; a policy says that a person may have several."""
    one = identify(server, own, "a", crm_account_id="1", loyalty="x")
    assert one["created"]
    refused = identify(server, own, "b", crm_account_id="1", loyalty="y")
    assert refused["person"]["id"] != one["person"]["id"]
    set_policy(
        server, {"identifiers": [{"type": "crm_account_id", "unique": True}, {"type": "loyalty"}]}
    )
    joined = identify(server, own, "c", crm_account_id="1", loyalty="z")
    assert joined["person"]["id"] == one["person"]["id"]
    # What was said before is answered as it was, and is as it was.
    assert identify(server, own, "b", crm_account_id="1", loyalty="y") == refused | {
        "duplicate": True
    }


def test_what_is_blocked_from_now_on(server: Client, own: str) -> None:
    assert identify(server, own, "a", user_id="kiosk-1")["__typename"] == "Identified"
    set_policy(server, {"blocked": [f"user_id:/{own}-KIOSK-\\d+/"]})
    blocked = identify(server, own, "b", user_id="kiosk-1")
    assert blocked["warnings"] == [{"code": "BLOCKED_IDENTIFIER"}]
    assert identify(server, own, "c", user_id="kiosk-x")["warnings"] == []


def test_a_browser_counts_as_the_policy_says(graphid: Service, server: Client, own: str) -> None:
    browser = graphid.client(PUBLISHABLE_KEY)
    only = "mutation ($input: IdentifyInput!) { identify(input: $input) { __typename } }"

    def assurances(name: str) -> set[str]:
        message = {
            "context": {"messageId": f"{own}-{name}", "cookieId": f"{own}-{name}"},
            "identifiers": [{"type": "user_id", "value": f"{own}-{name}"}],
        }
        browser.graphql(only, input=message)
        found = server.graphql(IDENTIFY, input=message)["sent"]
        return {link["assurance"] for link in found["links"]}

    assert assurances("before") == {"CLAIMED"}
    set_policy(server, {"browser_assurance": "ASSERTED"})
    assert assurances("after") == {"ASSERTED"}


def test_another_process_follows_it(
    server: Client, own: str, database: Address, tmp_path: Path
) -> None:
    """One that starts afterwards. That those which run look again within a second is tested in
    tests/integration/test_policies.py, where the clock need not be waited for."""
    set_policy(server, {"blocked": [f"user_id:{own}-kiosk"]})
    with running_service(database, tmp_path) as other:
        client = other.client()
        assert read(client) == read(server)
        found = identify(client, own, "a", user_id="kiosk")
        assert found["warnings"] == [{"code": "BLOCKED_IDENTIFIER"}]
