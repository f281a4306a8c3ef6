"""A provider that says whatever a test wants it to: on loopback, with keys of its own."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from joserfc.jwa import JWS_ALGORITHMS
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from graphid.auth.key_sets import CONFIGURATION
from graphid.auth.providers import Provider, read_provider

NOW = 1_800_000_000
"""The time, in seconds since 1970, at which every test happens."""
CLIENT = "graphid-at-the-shop"
REDIRECT = "https://shop.example/logged-in"
JSON = "application/json"

RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
OTHER_RSA = RSAKey.generate_key(2048, {"kid": "other"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})

_SIGNING = {algorithm.name: algorithm for algorithm in JWS_ALGORITHMS}


def encoded(text: str | bytes) -> str:
    """Base64url without padding."""
    data = text.encode() if isinstance(text, str) else text
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: Mapping[str, Any] | str, values: Mapping[str, Any] | str, key: Key) -> str:
    """A token of exactly these texts; nothing is checked when it is made."""
    head, body = (x if isinstance(x, str) else json.dumps(x) for x in (header, values))
    text = f"{encoded(head)}.{encoded(body)}"
    algorithm = _SIGNING[json.loads(head)["alg"]]
    return f"{text}.{encoded(algorithm.sign(text.encode(), key))}"


def symmetric(secret: bytes) -> OctKey:
    """The key that a forger makes of what is public."""
    return OctKey(secret, secret)


@dataclass(frozen=True)
class Seen:
    """A request that came in."""

    path: str
    form: Mapping[str, list[str]]
    authorization: str | None
    cookie: str | None


@dataclass(frozen=True)
class Said:
    """An answer. ``pieces``: how the body goes out; None in it: nothing more, for ever."""

    body: Any = None
    status: int = 200
    kind: str | None = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Answering = Callable[["Exchange"], None]


class LyingProvider:
    """Answers on loopback. What it says can be changed at any time."""

    def __init__(self, address: str) -> None:
        self.issuer = address
        self.seen: list[Seen] = []
        self.closing = threading.Event()
        self.keys: list[Any] = [key.as_dict(private=False) for key in (RSA, EC, ED)]
        self.says: dict[str, Said | Answering] = {}
        """By path; what is not in it is said truthfully."""
        self.code_answer = Said({"id_token": "x", "access_token": "y", "token_type": "Bearer"})

    @property
    def configuration(self) -> dict[str, Any]:
        """The truth about it."""
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint": f"{self.issuer}/token",
        }

    def answer(self, path: str) -> Said | Answering:
        truth: Mapping[str, Callable[[], Said]] = {
            CONFIGURATION: lambda: Said(self.configuration),
            "/keys": lambda: Said({"keys": self.keys}),
            "/token": lambda: self.code_answer,
        }
        return self.says.get(path) or truth.get(path, lambda: Said({}, 404))()

    def asked(self, path: str) -> int:
        """How often something was asked for."""
        return sum(seen.path == path for seen in self.seen)

    def set_up(self, **settings: Any) -> Provider:
        """graphid's settings for it."""
        document = {
            "issuer": self.issuer,
            "client_id": CLIENT,
            "client_secret": "of the client",
            "redirect_uris": [REDIRECT],
            "algorithms": ["RS256", "PS256", "ES256", "EdDSA"],
            **settings,
        }
        return read_provider({k: v for k, v in document.items() if v is not None})

    def claims(self, **others: Any) -> dict[str, Any]:
        """What a good token says; None takes a claim out."""
        said = {
            "iss": self.issuer,
            "sub": "jane",
            "aud": CLIENT,
            "iat": NOW - 10,
            "exp": NOW + 300,
            **others,
        }
        return {name: value for name, value in said.items() if value is not None}

    def token(
        self, *, key: Key = RSA, header: Mapping[str, Any] | None = None, **claims: Any
    ) -> str:
        """A token that is good but for what is given."""
        algorithm = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}.get(key.key_type)
        head = {"alg": algorithm, "kid": key.kid, **(header or {})}
        return signed({k: v for k, v in head.items() if v is not None}, self.claims(**claims), key)


class Exchange(BaseHTTPRequestHandler):
    """One request."""

    provider: LyingProvider
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle(self) -> None:
        with suppress(ConnectionError):  # who asked has hung up, as they should
            super().handle()

    def do_GET(self) -> None:
        self._answer("")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["content-length"])).decode())

    def _answer(self, form: str) -> None:
        self.provider.seen.append(
            Seen(self.path, parse_qs(form), self.headers["authorization"], self.headers["cookie"])
        )
        said = self.provider.answer(self.path)
        if isinstance(said, Said):
            self.say(said)
        else:
            said(self)

    def say(self, said: Said) -> None:
        """An answer."""
        self.begin(said)
        self.wfile.write(said.text)

    def begin(self, said: Said) -> None:
        """Status and headers."""
        self.send_response(said.status)
        if said.kind is not None:
            self.send_header("Content-Type", said.kind)
        self.send_header("Content-Length", str(len(said.text)))
        for name, value in said.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Tests say what went wrong."""


def silent(exchange: Exchange) -> None:
    """Takes the request, and says nothing until the test is over."""
    exchange.provider.closing.wait()


def dripping(exchange: Exchange) -> None:
    """A byte now and then, so that no time limit between bytes is ever met."""
    exchange.begin(Said({"keys": ["x" * 10_000]}))
    while not exchange.provider.closing.wait(0.01):
        exchange.wfile.write(b" ")


def endless(exchange: Exchange) -> None:
    """More and more, without saying how much."""
    exchange.send_response(200)
    exchange.send_header("Content-Type", JSON)
    exchange.send_header("Connection", "close")
    exchange.end_headers()
    while not exchange.provider.closing.is_set():
        exchange.wfile.write(b" " * 65_536)


@contextmanager
def lying_provider() -> Iterator[LyingProvider]:
    """One that answers for as long as the block runs."""

    class Own(Exchange):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        provider = LyingProvider(f"http://127.0.0.1:{server.server_address[1]}")
        Own.provider = provider
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield provider
        finally:
            provider.closing.set()
            server.shutdown()
            thread.join()
