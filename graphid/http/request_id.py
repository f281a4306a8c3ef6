"""The id of a request: in every log line and in every error, so that the two can be matched."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

HEADER = "X-Request-Id"
VALID = re.compile(r"[A-Za-z0-9._-]{1,64}")

current: ContextVar[str] = ContextVar("graphid_request_id", default="")


def request_id() -> str:
    """The id of the request that this code runs for; empty outside of one."""
    return current.get()


def accept_or_make(given: str) -> str:
    """The caller's own id where it is well formed, else a new one."""
    return given if VALID.fullmatch(given) else secrets.token_hex(8)
