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


@pytest.mark.parametrize(
    "kind",
    [
        *("text/plain", "", "application/graphql", "application/json-seq"),
        *("application/json; charset=latin-1", "application/x-www-form-urlencoded"),
    ],
)
def test_another_media_type(client: httpx.Client, kind: str) -> None:
    answer = client.post(
        "/graphql", content=b'{"query": "{ __typename }"}', headers={"Content-Type": kind}
    )
    assert answer.status_code == 415
    assert error_of(answer)["extensions"]["code"] == "UNSUPPORTED_MEDIA"


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", 'Application/JSON;Charset="UTF-8"; x=y']
)
def test_json_in_utf_8(client: httpx.Client, kind: str) -> None:
    sent = '{"query": "{ __type(name: \\"Läufer🏃\\") { name } }"}'.encode()
    answer = client.post("/graphql", content=sent, headers={"Content-Type": kind})
    assert answer.json() == {"data": {"__type": None}}


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*"])
def test_nothing_is_done_for_whom_no_answer_would_please(client: httpx.Client, accept: str) -> None:
    sent = 'mutation { page(input: {context: {cookieId: "c-406"}, url: "u"}) { __typename } }'
    answer = client.post("/graphql", json={"query": sent}, headers={"Accept": accept})
    assert answer.status_code == 406
    assert error_of(answer)["extensions"]["code"] == "NOT_ACCEPTABLE"
    assert answer.headers["Content-Type"].startswith("application/json")
    look = '{ personByCookie(cookieId: "c-406") { id } }'
    assert client.post("/graphql", json={"query": look}).json() == {
        "data": {"personByCookie": None}
    }


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
    page = client.get("/graphql", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 400
    assert error_of(page)["extensions"]["path"] == ["query"]


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


FAILURES: dict[str, tuple[int, str, dict[str, Any]]] = {
    "no key": (401, "UNAUTHENTICATED", {"headers": {"Authorization": ""}}),
    "another method": (405, "METHOD_NOT_ALLOWED", {"method": "PUT"}),
    "a mutation by GET": (405, "METHOD_NOT_ALLOWED", {"method": "GET", "params": {"query": PAGE}}),
    "too large": (413, "TOO_LARGE", {"content": b" " * (4 * 1024 * 1024 + 1)}),
    "an encoding": (415, "UNSUPPORTED_MEDIA", {"headers": {"Content-Encoding": "br"}}),
    "no gzip": (400, "INVALID_INPUT", {"headers": {"Content-Encoding": "gzip"}, "content": b"x"}),
    "no JSON": (400, "INVALID_INPUT", {"content": b"{"}),
    "no GraphQL": (400, "GRAPHQL_PARSE_FAILED", {"json": {"query": "{"}}),
    "no such field": (400, "GRAPHQL_VALIDATION_FAILED", {"json": {"query": "{ nothing }"}}),
    "no such operation": (
        400,
        "INVALID_INPUT",
        {"json": {"query": "query A { __typename }", "operationName": "B"}},
    ),
    "no such argument": (
        400,
        "BAD_USER_INPUT",
        {"json": {"query": "query ($id: ID!) { node(id: $id) { id } }"}},
    ),
    "a forged cursor": (
        200,
        "BAD_CURSOR",
        {"json": {"query": '{ reviews(after: "x") { pageInfo { endCursor } } }'}},
    ),
    "not allowed": (
        403,
        "FORBIDDEN",
        {
            "json": {"query": '{ node(id: "x") { id } }'},
            "headers": {"Authorization": f"Bearer {PUBLISHABLE_KEY}"},
        },
    ),
}


@pytest.mark.parametrize("accept", [MODERN, "application/json"])
@pytest.mark.parametrize("failure", FAILURES)
def test_every_failure_has_a_code_and_the_id_that_the_log_has(
    client: httpx.Client, failure: str, accept: str
) -> None:
    status, code, request = FAILURES[failure]
    sent = {"method": "POST", "content": b"{}", **request}
    if "json" in sent:
        del sent["content"]
    own = f"test-{failure.replace(' ', '-')}"
    headers = {**JSON, "Accept": accept, "X-Request-Id": own, **sent.pop("headers", {})}
    answer = client.request(url="/graphql", headers=headers, **sent)
    error = error_of(answer)
    assert error["message"]
    assert (error["extensions"]["code"], error["extensions"]["requestId"]) == (code, own)
    assert answer.headers["Content-Type"] == f"{accept}; charset=utf-8"
    if accept == MODERN:
        assert answer.status_code == status


IDENTIFY = """mutation ($input: IdentifyInput!) { identify(input: $input) { __typename } }"""
SPOILED = """
  person { lastSeenAt chats(after: "x") { edges { cursor } } }
  session { id person { lastSeenAt } }
"""
"""Of an event: the cursor is none, and both ask for the same of the same person."""
SPOILED_EVENT = f"query ($id: ID!) {{ event(messageId: $id) {{ {SPOILED} }} }}"
SEND = f"""mutation ($input: PageInput!) {{ page(input: $input) {{
  ... on EventAccepted {{ event {{ {SPOILED} }} }} }} }}"""


def sent(client: httpx.Client, query: str, **more: Any) -> httpx.Response:
    """The answer to a message of somebody who has identified themselves."""
    name = f"beside-{uuid4().hex}"
    context = {"cookieId": name}
    said = {"context": context, "identifiers": [{"type": "email", "value": f"{name}@example.com"}]}
    client.post("/graphql", json={"query": IDENTIFY, "variables": {"input": said}})
    visited = {"context": {**context, **more}, "url": "https://shop.example/"}
    return client.post("/graphql", json={"query": query, "variables": {"input": visited}})


VISIT = "mutation ($input: PageInput!) { page(input: $input) { __typename } }"


@pytest.fixture
def message(client: httpx.Client) -> str:
    id = f"m-{uuid4().hex}"
    sent(client, VISIT, messageId=id)
    return id


@pytest.mark.parametrize("accept", [MODERN, "application/json"])
def test_one_bad_argument_spoils_what_it_is_below(
    client: httpx.Client, message: str, accept: str
) -> None:
    asked = {"query": SPOILED_EVENT, "variables": {"id": message}}
    answer = client.post("/graphql", json=asked, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    error = error_of(answer)
    assert (error["extensions"]["code"], error["path"][-1]) == ("BAD_CURSOR", "chats")


def test_one_bad_argument_as_events(client: httpx.Client, message: str) -> None:
    asked = {"query": SPOILED_EVENT, "variables": {"id": message}}
    answer = client.post("/graphql", json=asked, headers={"Accept": "text/event-stream"})
    _, told, done, rest = answer.text.split("\n\n")
    assert '"code":"BAD_CURSOR"' in told
    assert (done, rest) == ("event: complete\ndata:", "")


def test_one_bad_argument_below_what_was_changed(client: httpx.Client) -> None:
    answer = sent(client, SEND)
    assert answer.status_code == 200, answer.text
    assert error_of(answer)["extensions"]["code"] == "BAD_CURSOR"
