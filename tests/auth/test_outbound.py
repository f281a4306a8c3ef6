"""Calls to providers that are down, slow, huge or elsewhere."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphid.auth.addresses import MAX_ADDRESS, InvalidAddress, host_of, is_host
from graphid.auth.outbound import MAX_AT_ONCE, Outbound
from graphid.errors import Refused
from tests.auth.lying_provider import LyingProvider, Said, dripping, endless, silent


def hosts(provider: LyingProvider) -> Collection[str]:
    return (host_of(provider.issuer),)


async def test_reads_an_object(provider: LyingProvider, outbound: Outbound) -> None:
    url = f"{provider.issuer}/x"
    for kind in ("application/json", "application/jwk-set+json", "Application/JSON; charset=utf-8"):
        provider.says["/x"] = Said({"a": [1, 2.5, "é"]}, kind=kind)
        assert await outbound.get(url, hosts(provider)) == {"a": [1, 2.5, "é"]}


async def test_what_is_answered_to_a_form_is_read_also_where_it_is_a_refusal(
    provider: LyingProvider, outbound: Outbound
) -> None:
    provider.says["/x"] = Said({"error": "no"}, 400)
    answer = await outbound.post(
        f"{provider.issuer}/x", hosts(provider), {"a": "b c"}, {"Authorization": "Basic x"}
    )
    assert answer == (400, {"error": "no"})
    (seen,) = provider.seen
    assert (seen.form, seen.authorization) == ({"a": ["b c"]}, "Basic x")


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (Said({}, 404), "with status 404"),
        (Said({}, 500), "with status 500"),
        (Said(b"<html>", 503, kind="text/html"), "with status 503"),
        (Said({}, 302, headers={"Location": "http://127.0.0.1:1/x"}), "with a redirect"),
        (Said({}, 307, headers={"Location": "/keys"}), "with a redirect"),
        (Said({}, kind="text/html"), "other than JSON"),
        (Said({}, kind="text/json"), "other than JSON"),
        (Said({}, kind=None), "other than JSON"),
        (Said({}, headers={"Content-Encoding": "gzip"}), "other than JSON"),
        (Said([]), "other than JSON"),
        (Said(b""), "other than JSON"),
        (Said(b"{"), "other than JSON"),
        (Said(b"\xff"), "other than JSON"),
        (Said(b'{"a": NaN}'), "other than JSON"),
        (Said(b'{"a": 1e999}'), "other than JSON"),
        (Said(b'{"a": ' + b"9" * 5000 + b"}"), "other than JSON"),
        (Said(b'{"a": "\\ud800"}'), "other than JSON"),
        (Said(b"[" * 100_000), "other than JSON"),
        (Said(b'{"a": {"b": 1, "b": 2}}'), "a name stands twice"),
        (Said({"x": "x" * 300_000}), "more than 262144 bytes"),
        (endless, "more than 262144 bytes"),
    ],
)
async def test_any_other_answer_is_refused(
    provider: LyingProvider, outbound: Outbound, said: Any, says: str
) -> None:
    provider.says["/x"] = said
    with pytest.raises(Refused, match=says):
        await outbound.get(f"{provider.issuer}/x", hosts(provider))
    assert provider.asked("/keys") == 0


@pytest.mark.parametrize("answering", [silent, dripping])
async def test_a_provider_that_takes_its_time_is_left(
    provider: LyingProvider, answering: Any
) -> None:
    provider.says["/slow"] = answering
    impatient = Outbound(timeout=0.2)
    with pytest.raises(Refused, match=r"did not answer within 0\.2 s"):
        await impatient.get(f"{provider.issuer}/slow", hosts(provider))
    await impatient.aclose()


async def test_meanwhile_everybody_else_is_served(
    provider: LyingProvider, outbound: Outbound
) -> None:
    provider.says.update({"/slow": silent, "/fast": Said({"is": "fast"})})
    slow = asyncio.create_task(outbound.get(f"{provider.issuer}/slow", hosts(provider)))
    assert await outbound.get(f"{provider.issuer}/fast", hosts(provider)) == {"is": "fast"}
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow


async def test_only_so_many_wait_for_one_provider(
    provider: LyingProvider, outbound: Outbound
) -> None:
    provider.says["/slow"] = silent
    url = f"{provider.issuer}/slow"
    waiting = [asyncio.create_task(outbound.get(url, hosts(provider))) for _ in range(MAX_AT_ONCE)]
    await asyncio.sleep(0)  # each has begun
    with pytest.raises(Refused, match="More than 50 calls to the provider are under way"):
        await outbound.get(url, hosts(provider))
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    provider.says["/fast"] = Said({})
    assert await outbound.get(f"{provider.issuer}/fast", hosts(provider)) == {}


async def test_a_provider_that_is_down_cannot_be_reached(outbound: Outbound) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and nobody listens
        host = f"127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(Refused, match="cannot be reached"):
            await outbound.get(f"http://{host}/", [host])


async def test_only_hosts_that_are_set_up_are_called(
    provider: LyingProvider, outbound: Outbound
) -> None:
    host = host_of(provider.issuer)
    port = host.partition(":")[2]
    for url in (f"http://localhost:{port}/", f"http://{host}.example/", "https://127.0.0.1/"):
        with pytest.raises(Refused, match=r"a host that is not set up|may not be called"):
            await outbound.get(url, [host])
    for url in (f"http://x@{host}/", f"ftp://{host}/", "nothing", f"http://{host}/#x"):
        with pytest.raises(Refused, match="an address that may not be called"):
            await outbound.get(url, [host])
    assert provider.seen == []


async def test_no_cookie_is_kept(provider: LyingProvider, outbound: Outbound) -> None:
    provider.says["/x"] = Said({}, headers={"Set-Cookie": "a=b; Path=/"})
    for _ in range(2):
        await outbound.get(f"{provider.issuer}/x", hosts(provider))
    assert [seen.cookie for seen in provider.seen] == [None, None]


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://login.example", "login.example"),
        ("https://LOGIN.example:443/a?b", "login.example"),
        ("https://login.example:8443", "login.example:8443"),
        ("http://127.0.0.1:80/", "127.0.0.1"),
        ("http://localhost:9000/x", "localhost:9000"),
        ("http://[::1]:9000/x", "[::1]:9000"),
        ("https://bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_the_host_of_an_address(address: str, host: str) -> None:
    assert host_of(address) == host
    assert is_host(host)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://login.example", "for this machine only"),
        ("http://10.0.0.1", "for this machine only"),
        ("http://localhost.example", "for this machine only"),
        ("login.example", "must begin with https://"),
        ("https://", "must begin with https://"),
        ("file:///etc/passwd", "must begin with https://"),
        ("https://a:b@login.example", "name or a password"),
        ("https://login.example#", "fragment"),
        ("https://login.example:port", "is not an address"),
        ("https://login.example/" + "a" * MAX_ADDRESS, "is longer than"),
    ],
)
def test_no_host_of_what_may_not_be_called(address: str, says: str) -> None:
    with pytest.raises(InvalidAddress, match=says):
        host_of(address)


@pytest.mark.parametrize(
    "text", ["", "a/b", "Login.example", "a.example:443", "a@b", "a b", "*", "a:b"]
)
def test_what_is_no_host(text: str) -> None:
    assert not is_host(text)


ADDRESSES = st.text() | st.text(":/@#?[]%.a1xé\ud800\x00 -")


@given(ADDRESSES, st.sampled_from(["", "http://", "https://"]))
def test_any_text_has_a_host_or_is_refused(text: str, scheme: str) -> None:
    with suppress(InvalidAddress):
        assert host_of(scheme + text)
