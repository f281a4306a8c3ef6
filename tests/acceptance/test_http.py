"""The shell of the service as a real process on a real socket: health, limits, ids, a good end."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from time import monotonic

import httpx
import pytest

from graphid.graph.database import Address

LIMIT = 65536
PATIENCE = 120.0
"""Seconds, for what takes a moment on a slow machine."""


class Service:
    """``graphid serve`` in a process of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "graphid", "serve"],
            env={**os.environ, **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.url = ""
        self._answers = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._answers.wait(PATIENCE) or not self.url:
            self.process.kill()
            self.process.wait()
            raise AssertionError("\n".join(self.lines))
        self.port = int(self.url.rpartition(":")[2])

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                self.lines.append(line)
                if found := re.search(r"answers at (\S+)", line):
                    self.url = found[1]
                    self._answers.set()
        self._answers.set()

    def logged(self) -> list[dict[str, object]]:
        """Every log line; call it after the process has ended."""
        self._reader.join(PATIENCE)
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def running(database: Address, folder: Path, **more: str) -> Iterator[Service]:
    environment = {
        "GRAPHID_NEO4J_URI": database.uri,
        "GRAPHID_NEO4J_USER": database.user,
        "GRAPHID_NEO4J_PASSWORD": database.password,
        "GRAPHID_NEO4J_DATABASE": database.database,
        "GRAPHID_DATA_DIR": str(folder),
        "GRAPHID_PORT": "0",
        "GRAPHID_MAX_BODY_BYTES": str(LIMIT),
        **more,
    }
    service = Service(environment)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()


@pytest.fixture(scope="module")
def service(database: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(database, tmp_path_factory.mktemp("service")) as started:
        yield started


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=PATIENCE) as opened:
        yield opened


def test_health(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "database": "ok", "schema": "current"}
    assert client.get("/version").json()["version"]


def test_answers_on_an_open_connection_do_not_wait_for_acknowledgements(service: Service) -> None:
    # Without TCP_NODELAY each takes 40 ms, whatever the machine.
    times = []
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as line:
        for _ in range(41):
            started = monotonic()
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b'{"status":"ok"}'):
                answer += line.recv(65536)
            times.append(monotonic() - started)
    assert median(times) < 0.03


def test_the_callers_request_id_is_kept_where_it_is_well_formed(client: httpx.Client) -> None:
    assert (
        client.get("/healthz", headers={"X-Request-Id": "a-1.b_2"}).headers["X-Request-Id"]
        == "a-1.b_2"
    )
    for bad in ("with space", "x" * 65, "<script>"):
        made = client.get("/healthz", headers={"X-Request-Id": bad}).headers["X-Request-Id"]
        assert re.fullmatch("[0-9a-f]{16}", made)


def test_a_page_of_any_origin_may_send_and_no_cookie_counts(client: httpx.Client) -> None:
    asked = client.options(
        "/graphql",
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert "authorization" in asked.headers["Access-Control-Allow-Headers"].lower()
    assert "Access-Control-Allow-Credentials" not in asked.headers
    sent = client.get("/healthz", headers={"Origin": "https://shop.example"})
    assert sent.headers["Access-Control-Allow-Origin"] == "*"


def test_an_unknown_route_is_an_error_in_json_with_its_id(client: httpx.Client) -> None:
    answer = client.get("/nowhere", headers={"X-Request-Id": "trace-me"})
    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "code": "NOT_FOUND",
        "message": "Not Found",
        "requestId": "trace-me",
    }


def assert_too_large(answer: httpx.Response, what: str) -> None:
    assert answer.status_code == 413
    error = answer.json()["error"]
    assert error["code"] == "TOO_LARGE"
    assert error["message"] == f"The {what} is larger than the limit of {LIMIT} bytes."


def test_a_body_within_the_limit_arrives(client: httpx.Client) -> None:
    # No route takes a body here; 404 says that it was read and passed on.
    assert client.post("/nowhere", content=b"x" * LIMIT).status_code == 404


def test_an_announced_body_past_the_limit(client: httpx.Client) -> None:
    assert_too_large(client.post("/nowhere", content=b"x" * (LIMIT + 1)), "body")


def test_a_chunked_body_past_the_limit(client: httpx.Client) -> None:
    chunks = (b"x" * 10_000 for _ in range(20))
    assert_too_large(client.post("/nowhere", content=chunks), "body")


@pytest.mark.parametrize(
    "start",
    [
        b"GET /",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Long: ",
    ],
    ids=["target", "header", "trailer"],
)
def test_a_head_or_a_trailer_without_end(service: Service, start: bytes) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as line:
        with suppress(OSError):
            # Until it does not listen any more.
            line.sendall(start)
            for _ in range(10_000):
                line.sendall(b"x" * 10_000)
            pytest.fail("100 MB were taken")
        with suppress(OSError):
            assert b"HTTP/1.1 400 " in line.recv(65536)


def test_a_gzip_bomb(client: httpx.Client) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < LIMIT
    answer = client.post("/nowhere", content=bomb, headers={"Content-Encoding": "gzip"})
    assert_too_large(answer, "decompressed body")


def test_a_gzip_bomb_of_many_members(client: httpx.Client) -> None:
    bomb = gzip.compress(b"\0" * 10_000) * 20
    answer = client.post("/nowhere", content=bomb, headers={"Content-Encoding": "gzip"})
    assert_too_large(answer, "decompressed body")


