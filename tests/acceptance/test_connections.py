"""What clients do to a connection, byte by byte, and what is left of it."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from urllib.parse import urlsplit

import httpx
import pytest

from tests.service import SECRET_KEY, Service

PATIENCE = 60.0

BODY = json.dumps({"query": "subscription { identityChanges { sequence } }"})
STREAM = (
    f"POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET_KEY}\r\n"
    "Accept: text/event-stream\r\nContent-Type: application/json\r\n"
    f"Content-Length: {len(BODY)}\r\n\r\n{BODY}"
)
ANOTHER = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@contextmanager
def connected(service: Service) -> Iterator[socket.socket]:
    port = urlsplit(service.url).port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
        yield line


def upgrade(line: socket.socket, more: str = "") -> None:
    """Ask for a WebSocket."""
    key = base64.b64encode(b"sixteen bytes ok").decode()
    head = (
        "GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        f"Sec-WebSocket-Protocol: graphql-transport-ws\r\n{more}\r\n"
    )
    line.sendall(head.encode())


def frame(opcode: int, content: bytes) -> bytes:
    """A whole one, masked with zeros, as clients send it."""
    return bytes([0x80 | opcode, 0x80 | len(content)]) + bytes(4) + content


def whole(line: socket.socket) -> bytes:
    """All that comes until the other side has closed."""
    return b"".join(iter(lambda: line.recv(65536), b""))


def subscriptions(service: Service) -> int:
    """How many are open, as the service counts them."""
    told = httpx.get(
        f"{service.url}/metrics",
        headers={"Authorization": f"Bearer {SECRET_KEY}"},
        timeout=PATIENCE,
    )
    found = re.search(r"^graphid_subscriptions (\d+)", told.text, re.MULTILINE)
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("behind", ["", ANOTHER, 2 * ANOTHER], ids=["nothing", "one", "two"])
def test_an_event_stream_ends_with_its_client_whatever_came_behind_it(
    graphid: Service, behind: str
) -> None:
    with connected(graphid) as line:
        line.sendall(f"{STREAM}{behind}".encode())
        assert b"text/event-stream" in line.recv(65536)
        assert subscriptions(graphid) > 0
    deadline = monotonic() + PATIENCE
    while left := subscriptions(graphid):
        assert monotonic() < deadline, f"{left} are open still"


@pytest.mark.parametrize(
    "more",
    ["".join(f"X-{n}: y\r\n" for n in range(130)), f"X-Long: {'y' * 9_000}\r\n"],
    ids=["many", "long"],
)
def test_a_head_that_no_websocket_may_have_is_answered(graphid: Service, more: str) -> None:
    with connected(graphid) as line:
        upgrade(line, more)
        answer = whole(line)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"too large: 128 headers, 8192 bytes each.")


@pytest.mark.parametrize("behind", [b"", frame(8, b"\x03\xe8")], ids=["nothing", "a close"])
def test_a_text_that_is_none_is_no_message(graphid: Service, behind: bytes) -> None:
    with connected(graphid) as line:
        upgrade(line)
        assert line.recv(65536).startswith(b"HTTP/1.1 101 ")
        line.sendall(frame(1, b'"\xff"') + behind)
        answer = whole(line)
    closed = answer.rindex(b"\x88")
    assert int.from_bytes(answer[closed + 2 : closed + 4]) in (4400, 1000)[: 1 + bool(behind)]
    errors = ("exception", "Traceback", '"level": "error"')
    assert [line for line in graphid.log if any(word in line for word in errors)] == []
