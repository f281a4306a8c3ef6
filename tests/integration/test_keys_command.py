"""``graphid keys``, as an operator runs it, beside whatever else is on the database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from graphid.auth.key_text import KeyText
from graphid.graph.access_keys import AccessKey, AccessKeys
from graphid.graph.database import Address, Database
from graphid.service.audit.audit import COMMAND_LINE
from graphid.service.audit.trail import Trail
from graphid.service.pages import PageRequest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(database: Address, tmp_path: Path) -> Run:
    """``graphid keys …``; what it says, and how it ended."""

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "graphid", "keys", *arguments],
            env={
                **os.environ,
                "GRAPHID_NEO4J_URI": database.uri,
                "GRAPHID_NEO4J_USER": database.user,
                "GRAPHID_NEO4J_PASSWORD": database.password,
                "GRAPHID_NEO4J_DATABASE": database.database,
                "GRAPHID_DATA_DIR": str(tmp_path),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    return command


async def kept(database: Address, id: str) -> AccessKey:
    connected = await Database.connect(database)
    try:
        return (await AccessKeys(connected).find([id]))[id]
    finally:
        await connected.close()


async def audited(database: Address, id: str) -> list[str]:
    """What the audit has of commands on the key, the latest first."""
    connected = await Database.connect(database)
    try:
        page = await Trail(connected).page(
            PageRequest(10), actor=COMMAND_LINE.actor, subject=f"key_{id}"
        )
        return [entry.action for entry in page.items]
    finally:
        await connected.close()


def made(text: str) -> KeyText:
    key = KeyText.read(text)
    assert key is not None, text
    return key


async def test_a_key_from_its_making_to_its_end(run: Run, database: Address) -> None:
    created = run("create", "shop [red]1[/red]", "--publishable", "--origin", "https://Shop.example",
                  "--days", "2", "--events-per-second", "50")  # fmt: skip
    assert created.returncode == 0, created.stderr
    assert "database_closed" not in created.stderr  # a log is for who runs a service
    key = made(created.stdout.strip())
    assert "event:write, chat:write" in created.stderr
    assert key.secret not in created.stderr
    record = await kept(database, key.id)
    assert record.name == "shop [red]1[/red]"
    assert record.created_by == "graphid keys"
    assert record.origins == ("https://shop.example",)
    assert record.limits == {"events_per_second": 50}
    assert record.expires_at is not None
    assert 1 < record.expires_at / 1e6 / 86_400 - datetime.now(UTC).timestamp() / 86_400 < 3

    rotated = run("rotate", key.id, "--overlap", "0.5")
    assert rotated.returncode == 0, rotated.stderr
    other = made(rotated.stdout.strip())
    assert (other.kind, other.id) == (key.kind, key.id)
    assert other.secret != key.secret

    listed = run("list")
    assert listed.returncode == 0, listed.stderr
    (line,) = [line for line in listed.stdout.splitlines() if key.id in line]
    for word in ("publishable", "[red]1[/red]", "https://shop.example", "never", "good until"):
        assert word in line
    assert key.secret not in listed.stdout
    assert other.secret not in listed.stdout

    revoked = run("revoke", key.id, "--reason", "leaked")
    assert revoked.returncode == 0, revoked.stderr
    assert "was revoked" in revoked.stdout
    record = await kept(database, key.id)
    assert (record.revoked_by, record.reason) == ("graphid keys", "leaked")
    (line,) = [line for line in run("list").stdout.splitlines() if key.id in line]
    assert "revoked" in line
    assert await audited(database, key.id) == ["revokeKey", "rotateKey", "createKey"]


def test_a_secret_to_sign_with_comes_behind_the_key(run: Run) -> None:
    created = run("create", "crm", "--scope", "event:write", "--scope", "contact:edit", "--sign")
    assert created.returncode == 0, created.stderr
    text, secret = created.stdout.split()
    assert made(text).kind == "SECRET"
    assert len(secret) == 64
    rotated = run("rotate", made(text).id)
    assert secret not in rotated.stdout


async def test_a_public_key_is_read_from_a_file(
    run: Run, database: Address, tmp_path: Path
) -> None:
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    pem = tmp_path / "site.pem"
    pem.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    created = run("create", "site", "--publishable", "--public-key", str(pem))
    assert created.returncode == 0, created.stderr
    record = await kept(database, made(created.stdout.strip()).id)
    assert record.signing == "EdDSA"
    assert record.versions[0].public_key == pem.read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["create", "x"], "scopes"),
        (["create", "x", "--scope", "moon:view"], "scopes.0"),
        (["create", "x", "--publishable", "--scope", "journey:view"], "publishable key may only"),
        (["create", "x", "--publishable", "--origin", "*"], "origins.0"),
        (["create", "x", "--publishable", "--public-key", "/nowhere.pem"], "cannot be read"),
        (["rotate", "nobody"], "no key of this id"),
        (["revoke", "aaaaaaaaaaaa"], "no key of this id"),
        (["rotate", "aaaaaaaaaaaa", "--overlap", "10000"], "overlap"),
    ],
)
def test_faults_are_one_readable_message(run: Run, arguments: list[str], says: str) -> None:
    found = run(*arguments)
    assert found.returncode == 1
    assert says in found.stderr
    assert "Traceback" not in found.stderr
    assert found.stdout == ""
