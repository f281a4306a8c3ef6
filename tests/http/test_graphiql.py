"""The page for trying GraphQL: when it is there, what it may load, and what is in the wheel."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest
from hatchling.builders.wheel import WheelBuilder

from graphid.graph.database import Database
from graphid.http.app import create_app
from graphid.http.graphiql import graphiql_routes
from graphid.settings import Settings
from tests.http.test_answers import Nowhere

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "graphid" / "static" / "graphiql"
MOST_BYTES = 1_500_000


class Named(HTMLParser):
    """Collects what a page has a browser load, and what it holds beside."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loaded += [value for name in ("src", "href") if (value := given.get(name))]
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    database = await Database.connect(Nowhere())
    app = create_app(routes=graphiql_routes(), database=database, settings=Settings())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test"
    ) as opened:
        yield opened
    await database.close()


def named_files() -> list[str]:
    page = Named()
    page.feed((STATIC / "index.html").read_text())
    assert page.inline == []
    assert page.loaded
    return [name for name in page.loaded if name != "data:,"]


async def test_the_page_and_all_that_it_names_are_served(client: httpx.AsyncClient) -> None:
    page = await client.get("/graphiql")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    kinds = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
    for name in named_files():
        answer = await client.get(httpx.URL("http://test/graphiql").join(name))
        assert answer.status_code == 200, name
        assert answer.headers["content-type"] == kinds[Path(name).suffix]
        assert answer.content == (STATIC.parent / name).read_bytes()


async def test_its_policy_lets_nothing_in_from_elsewhere(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphiql")
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    sources = {source for value in policy.values() for source in value.split()}
    assert sources == {"'none'", "'self'", "data:"}
    assert [name for name, value in policy.items() if "data:" in value] == ["img-src"]
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_no_file_loads_anything_from_elsewhere() -> None:
    assert [name for name in named_files() if "//" in name or name.startswith("/")] == []
    for path in STATIC.glob("*.css"):
        text = path.read_text()
        assert "@import" not in text
        found = re.findall(r"url\(\s*[\"']?([^\"')]{0,20})", text)
        assert [place for place in found if not place.startswith("data:image/")] == [], path.name
    for path in STATIC.glob("*.js"):
        text = path.read_text()
        assert "sourceMappingURL" not in text
        assert not re.search(r"new Worker\(|importScripts\(|\beval\(|new Function\(", text)


async def test_a_file_is_sent_again_only_when_it_changed(client: httpx.AsyncClient) -> None:
    first = await client.get("/graphiql/graphiql.min.js")
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    assert etag != (await client.get("/graphiql/page.js")).headers["etag"]
    for condition in (etag, f"W/{etag}", f'"another", {etag}', "*"):
        answer = await client.get("/graphiql/graphiql.min.js", headers={"If-None-Match": condition})
        assert (answer.status_code, answer.content) == (304, b""), condition
        assert answer.headers["etag"] == etag
    other = {"If-None-Match": '"another"'}
    assert (await client.get("/graphiql/graphiql.min.js", headers=other)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/graphiql/../settings.py",
        "/graphiql/..%2f..%2fsettings.py",
        "/graphiql/%2e%2e/%2e%2e/settings.py",
        "/graphiql/..",
        "/graphiql/%2Fetc%2Fpasswd",
        "/graphiql/page.js%00",
        "/graphiql/page.js/",
        "/graphiql/PAGE.JS",
        "/graphiql/absent.js",
    ],
)
async def test_nothing_else_is_served(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(httpx.URL("http://test", raw_path=path.encode()))
    assert answer.status_code in {307, 404}, answer.text
    if answer.status_code == 307:  # without its last slash, it is there or is not
        again = await client.get(answer.headers["location"])
        assert (again.status_code, path) == (200, "/graphiql/page.js/")


async def test_it_is_read_only(client: httpx.AsyncClient) -> None:
    assert (await client.post("/graphiql")).status_code == 405


def test_all_of_it_is_in_the_wheel_and_it_is_small(tmp_path: Path) -> None:
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with ZipFile(built) as wheel:
        inside = {
            Path(entry.filename).name: entry.file_size
            for entry in wheel.infolist()
            if entry.filename.startswith("graphid/static/graphiql/")
        }
    assert inside.keys() == {path.name for path in STATIC.iterdir()}
    assert {"index.html", "NOTICE.txt", *(Path(name).name for name in named_files())} <= set(inside)
    assert sum(inside.values()) < MOST_BYTES


def test_it_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRAPHID_GRAPHIQL", raising=False)
    assert Settings().graphiql is False
    monkeypatch.setenv("GRAPHID_GRAPHIQL", "on")
    assert Settings().graphiql is True
