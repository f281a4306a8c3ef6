"""Settings of a graphid process, read once from the environment.

Every variable begins with ``GRAPHID_``. A secret can come from a file instead: ``GRAPHID_X_FILE``
names the file that holds ``GRAPHID_X``. ``load()`` reports all faults in one error.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from graphid.auth.providers import ClientId, Host, Issuer, Provider, Providers
from graphid.auth.scopes import Scope
from graphid.errors import InvalidInput, SettingsError

PREFIX = "GRAPHID_"
SECRETS = (
    *("neo4j_password", "secret_keys", "publishable_keys", "installation_secret"),
    *("oidc_providers", "limit_storage"),
)
STAFF = ("staff_issuer", "staff_audience")
NEO4J_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
MIN_KEY_CHARACTERS = 4
"""Shorter is a slip. Up to ``GUESSABLE_CHARACTERS`` will do for a trial, and is warned of."""
GUESSABLE_CHARACTERS = 16
MIN_SECRET_CHARACTERS = 16

Keys = tuple[SecretStr, ...]
Networks = tuple[IPv4Network | IPv6Network, ...]
Rate = Annotated[int | None, Field(ge=1, le=100_000)]


@dataclass(frozen=True)
class _Fault:
    """Stands for a value that could not be read, so that validation can name it with the rest."""

    reason: str


class Settings(BaseSettings):
    """What an operator can set. Immutable; secrets do not show in ``repr`` or logs."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True
    )

    neo4j_uri: str | None = None
    """A database to use; without it the local engine is started in ``data_dir``."""
    neo4j_user: str = "neo4j"
    neo4j_password: SecretStr = SecretStr("")
    """Empty: the database asks for no authentication."""
    neo4j_database: str = Field(default="neo4j", min_length=1)
    engine_version: str = "2026.08.1"
    """Which Neo4j the local engine is."""
    data_dir: Path = Path(".graphid")
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    """0: any free port."""
    secret_keys: Annotated[Keys, NoDecode] = ()
    """May send and read. There is no default key."""
    publishable_keys: Annotated[Keys, NoDecode] = Field(default=(), validate_default=True)
    """May send, and never reads anything about a person. There is no default key."""
    installation_secret: SecretStr | None = None
    """Ids are hashes keyed by it, for ever. None: the graph keeps one of its own."""
    oidc_providers: Annotated[tuple[Provider, ...], NoDecode] = ()
    """Identity providers of customers, as a JSON list of objects."""
    staff_issuer: Issuer | None = None
    """The identity provider of the organisation's own people; without it, they use keys."""
    staff_audience: ClientId | None = None
    """What the tokens of these people name as their audience."""
    staff_hosts: Annotated[tuple[Host, ...], NoDecode] = ()
    """Hosts beside the issuer's own that its keys may be on, with commas between them."""
    staff_roles_claim: str = Field(default="roles", min_length=1)
    """The claim that holds roles or groups, or a path to it with dots."""
    staff_roles: Annotated[Mapping[str, frozenset[Scope]], NoDecode] = Field(
        default={}, validate_default=True
    )
    """What each role may do, as a JSON object of lists of scopes."""
    request_timeout: float = Field(default=10.0, gt=0, le=600)
    """Seconds that one request may take, retries included."""
    max_body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    """Of a request body, as sent and also after decompression."""
    trusted_proxies: Annotated[Networks, NoDecode] = ()
    """Networks of proxies whose ``X-Forwarded-For`` says where a request comes from."""
    limit_storage: SecretStr = SecretStr("memory://")
    """Where limits are counted; processes that share one limit together. It may hold a password."""
    limit_address_failures: int = Field(default=20, ge=0, le=1_000_000)
    """Authentications that may fail, a minute and address; 0: any number."""
    limit_address_requests: Rate = None
    """Requests a second and address, with publishable keys."""
    limit_address_events: Rate = None
    """Messages a second and address, with publishable keys."""
    limit_address_concurrent: Annotated[int | None, Field(ge=1, le=10_000)] = None
    """Requests under way at once, by address, with publishable keys."""
    audit_days: int = Field(default=400, ge=1, le=36_500)
    """How long it is kept who did what."""
    graphiql: bool = False
    """Whether ``/graphiql`` is there, the page on which people try GraphQL."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _SecretFiles(settings_cls), env_settings

    @field_validator("*", mode="before")
    @classmethod
    def _readable(cls, value: Any) -> Any:
        if isinstance(value, _Fault):
            raise PydanticCustomError("unreadable", "{reason}", {"reason": value.reason})
        return value

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("neo4j_uri")
    @classmethod
    def _known_scheme(cls, value: str | None) -> str | None:
        if value is not None and value.partition("://")[0] not in NEO4J_SCHEMES:
            raise PydanticCustomError(
                "scheme", "must begin with one of {schemes}", {"schemes": _schemes()}
            )
        return value

    @field_validator("installation_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < MIN_SECRET_CHARACTERS:
            raise PydanticCustomError(
                "short", "must have at least {least} characters", {"least": MIN_SECRET_CHARACTERS}
            )
        return value

    @field_validator("oidc_providers", "staff_roles", mode="before")
    @classmethod
    def _json(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise PydanticCustomError("json", "must be JSON") from None

    @field_validator("oidc_providers")
    @classmethod
    def _one_of_each(cls, value: tuple[Provider, ...]) -> tuple[Provider, ...]:
        try:
            Providers(value)
        except InvalidInput as fault:
            raise PydanticCustomError("twice", "{text}", {"text": fault.message}) from None
        return value

    @field_validator("staff_roles")
    @classmethod
    def _whole_staff(
        cls, value: Mapping[str, frozenset[Scope]], info: ValidationInfo
    ) -> Mapping[str, frozenset[Scope]]:
        known = {name: info.data[name] for name in STAFF if name in info.data}
        missing = [name for name, given in known.items() if given is None]
        if len(known) == len(STAFF) and len(missing) == 1:
            # Only here both are known, but it is no fault of the roles.
            names = " and ".join(map(variable, STAFF))
            said = {"names": names, "missing": missing[0]}
            raise PydanticCustomError("staff", "is missing: set both {names}, or neither", said)
        return value

    @field_validator("secret_keys", "publishable_keys", "staff_hosts", mode="before")
    @classmethod
    def _comma_separated(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(item for item in map(str.strip, value.split(",")) if item)
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return tuple(ip_network(part) for part in map(str.strip, value.split(",")) if part)
        except ValueError:
            raise PydanticCustomError(
                "networks", "must be addresses or networks, as 10.0.0.0/8, separated by commas"
            ) from None

    @field_validator("publishable_keys")
    @classmethod
    def _sound_keys(cls, value: Keys, info: Any) -> Keys:
        # Both lists are judged here, where both are known, so that no fault hides another.
        faults = _key_faults(info.data.get("secret_keys", ()), value)
        if faults:
            raise PydanticCustomError("keys", "{text}", {"text": "; ".join(faults), "all": faults})
        return value


class _SecretFiles(PydanticBaseSettingsSource):
    """``GRAPHID_X_FILE`` for each secret X. Naming both the value and the file is a fault."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        name = variable(field_name)
        path = os.environ.get(f"{name}_FILE")
        if not path or field_name not in SECRETS:
            return None, field_name, False
        if os.environ.get(name):
            return _Fault(f"set either this or {name}_FILE, not both"), field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            return _Fault(f"the file in {name}_FILE cannot be read: {reason}"), field_name, False

    def __call__(self) -> dict[str, Any]:
        values = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in values.items() if value is not None}


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


