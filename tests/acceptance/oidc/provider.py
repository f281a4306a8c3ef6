"""A certified identity provider as a process of its own, and the browser that logs in there."""

from __future__ import annotations

import base64
import hashlib
import secrets
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest

from graphid.auth.providers import Provider, read_provider

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json", "server.mjs")
REDIRECT = "https://shop.example/logged-in"
SAYS_WHERE = "the provider answers at "
SECRETS = {"basic": "a:secret/of 50% + more", "post": "another:secret/of 50% + more"}
ALGORITHMS = {"public": "ES256"}
MOST_REDIRECTS = 10


@dataclass(frozen=True)
class Login:
    """What a browser holds when it comes back from the provider."""

    code: str
    issuer: str
    redirect_uri: str
    code_verifier: str
    nonce: str


class CertifiedProvider:
    """The provider, as seen from outside."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def document(self, client: str = "basic", **others: Any) -> dict[str, Any]:
        """graphid's settings for one of its clients (``basic``, ``post``, ``public``)."""
        secret = SECRETS.get(client)
        return {
            "issuer": self.issuer,
            "client_id": client,
            "redirect_uris": [REDIRECT],
            "algorithms": [ALGORITHMS.get(client, "RS256")],
            **(
                {"client_secret": secret, "auth_method": f"client_secret_{client}"}
                if secret
                else {}
            ),
            **others,
        }

    def set_up(self, client: str = "basic", **others: Any) -> Provider:
        """The same, read."""
        return read_provider(self.document(client, **others))

    def log_in(self, who: str = "jane", *, client: str = "basic", **others: str) -> Login:
        """What a new browser comes back with when ``who`` has logged in.

        ``others``: more parameters of the request for authorization, such as ``max_age``.
        """
        verifier, nonce, state = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        asked = {
            "client_id": client,
            "response_type": "code",
            "scope": "openid email phone profile",
            "redirect_uri": REDIRECT,
            "code_challenge": challenge.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "login_hint": who,
            "nonce": nonce,
            "state": state,
            **others,
        }
        came_back = parse_qs(urlsplit(self._browse({k: v for k, v in asked.items() if v})).query)
        assert came_back.get("state") == [state], came_back
        (code,), (issuer,) = came_back["code"], came_back["iss"]
        return Login(code, issuer, REDIRECT, verifier, nonce)

    def _browse(self, asked: dict[str, str]) -> str:
        """The address on which the browser leaves the provider."""
        url = str(httpx.URL(f"{self.issuer}/auth", params=asked))
        with httpx.Client(trust_env=False, timeout=30) as browser:
            for _ in range(MOST_REDIRECTS):
                answer = browser.get(url)
                assert answer.is_redirect, answer.text
                url = urljoin(url, answer.headers["location"])
                if url.startswith(REDIRECT):
                    return url
        raise AssertionError(f"still at the provider: {url}")


@contextmanager
def running_provider(folder: Path) -> Iterator[CertifiedProvider]:
    """The provider, installed into a folder, for as long as the block runs.

    Skips the test where there is no Node.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("NO NODE HERE: what a certified identity provider gives out was NOT tested")
    for name in FILES:
        shutil.copy(HERE / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with subprocess.Popen(
        [node, "server.mjs", REDIRECT],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = ""
        while SAYS_WHERE not in said:
            said = process.stdout.readline()
            assert said, f"the provider ended with {process.wait()}"
        # Read all along: whose log nobody reads stands still when the pipe is full.
        reader = threading.Thread(target=process.stdout.read)
        reader.start()
        try:
            yield CertifiedProvider(said.partition(SAYS_WHERE)[2].strip())
        finally:
            process.terminate()
            reader.join()
