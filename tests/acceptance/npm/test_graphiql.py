"""GraphiQL on a running service: off, and on, used by a browser that is none (jsdom)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import httpx
import pytest

from graphid.graph.engine import Address
from tests.acceptance.npm.node import Node
from tests.service import SECRET_KEY, Service, running_service

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def with_page(database: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("graphid-with-page")
    with running_service(database, folder, GRAPHID_GRAPHIQL="on") as running:
        yield running


def test_it_is_not_there_unless_asked_for(graphid: Service) -> None:
    for path in ("/graphiql", "/graphiql/page.js"):
        answer = httpx.get(f"{graphid.url}{path}")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_the_page_asks_this_service_only_and_keeps_no_key(
    with_page: Service, npm_clients: Node
) -> None:
    query = "query Asked { __typename }"
    seen = npm_clients.run("page.mjs", with_page.url, SECRET_KEY, INPUT=query)
    assert seen["errors"] == []
    assert seen["before"] is False
    assert {"Query", "Person", "JourneyConnection"} <= set(seen["types"])
    assert seen["shown"] == {"data": {"__typename": "Query"}}

    assert all(asked["url"].startswith(f"{with_page.url}/graph") for asked in seen["asked"])
    sent = [asked for asked in seen["asked"] if asked["by"] == "fetch"]
    assert len(sent) >= 2
    assert {asked["url"] for asked in sent} == {f"{with_page.url}/graphql"}
    assert {asked["authorization"] for asked in sent} == {f"Bearer {SECRET_KEY}"}

    assert seen["html"] is False
    assert SECRET_KEY not in str(seen["kept"])
    assert seen["local"] == 0


def test_what_is_in_the_package_is_what_npm_has(npm_clients: Node) -> None:
    path = ROOT / "tools" / "copy_graphiql.py"
    spec = spec_from_file_location("copy_graphiql", path)
    assert spec is not None
    assert spec.loader is not None
    copying = module_from_spec(spec)
    spec.loader.exec_module(copying)
    for name, text in copying.files_of(npm_clients.modules).items():
        committed = (copying.TARGET / name).read_bytes().decode()
        assert committed == text, f"{name}: run tools/copy_graphiql.py"
