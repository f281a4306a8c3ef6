"""A GraphQL request, as clients write it in JSON, whatever brings it."""

from __future__ import annotations

from typing import Any

from graphid.api.execution import Request
from graphid.errors import InvalidInput


def request_of(sent: dict[str, Any]) -> Request:
    """The request. Raises InvalidInput, naming what is wrong."""
    query, name = sent.get("query"), sent.get("operationName")
    variables = sent.get("variables")
    if not isinstance(query, str) or not query.strip():
        raise InvalidInput("query must be a text that holds GraphQL.", path=["query"])
    if name is not None and not isinstance(name, str):
        raise InvalidInput("operationName must be a text.", path=["operationName"])
    if variables is not None and not isinstance(variables, dict):
        raise InvalidInput("variables must be an object.", path=["variables"])
    extensions = sent.get("extensions")
    if extensions is not None and not isinstance(extensions, dict):
        raise InvalidInput("extensions must be an object.", path=["extensions"])
    return Request(query, variables or {}, name or None)
