"""Who sends, by the header that shows it."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from graphid.errors import Unauthorized
from graphid.http.callers import Callers
from graphid.http.gate import Gate
from tests.keys import Process


def request(header: str | None) -> Request:
    shown = [] if header is None else [(b"authorization", header.encode("latin-1"))]
    return Request({"type": "http", "client": ("192.0.2.1", 1), "headers": shown})


@pytest.mark.parametrize("header", ["Bearer sk_of_settings", "bearer  sk_of_settings "])
async def test_a_key_is_found_in_the_header(header: str) -> None:
    caller = await Callers(Process().keyring, Gate()).bearer(request(header))
    assert caller.name.startswith("sk:")


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic sk_of_settings", "sk_of_settings", "Bearer é"]
)
async def test_what_shows_no_key_is_refused_without_asking(header: str | None) -> None:
    process = Process()
    with pytest.raises(Unauthorized) as caught:
        await Callers(process.keyring, Gate()).bearer(request(header))
    assert "of_settings" not in str(caught.value)
    assert process.stored.asked == []
