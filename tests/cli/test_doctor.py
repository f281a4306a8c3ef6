"""What is said of insecure settings, and that nothing secret is."""

from __future__ import annotations

import json
import os
import random
import string
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from graphid.auth.key_sets import CONFIGURATION
from graphid.cli.doctor import UNSOUND
from graphid.cli.findings import Finding, Kind, findings, weakness_of
from graphid.cli.main import app
from graphid.settings import load
from tests.auth.lying_provider import Said, lying_provider

GOOD = "k8Jx2-vQ0mZ_4yTbWn7RcLs1"
"""As drawn by lot."""
PROVIDER = {
    "issuer": "https://login.shop.example",
    "client_id": "graphid",
    "client_secret": GOOD,
    "redirect_uris": ["https://shop.example/logged-in"],
    "require_nonce": True,
}
STAFF: dict[str, Any] = {"staff_issuer": "https://login.example", "staff_audience": "graphid"}
DOWN = "http://127.0.0.1:9"
"""An issuer where nobody answers."""
NOTES = {"GRAPHID_LIMIT_STORAGE", "GRAPHID_INSTALLATION_SECRET"}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GRAPHID_")]:
        monkeypatch.delenv(name)


def found(**given: Any) -> list[Finding]:
    return [finding for finding in findings(load(**given), {}) if finding.kind.is_unsound]


def notes(**given: Any) -> list[Finding]:
    """What is noted beside what every installation is told."""
    return [
        finding
        for finding in findings(load(**given), {})
        if finding.kind is Kind.NOTE and finding.about not in NOTES
    ]


def test_the_defaults_are_sound() -> None:
    assert found() == []
    assert {finding.about for finding in findings(load(), {})} == NOTES


def test_a_sound_installation_has_nothing_to_say() -> None:
    assert not findings(
        load(
            secret_keys=f"sk_{GOOD}",
            host="0.0.0.0",
            trusted_proxies="10.0.0.0/8",
            neo4j_uri="neo4j+s://database.example:7687",
            neo4j_password=GOOD,
            installation_secret=GOOD,
            limit_storage=f"rediss://:{GOOD}@counter.example:6379",
            oidc_providers=[PROVIDER],
            staff_issuer="https://login.example",
            staff_audience="graphid",
            staff_roles={"agents": ["journey:view", "event:write"]},
        ),
        {},
    )


@pytest.mark.parametrize(
    ("given", "about", "says"),
    [
        ({"secret_keys": "sk_short"}, "SECRET_KEYS", "key 1 has fewer than 16"),
        ({"secret_keys": f"{GOOD},change_this_secret"}, "SECRET_KEYS", "key 2 looks like a def"),
        ({"secret_keys": "sk_" + "ab" * 20}, "SECRET_KEYS", "8 different"),
        ({"publishable_keys": GOOD}, "PUBLISHABLE_KEYS", "any origin"),
        ({"host": "0.0.0.0"}, "HOST", "without TLS"),
        ({"host": "::"}, "HOST", "without TLS"),
        ({"host": "192.0.2.1"}, "HOST", "without TLS"),
        ({"trusted_proxies": "10.0.0.1,0.0.0.0/0"}, "TRUSTED_PROXIES", "every address"),
        ({"trusted_proxies": "::/0"}, "TRUSTED_PROXIES", "every address"),
        ({"neo4j_uri": "bolt://db:7687", "neo4j_password": GOOD}, "NEO4J_URI", "not encrypted"),
        ({"neo4j_uri": "neo4j://192.0.2.1", "neo4j_password": GOOD}, "NEO4J_URI", "not encrypted"),
        ({"neo4j_uri": "bolt+ssc://db", "neo4j_password": GOOD}, "NEO4J_URI", "whoever answers"),
        ({"neo4j_uri": "bolt://127.0.0.1:7687"}, "NEO4J_PASSWORD", "is empty"),
        (
            {"neo4j_uri": "bolt://localhost", "neo4j_password": "my-password"},
            "NEO4J_PASSWORD",
            "like a default",
        ),
        ({"limit_address_failures": 0}, "LIMIT_ADDRESS_FAILURES", "any number"),
        ({"limit_storage": f"redis://:{GOOD}@counter"}, "LIMIT_STORAGE", "not encrypted"),
        ({"log_level": "debug"}, "LOG_LEVEL", "debug"),
        ({"installation_secret": "0123456789" * 3}, "INSTALLATION_SECRET", "traced back"),
    ],
)
def test_what_is_insecure_is_found_with_what_to_do(
    given: dict[str, Any], about: str, says: str
) -> None:
    (finding,) = found(**given)
    assert finding.about == f"GRAPHID_{about}"
    assert says in finding.says
    assert finding.advice
    assert "\n" not in str(finding)
    assert GOOD not in str(finding)
    assert not any(str(value) in str(finding) for name, value in given.items() if "key" in name)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_what_only_this_machine_reaches_needs_no_tls(host: str) -> None:
    assert found(host=host) == []
    assert (
        found(neo4j_uri=f"bolt://{'[::1]' if host == '::1' else host}", neo4j_password=GOOD) == []
    )


