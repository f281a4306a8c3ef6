"""Settings: where they come from, what is refused, and the installation secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from graphid.auth.scopes import Scope
from graphid.errors import SettingsError
from graphid.settings import Settings, load


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GRAPHID_")]:
        monkeypatch.delenv(name)


def test_defaults_hold_no_key() -> None:
    settings = load()
    assert settings.secret_keys == ()
    assert settings.publishable_keys == ()
    assert settings.neo4j_uri is None
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHID_PORT", "9000")
    monkeypatch.setenv("GRAPHID_SECRET_KEYS", "sk_first_key, sk_second_key,")
    monkeypatch.setenv("GRAPHID_LOG_LEVEL", "DEBUG")
    settings = load()
    assert settings.port == 9000
    assert [key.get_secret_value() for key in settings.secret_keys] == [
        "sk_first_key",
        "sk_second_key",
    ]
    assert settings.log_level == "debug"


def test_what_is_given_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHID_PORT", "9000")
    assert load(port=9001).port == 9001


def test_a_secret_comes_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    monkeypatch.setenv("GRAPHID_NEO4J_PASSWORD_FILE", str(tmp_path / "password"))
    assert load().neo4j_password.get_secret_value() == "s3cret"


def test_only_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "port").write_text("9000")
    monkeypatch.setenv("GRAPHID_PORT_FILE", str(tmp_path / "port"))
    assert load().port == 8080


def test_proxies_are_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHID_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::/32,192.0.2.1")
    assert [str(network) for network in load().trusted_proxies] == [
        "10.0.0.0/8",
        "2001:db8::/32",
        "192.0.2.1/32",
    ]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TRUSTED_PROXIES", "10.0.0.1/8", "must be addresses or networks"),
        ("TRUSTED_PROXIES", "proxy.example", "must be addresses or networks"),
        ("LIMIT_ADDRESS_FAILURES", "-1", "greater than or equal to 0"),
        ("LIMIT_ADDRESS_REQUESTS", "0", "greater than or equal to 1"),
        ("LIMIT_ADDRESS_CONCURRENT", "100000", "less than or equal to 10000"),
        ("AUDIT_DAYS", "0", "greater than or equal to 1"),
    ],
)
def test_a_limit_out_of_bounds_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"GRAPHID_{name}", value)
    with pytest.raises(SettingsError, match=f"GRAPHID_{name}: .*{told}"):
        load()


def test_every_fault_is_told_at_once_and_no_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = {
        "GRAPHID_PORT": "99999",
        "GRAPHID_NEO4J_URI": "http://localhost",
        "GRAPHID_NEO4J_PASSWORD_FILE": str(tmp_path / "absent"),
        "GRAPHID_SECRET_KEYS": "sk_,in_both_lists",
        "GRAPHID_PUBLISHABLE_KEYS": "in_both_lists,with space in",
        "GRAPHID_INSTALLATION_SECRET": "too short",
        "GRAPHID_MAX_BODY_BYTES": "many",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    text = str(caught.value)
    for expected in (
        "GRAPHID_PORT: Input should be less than or equal to 65535",
        "GRAPHID_NEO4J_URI: must begin with one of bolt://",
        "GRAPHID_NEO4J_PASSWORD: the file in GRAPHID_NEO4J_PASSWORD_FILE cannot be read",
        "GRAPHID_SECRET_KEYS: key 1 has fewer than 4 characters",
        "GRAPHID_PUBLISHABLE_KEYS: key 1 is the same as key 2 of GRAPHID_SECRET_KEYS",
        "GRAPHID_PUBLISHABLE_KEYS: key 2 holds characters",
        "GRAPHID_INSTALLATION_SECRET: must have at least 16 characters",
        "GRAPHID_MAX_BODY_BYTES",
    ):
        assert expected in text
    assert len(caught.value.faults) == 8
    assert "in_both_lists" not in text
    assert caught.value.__cause__ is None


def test_value_and_file_together_are_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("sk_from_file")
    monkeypatch.setenv("GRAPHID_SECRET_KEYS", "sk_from_environment")
    monkeypatch.setenv("GRAPHID_SECRET_KEYS_FILE", str(tmp_path / "keys"))
    with pytest.raises(SettingsError, match="not both"):
        load()


def test_no_secret_shows() -> None:
    settings = load(
        secret_keys="sk_hidden_key",
        publishable_keys="pk_hidden_key",
        neo4j_password="hidden_password",
        installation_secret="hidden_installation",
        limit_storage="redis://:hidden_password@counter",
    )
    assert "hidden" not in repr(settings)
    assert "hidden" not in settings.model_dump_json()


def test_settings_do_not_change() -> None:
    with pytest.raises(Exception, match="frozen"):
        Settings().port = 1


PROVIDER = '{"issuer": "https://login.example", "client_id": "graphid", "client_secret": "hidden"}'


def test_providers_come_from_json_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "providers").write_text(f"[{PROVIDER}]\n")
    monkeypatch.setenv("GRAPHID_OIDC_PROVIDERS_FILE", str(tmp_path / "providers"))
    settings = load()
    (provider,) = settings.oidc_providers
    assert provider.issuer == "https://login.example"
    assert provider.client_secret is not None
    assert "hidden" not in f"{settings!r} {settings.model_dump_json()}"


def test_staff_and_what_their_roles_may_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHID_STAFF_ISSUER", "https://staff.example")
    monkeypatch.setenv("GRAPHID_STAFF_AUDIENCE", "graphid")
    monkeypatch.setenv("GRAPHID_STAFF_HOSTS", "keys.example, localhost:9000")
    monkeypatch.setenv("GRAPHID_STAFF_ROLES_CLAIM", "realm_access.roles")
    monkeypatch.setenv("GRAPHID_STAFF_ROLES", '{"agents": ["journey:view", "chat:write"]}')
    settings = load()
    assert settings.staff_issuer == "https://staff.example"
    assert settings.staff_audience == "graphid"
    assert settings.staff_hosts == ("keys.example", "localhost:9000")
    assert settings.staff_roles_claim == "realm_access.roles"
    assert settings.staff_roles == {"agents": {Scope.JOURNEY_VIEW, Scope.CHAT_WRITE}}


def test_without_staff() -> None:
    settings = load()
    assert settings.oidc_providers == ()
    assert (settings.staff_issuer, settings.staff_roles) == (None, {})
    assert settings.staff_roles_claim == "roles"


def test_faults_of_providers_and_staff_are_told_with_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {
        "GRAPHID_PORT": "99999",
        "GRAPHID_OIDC_PROVIDERS": '[{"issuer": "SECRET", "client_id": "", "leeway": 1000}, 7]',
        "GRAPHID_STAFF_ISSUER": "http://SECRET.example",
        "GRAPHID_STAFF_HOSTS": "https://SECRET.example",
        "GRAPHID_STAFF_ROLES": '{"agents": ["journey:view", "SECRET"]}',
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    text = str(caught.value)
    for expected in (
        "GRAPHID_PORT: ",
        "GRAPHID_OIDC_PROVIDERS: 0.issuer: must begin with https://",
        "GRAPHID_OIDC_PROVIDERS: 0.client_id: ",
        "GRAPHID_OIDC_PROVIDERS: 0.leeway: ",
        "GRAPHID_OIDC_PROVIDERS: 1: ",
        "GRAPHID_STAFF_ISSUER: must begin with https://; http:// is for this machine only",
        "GRAPHID_STAFF_HOSTS: 0: must be a host",
        "GRAPHID_STAFF_ROLES: agents.1: Input should be",
    ):
        assert expected in text
    assert "SECRET" not in text


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("GRAPHID_OIDC_PROVIDERS", "{", "GRAPHID_OIDC_PROVIDERS: must be JSON"),
        ("GRAPHID_OIDC_PROVIDERS", f"[{PROVIDER}, {PROVIDER}]", "have the same issuer"),
        ("GRAPHID_STAFF_ROLES", "[" * 100_000, "GRAPHID_STAFF_ROLES: must be JSON"),
        ("GRAPHID_STAFF_AUDIENCE", "graphid", "GRAPHID_STAFF_ISSUER: is missing: set both"),
        ("GRAPHID_STAFF_ISSUER", "https://staff.example", "GRAPHID_STAFF_AUDIENCE: is missing"),
    ],
)
def test_a_fault_of_providers_or_staff(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=says) as caught:
        load()
    assert len(caught.value.faults) == 1
