"""Calls to providers: only to the hosts that are set up, within limits of time and size.

Everything that can go wrong with a call is a refusal with a reason: a provider that is down, slow
or lying costs those who asked for it a few seconds, and nobody else anything.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from graphid.auth.addresses import InvalidAddress, host_of
from graphid.auth.compact import refused
from graphid.auth.json_object import HeldTwice, NoObject, parse_object

TIMEOUT = 5.0
"""Seconds that a call may take from beginning to end."""
MAX_ANSWER = 262_144
"""Bytes of an answer, at most."""
MAX_AT_ONCE = 50
"""Calls to one host that may be under way."""
SERVER_FAULT = 500

Answer = tuple[int, dict[str, Any]]
"""Status and content."""


class Outbound:
    """Calls providers. One for the process; close it with the process."""

    def __init__(self, *, timeout: float = TIMEOUT, max_answer: int = MAX_ANSWER) -> None:
        self._timeout = timeout
        self._max_answer = max_answer
        self._under_way: Counter[str] = Counter()
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            # The one limit is that of the whole call: below.
            timeout=None,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            # Plain http is for this machine only, and this machine is behind no proxy.
            mounts={"http://": None},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            # Unpacked, a small answer could be a huge one.
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def get(self, url: str, hosts: Collection[str]) -> dict[str, Any]:
        """The object at an address. Raises Refused."""
        status, found = await self._call("GET", url, hosts)
        if status != httpx.codes.OK:
            raise refused(f"The provider answered with status {status}.")
        return found

    async def post(
        self,
        url: str,
        hosts: Collection[str],
        form: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> Answer:
        """What is answered to a form: also where the provider refuses it. Raises Refused."""
        return await self._call("POST", url, hosts, data=form, headers=headers)

    async def _call(self, method: str, url: str, hosts: Collection[str], **sent: Any) -> Answer:
        async with self._admitted(url, hosts):
            try:
                async with (
                    asyncio.timeout(self._timeout),
                    self._client.stream(method, url, **sent) as response,
                ):
                    return response.status_code, await self._read(response)
            except TimeoutError:
                raise refused(f"The provider did not answer within {self._timeout:g} s.") from None
            except httpx.HTTPError:
                raise refused("The provider cannot be reached.") from None

    @asynccontextmanager
    async def _admitted(self, url: str, hosts: Collection[str]) -> AsyncIterator[None]:
        try:
            host = host_of(url)
        except InvalidAddress:
            raise refused("The provider names an address that may not be called.") from None
        if host not in hosts:
            raise refused("The provider names a host that is not set up for it.")
        if self._under_way[host] >= MAX_AT_ONCE:
            raise refused(f"More than {MAX_AT_ONCE} calls to the provider are under way.")
        self._under_way[host] += 1
        try:
            yield
        finally:
            self._under_way[host] -= 1

    async def _read(self, response: httpx.Response) -> dict[str, Any]:
        status = response.status_code
        if response.is_redirect:
            raise refused("The provider answered with a redirect, and none is followed.")
        if status >= SERVER_FAULT:
            raise refused(f"The provider answered with status {status}.")
        if not _is_json(response.headers):
            raise refused("The provider answered with something other than JSON.")
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > self._max_answer:
                raise refused(f"The provider answered with more than {self._max_answer} bytes.")
        try:
            return parse_object(bytes(body))
        except HeldTwice:
            raise refused("The provider's answer is ambiguous: a name stands twice.") from None
        except NoObject:
            raise refused("The provider answered with something other than JSON.") from None


def _is_json(headers: httpx.Headers) -> bool:
    kind = str(headers.get("content-type", "")).partition(";")[0].strip().lower()
    if headers.get("content-encoding", "identity") != "identity":
        return False
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )
