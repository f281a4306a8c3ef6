"""What can be checked of the container files without a container engine.

The rules are those of the Compose specification that our file makes use of, and what the two files,
the settings and the engine must agree on.
"""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from graphid import settings
from graphid.graph.engine import DEFAULT_VERSION

ROOT = Path(__file__).parents[2]

Duration = Annotated[str, StringConstraints(pattern=r"^(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$")]
Port = Annotated[
    str, StringConstraints(pattern=r"^(\$\{\w+:-)?127\.0\.0\.1:\d{2,5}\}?:\d{2,5}(/(tcp|udp))?$")
]
User = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*:[1-9]\d*$")]
"""Numbers, and not those of root."""
Unset = None


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class HealthCheck(Strict):
    test: list[str]
    interval: Duration
    timeout: Duration
    retries: int
    start_period: Duration

    @model_validator(mode="after")
    def _is_a_command(self) -> HealthCheck:
        assert self.test[0] in ("CMD", "CMD-SHELL")
        assert len(self.test) > 1
        return self


class Dependency(Strict):
    condition: Literal["service_healthy"]


class Service(Strict):
    image: str
    build: str | None = Unset
    depends_on: dict[str, Dependency] = {}
    environment: dict[str, str]
    secrets: list[str]
    ports: list[Port] = []
    volumes: list[Annotated[str, StringConstraints(pattern=r"^\w+:/[\w/]+$")]] = []
    tmpfs: list[str] = []
    healthcheck: HealthCheck
    user: User
    read_only: bool = False
    cap_drop: list[Literal["ALL"]]
    security_opt: list[Literal["no-new-privileges:true"]]
    restart: Literal["unless-stopped"]
    stop_grace_period: Duration


class Secret(Strict):
    file: str


class Compose(Strict):
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    services: dict[str, Service]
    volumes: dict[str, None]
    secrets: dict[str, Secret]


@pytest.fixture(scope="module")
def compose() -> Compose:
    return Compose.model_validate(yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8")))


def test_every_part_that_is_named_is_there(compose: Compose) -> None:
    used: set[str] = set()
    for service in compose.services.values():
        assert set(service.depends_on) <= set(compose.services)
        assert {volume.partition(":")[0] for volume in service.volumes} <= set(compose.volumes)
        assert set(service.secrets) <= set(compose.secrets)
        used |= set(service.secrets)
        for name, value in service.environment.items():
            if name.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service.secrets
    assert used == set(compose.secrets)


def test_no_secret_is_in_the_file(compose: Compose) -> None:
    for service in compose.services.values():
        for name in service.environment:
            secret = re.search(r"PASSWORD|SECRET|KEYS|AUTH", name)
            assert not secret or name.endswith("_FILE"), f"{name} belongs into a file"


def test_the_service_is_told_settings_that_exist(compose: Compose) -> None:
    known = {settings.variable(field) for field in settings.Settings.model_fields}
    with_file = {f"{settings.variable(field)}_FILE" for field in settings.SECRETS}
    environment = set(compose.services["service"].environment)
    assert environment <= known | with_file
    assert set(re.findall(r"\bGRAPHID_\w+(?==)", dockerfile())) <= known


def test_the_service_waits_for_the_database_and_can_write_nowhere(compose: Compose) -> None:
    service = compose.services["service"]
    assert service.depends_on["database"].condition == "service_healthy"
    assert service.read_only
    assert not service.volumes


def test_the_database_is_the_one_that_the_tests_use_and_keeps_its_data(compose: Compose) -> None:
    database = compose.services["database"]
    assert database.image == f"neo4j:{DEFAULT_VERSION}"
    assert database.volumes == ["database:/data"]
    assert not database.ports, "the database is for the service alone"


def test_the_image_runs_as_the_user_that_compose_names(compose: Compose) -> None:
    assert re.findall(r"^USER (\S+)$", dockerfile(), re.M) == [compose.services["service"].user]


def test_the_image_copies_what_is_there_and_not_ignored() -> None:
    not_ignored = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile(), re.M)
        for source in line.split()[:-1]
    }
    assert copied == not_ignored
    assert all((ROOT / source).exists() for source in copied)


def test_secrets_are_made_once_and_differ(tmp_path: Path, compose: Compose) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    script = tools / "make-secrets"
    script.write_bytes((ROOT / "tools" / "make-secrets").read_bytes())
    for _ in range(2):
        subprocess.run(["bash", str(script)], check=True, capture_output=True)
        made = {file.name: file.read_text().strip() for file in (tmp_path / "secrets").iterdir()}
    assert {f"./secrets/{name}" for name in made} == {s.file for s in compose.secrets.values()}
    assert made["neo4j_auth"] == f"neo4j/{made['neo4j_password']}"
    assert len(set(made.values())) == len(made)
    assert all(len(secret) >= 48 for secret in made.values())
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text("utf-8")