def test_keys_drawn_by_lot_are_not_found_weak() -> None:
    lot = random.Random(1)
    for alphabet in (string.hexdigits.lower(), string.ascii_letters + string.digits + "-_"):
        for _ in range(50):
            assert weakness_of("sk_" + "".join(lot.choices(alphabet, k=32)), 16) is None


def test_the_exit_code_says_whether_anything_is(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = CliRunner().invoke(app, ["doctor"])
    assert sound.exit_code == 0
    assert "nothing insecure was found" in sound.output
    monkeypatch.setenv("GRAPHID_SECRET_KEYS", "change_this_secret_key")
    insecure = CliRunner().invoke(app, ["doctor"])
    assert insecure.exit_code == UNSOUND
    assert insecure.output.startswith("insecure: GRAPHID_SECRET_KEYS: key 1 looks like a default")
    assert "change_this" not in insecure.output
    assert "1 insecure" in insecure.output


@pytest.mark.parametrize(
    ("given", "about", "says"),
    [
        (
            {"oidc_providers": [PROVIDER | {"redirect_uris": []}]},
            "OIDC_PROVIDERS",
            "no redirect_ur",
        ),
        ({"oidc_providers": [PROVIDER | {"require_nonce": False}]}, "OIDC_PROVIDERS", "a verifier"),
        (
            STAFF | {"staff_roles": {"admins": ["integration:edit", "event:write"]}},
            "STAFF_ROLES",
            "the role admins can set identity providers and make keys that sign, and so vouch",
        ),
        (
            STAFF | {"staff_roles": {"agents": [], "admins": ["integration:edit"]}},
            "STAFF_ROLES",
            "the role admins can set identity providers, and so vouch",
        ),
        ({"graphiql": True}, "GRAPHIQL", "/graphiql"),
    ],
)
def test_what_may_be_meant_is_noted(given: dict[str, Any], about: str, says: str) -> None:
    assert found(**given) == []
    (note,) = notes(**given)
    assert note.about == f"GRAPHID_{about}"
    assert says in note.says
    assert GOOD not in str(note)


def test_a_public_client_has_its_verifier() -> None:
    public = {name: value for name, value in PROVIDER.items() if name != "client_secret"}
    assert notes(oidc_providers=[public | {"require_nonce": False}]) == []


def test_a_provider_that_is_not_heard_of_is_broken() -> None:
    reasons = {"https://login.example": "It is down.", "https://login.shop.example": "It lies."}
    told = findings(load(**STAFF, oidc_providers=[PROVIDER]), reasons)
    customers, staff = (finding for finding in told if finding.kind is Kind.BROKEN)
    assert (customers.about, staff.about) == ("GRAPHID_OIDC_PROVIDERS", "GRAPHID_STAFF_ISSUER")
    assert "https://login.shop.example does not say what its keys are" in customers.says
    assert "It lies." in customers.says
    assert "It is down." in staff.says


def test_providers_are_asked() -> None:
    with lying_provider() as good, lying_provider() as lying, lying_provider() as empty:
        lying.says[CONFIGURATION] = Said(lying.configuration | {"issuer": good.issuer})
        empty.says["/keys"] = Said({"keys": []})
        providers = [PROVIDER | {"issuer": each.issuer} for each in (good, lying, empty)]
        said = subprocess.run(
            [sys.executable, "-m", "graphid", "doctor"],
            env={
                **os.environ,
                "GRAPHID_OIDC_PROVIDERS": json.dumps(providers),
                "GRAPHID_STAFF_ISSUER": DOWN,
                "GRAPHID_STAFF_AUDIENCE": "graphid",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert (said.returncode, said.stderr) == (UNSOUND, "")
    broken = [line for line in said.stdout.splitlines() if line.startswith("broken: ")]
    assert len(broken) == 3
    for line, issuer, reason in zip(
        broken,
        (lying.issuer, empty.issuer, DOWN),
        ("says that it is another issuer", "key set is empty", "cannot be reached"),
        strict=True,
    ):
        assert f": {issuer} does not say" in line
        assert reason in line
    assert said.stdout.splitlines()[-1] == "3 broken"
    assert good.issuer not in said.stdout