@pytest.mark.parametrize(
    "body", [b"not gzip", gzip.compress(b"cut" * 99, mtime=0)[:-9], b"\x1f\x8b"]
)
def test_broken_gzip(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/nowhere", content=body, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert "not valid gzip" in answer.json()["error"]["message"]


def test_a_gzip_of_very_many_members_is_refused_at_once(client: httpx.Client) -> None:
    body = gzip.compress(b"") * 1000
    answer = client.post("/graphql", content=body, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 413
    assert "members" in answer.text


def test_an_unknown_content_encoding(client: httpx.Client) -> None:
    answer = client.post("/nowhere", content=b"x", headers={"Content-Encoding": "br"})
    assert answer.status_code == 415
    assert "gzip" in answer.json()["error"]["message"]


def test_a_body_that_never_arrives(database: Address, tmp_path: Path) -> None:
    with (
        running(database, tmp_path, GRAPHID_REQUEST_TIMEOUT="1") as service,
        socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as line,
    ):
        line.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
        assert line.recv(65536).startswith(b"HTTP/1.1 408 ")


def test_the_log_has_the_route_and_nothing_that_a_caller_wrote(
    database: Address, tmp_path: Path
) -> None:
    with running(database, tmp_path) as service:
        httpx.get(f"{service.url}/people/jane@example.com?email=jane@example.com")
        httpx.get(f"{service.url}/version?email=jane@example.com", headers={"User-Agent": "jane@"})
        httpx.post(f"{service.url}/version", content=b"jane@example.com")
        service.end()
        requests = [line for line in service.logged() if line["event"] == "request"]
    assert [line["route"] for line in requests] == ["-", "/version", "/version"]
    assert [line["status"] for line in requests] == [404, 200, 405]
    assert all(line["request_id"] for line in requests)
    assert "jane" not in "".join(service.lines)


def test_sigterm_is_not_ready_then_finishes_what_is_in_flight_then_ends(
    database: Address, tmp_path: Path
) -> None:
    with (
        running(database, tmp_path) as service,
        socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as line,
        httpx.Client(base_url=service.url, timeout=PATIENCE) as client,
    ):
        line.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
        assert client.get("/readyz").status_code == 200
        service.process.send_signal(signal.SIGTERM)
        while (answer := client.get("/readyz")).status_code == 200:
            pass
        assert answer.json() == {
            "ready": False,
            "database": "ok",
            "schema": "current",
            "process": "stopping",
        }
        while is_open(service.port):
            pass
        line.sendall(b" and x")
        assert line.recv(65536).startswith(b"HTTP/1.1 404 ")
        assert service.process.wait(PATIENCE) == 0


def is_open(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def test_a_taken_port_and_bad_settings_are_told_in_words(database: Address, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(AssertionError, match=f"127.0.0.1:{port} cannot be used"):
            Service({"GRAPHID_PORT": port, "GRAPHID_DATA_DIR": str(tmp_path)})
    with pytest.raises(AssertionError, match="GRAPHID_PORT: Input should be a valid integer"):
        Service({"GRAPHID_PORT": "many", "GRAPHID_DATA_DIR": str(tmp_path)})


class Line:
    """A TCP line to the database that can be cut, and taken up again."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.up = True
        self.pairs: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if not self.up:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.target))
            self.pairs += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass

    def cut(self) -> None:
        self.up = False
        for end in self.pairs:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.pairs.clear()


def test_a_database_that_goes_away_and_comes_back(database: Address, tmp_path: Path) -> None:
    line = Line(int(database.uri.rpartition(":")[2]))
    behind = f"bolt://127.0.0.1:{line.port}"
    with running(database, tmp_path, GRAPHID_NEO4J_URI=behind) as service:
        with httpx.Client(base_url=service.url, timeout=PATIENCE) as client:
            assert client.get("/readyz").status_code == 200
            line.cut()
            away = client.get("/readyz")
            assert away.status_code == 503
            assert away.json() == {
                "ready": False,
                "database": "unreachable",
                "schema": "unknown",
            }
            assert client.get("/healthz").status_code == 200
            line.up = True
            assert client.get("/readyz").status_code == 200
        assert service.end() == 0
    line.listener.close()


IDENTIFY = """mutation ($input: IdentifyInput!) {
  identify(input: $input) { __typename ... on Identified { duplicate } }
}"""


def test_what_was_sent_while_the_database_was_away_is_stored_once(
    database: Address, tmp_path: Path
) -> None:
    line = Line(int(database.uri.rpartition(":")[2]))
    key = "pk_of_a_lost_line"
    variables = {
        "input": {
            "context": {"cookieId": tmp_path.name, "messageId": f"lost-{tmp_path.name}"},
            "identifiers": [{"type": "user_id", "value": tmp_path.name}],
        }
    }
    behind = {"GRAPHID_NEO4J_URI": f"bolt://127.0.0.1:{line.port}", "GRAPHID_PUBLISHABLE_KEYS": key}
    with (
        running(database, tmp_path, **behind) as service,
        httpx.Client(
            base_url=service.url, timeout=PATIENCE, headers={"Authorization": f"Bearer {key}"}
        ) as client,
    ):

        def send() -> httpx.Response:
            return client.post("/graphql", json={"query": IDENTIFY, "variables": variables})

        line.cut()
        lost = send()
        assert lost.status_code == 503
        assert int(lost.headers["Retry-After"]) >= 1
        assert lost.json()["errors"][0]["extensions"]["code"] == "DATABASE_UNAVAILABLE"
        call = {"userId": tmp_path.name, "anonymousId": tmp_path.name, "writeKey": key}
        assert client.post("/v1/identify", json=call).status_code == 503
        line.up = True
        told = [send().json()["data"]["identify"]["duplicate"] for _ in range(2)]
        assert told == [False, True]
        assert service.end() == 0
    line.listener.close()
