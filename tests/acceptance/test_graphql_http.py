"""GraphQL over HTTP: what is no request, and what the status lines say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.service import PUBLISHABLE_KEY, SECRET_KEY, Service

JSON = {"Content-Type": "application/json"}
MODERN = "application/graphql-response+json"


@pytest.fixture(scope="module")
def client(graphid: Service) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {SECRET_KEY}"}
    with httpx.Client(base_url=graphid.url, headers=headers, timeout=30) as opened:
        yield opened


def error_of(answer: httpx.Response) -> dict[str, Any]:
    (error,) = answer.json()["errors"]
    assert error["extensions"]["requestId"] == answer.headers["X-Request-Id"]
    found: dict[str, Any] = error
    return found


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"[]", "batches"),
        (b'"{ __typename }"', "object"),
        (b'[{"query": "{ __typename }"}]', "batches"),
        (b'{"query": "{ __typename }", "query": "{ __typename }"}', "same key twice"),
        (b'{"query": "{ __typename }", "variables": {"a": 1, "a": 2}}', "same key twice"),
        (b'{"query": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "nested"),
        (
            b'{"query": "{ __typename }", "variables": ' + b'{"a":' * 200 + b"1" + b"}" * 201,
            "nested",
        ),
        (b"{}", "query"),
        (b'{"query": 1}', "query"),
        (b'{"query": "{ __typename }", "variables": []}', "variables"),
        (b'{"query": "{ __typename }", "operationName": 1}', "operationName"),
        (b'{"query": "{ __typename }", "extensions": "x"}', "extensions"),
    ],
)
def test_what_is_no_request(client: httpx.Client, body: bytes, said: str) -> None:
    answer = client.post("/graphql", content=body, headers=JSON)
    assert answer.status_code == 400
    error = error_of(answer)
    assert error["extensions"]["code"] == "INVALID_INPUT"
    assert said in error["message"]


def test_another_media_type(client: httpx.Client) -> None:
    answer = client.post("/graphql", content=b"query={a}", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "header", [None, "", "Basic eDp5", "Bearer", "Bearer not-the-key", "Bearer é"]
)
def test_without_a_key(graphid: Service, header: str | None) -> None:
    headers: dict[bytes, bytes] = (
        {} if header is None else {b"Authorization": header.encode("latin-1")}
    )
    answer = httpx.post(f"{graphid.url}/graphql", json={"query": "{ x }"}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert error_of(answer)["extensions"]["code"] == "UNAUTHENTICATED"


def test_get_is_for_queries(client: httpx.Client) -> None:
    answer = client.get("/graphql", params={"query": "{ __typename }"})
    assert answer.json() == {"data": {"__typename": "Query"}}
    query = 'mutation { page(input: {context: {cookieId: "c"}, url: "u"}) { __typename } }'
    refused = client.get("/graphql", params={"query": query})
    assert refused.status_code == 405
    assert refused.headers["Allow"] == "POST"
    variables = client.get(
        "/graphql",
        params={"query": "query ($id: ID!) { event(messageId: $id) { id } }", "variables": "{"},
    )
    assert variables.status_code == 400
    assert client.get("/graphql", headers={"Accept": "text/html"}).status_code == 400


@pytest.mark.parametrize(
    ("query", "code", "status"),
    [
        ("{", "GRAPHQL_PARSE_FAILED", 400),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED", 400),
        ("{ person }", "GRAPHQL_VALIDATION_FAILED", 400),
        ("query ($a: Int!) { personByIdentifier(type: $a, value: $a) { id } }", None, 400),
        ("{" * 50_000, "GRAPHQL_PARSE_FAILED", 400),
        ("{ " + "__typename " * 5_000 + "}", "GRAPHQL_PARSE_FAILED", 400),
        (
            '{ person(id: "x") { chats(first: 200) { edges { node { messages(first: 200) '
            "{ edges { node { text } } } } } } } }",
            "TOO_LARGE",
            413,
        ),
    ],
)
def test_what_is_no_operation(
    client: httpx.Client, query: str, code: str | None, status: int
) -> None:
    plain = client.post("/graphql", json={"query": query})
    assert plain.status_code == 200
    assert "data" not in plain.json()
    if code is not None:
        assert plain.json()["errors"][0]["extensions"]["code"] == code
    modern = client.post("/graphql", json={"query": query}, headers={"Accept": MODERN})
    assert modern.status_code == status
    assert modern.headers["Content-Type"].startswith(MODERN)


def test_a_variable_that_does_not_fit(client: httpx.Client) -> None:
    query = "query ($id: ID!) { event(messageId: $id) { id } }"
    answer = client.post("/graphql", json={"query": query, "variables": {"id": {"a": "private"}}})
    error = error_of(answer)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "private" not in answer.text


def test_an_unknown_field_of_an_input(client: httpx.Client) -> None:
    query = "mutation ($input: PageInput!) { page(input: $input) { __typename } }"
    sent = {"context": {"cookieId": "c"}, "url": "u", "colour": "private"}
    answer = client.post("/graphql", json={"query": query, "variables": {"input": sent}})
    assert error_of(answer)["extensions"]["code"] == "BAD_USER_INPUT"
    assert "colour" in answer.text
    assert "private" not in answer.text


PAGE = """mutation ($id: ID!) { page(input: {context: {messageId: $id, cookieId: $id},
  url: "https://x.example"}) { __typename } }"""
EVENT = "query ($id: ID!) { event(messageId: $id) { messageId } }"


def test_who_gives_back_a_bookmark_reads_what_was_written(client: httpx.Client) -> None:
    id = uuid4().hex
    sent = client.post("/graphql", json={"query": PAGE, "variables": {"id": id}}).json()
    bookmark = sent["extensions"]["bookmark"]
    read = client.post(
        "/graphql",
        json={"query": EVENT, "variables": {"id": id}},
        headers={"Graphid-Bookmark": bookmark},
    ).json()
    assert read == {"data": {"event": {"messageId": id}}}


@pytest.mark.parametrize(
    ("bookmark", "said"),
    [("FB:kcwQtVHRL3qHRc+Vpvdzy0iy18mQ", "given out no such"), ("x" * 2001, "longer than 2000")],
)
def test_a_bookmark_that_was_not_given_out(client: httpx.Client, bookmark: str, said: str) -> None:
    asked = {"query": EVENT, "variables": {"id": "x"}}
    answer = client.post("/graphql", json=asked, headers={"Graphid-Bookmark": bookmark})
    error = error_of(answer)
    assert error["extensions"]["code"] == "INVALID_INPUT"
    assert error["extensions"]["path"] == ["Graphid-Bookmark"]
    assert said in error["message"]


def test_a_browser_is_told_no_bookmark(graphid: Service) -> None:
    """It says how much is written here."""
    answer = httpx.post(
        f"{graphid.url}/graphql",
        json={"query": PAGE, "variables": {"id": uuid4().hex}},
        headers={"Authorization": f"Bearer {PUBLISHABLE_KEY}"},
    ).json()
    assert set(answer) == {"data"}