def load(**given: Any) -> Settings:
    """The settings of this process; ``given`` values (from a command line) come first.

    Raises SettingsError with every fault, named by its environment variable. No value is
    repeated in it: it could be a secret.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        faults = [line for item in error.errors() for line in _lines(item)]
    raise SettingsError(faults)


def _lines(fault: Mapping[str, Any]) -> Iterable[str]:
    if fault["type"] == "keys":
        return list(fault["ctx"]["all"])
    if fault["type"] == "staff":
        return [f"{variable(fault['ctx']['missing'])}: {fault['msg']}"]
    field, *within = map(str, fault["loc"])
    place = f"{variable(field)}: {'.'.join(within)}" if within else variable(field)
    return [f"{place}: {fault['msg']}"]


def _schemes() -> str:
    return ", ".join(f"{scheme}://" for scheme in NEO4J_SCHEMES)


def _key_faults(secret: Keys, publishable: Keys) -> list[str]:
    faults: list[str] = []
    seen: dict[str, str] = {}
    for field, keys in (("secret_keys", secret), ("publishable_keys", publishable)):
        name = variable(field)
        for number, key in enumerate(keys, start=1):
            place, text = f"key {number} of {name}", key.get_secret_value()
            if len(text) < MIN_KEY_CHARACTERS:
                faults.append(
                    f"{name}: key {number} has fewer than {MIN_KEY_CHARACTERS} characters"
                )
            if not text.isascii() or any(c.isspace() or not c.isprintable() for c in text):
                faults.append(f"{name}: key {number} holds characters other than printable ASCII")
            if ":" in text:
                # Basic authentication ends the user there, and SDKs send keys as users.
                faults.append(f"{name}: key {number} holds a colon")
            if text in seen:
                faults.append(f"{name}: key {number} is the same as {seen[text]}")
            seen.setdefault(text, place)
    return faults
