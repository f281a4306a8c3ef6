"""Structured logs on standard error, for our own events and those of libraries.

Nothing personal goes in: no bodies, query strings, identifiers or addresses of clients. An
exception is logged by its types, codes and places only, because messages of drivers and parsers
quote the values that they stumble over.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

Event = MutableMapping[str, Any]


def set_up(level: str = "info", form: Literal["json", "console"] = "json") -> None:
    """Send every log line to standard error, from ``level`` up."""
    number = logging.getLevelNamesMapping()[level.upper()]
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_values,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*before, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    # Both tell of every connection and start at "info"; the access log is our own.
    for chatty in ("uvicorn", "uvicorn.error", "neo4j", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(max(number, logging.WARNING))


def set_up_for_a_command(level: str) -> None:
    """As ``set_up``, for a command that tells by itself how it goes: its lines are for people, and
    what is only of interest to a service is left out."""
    set_up("warning" if level == "info" else level, "console")


def without_values(_logger: Any, _method: str, event: Event) -> Event:
    """Replace ``exc_info`` by the chain of types and codes, and where the first was raised."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["error"] = " < ".join(_kinds(error))
        event["at"] = _places(error)
    return event


def _kinds(error: BaseException) -> list[str]:
    kinds: list[str] = []
    at: BaseException | None = error
    while at is not None and len(kinds) < 8:
        code = getattr(at, "code", None)
        name = f"{type(at).__module__}.{type(at).__qualname__}"
        kinds.append(f"{name}({code})" if isinstance(code, str) else name)
        at = at.__cause__ or at.__context__
    return kinds


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
