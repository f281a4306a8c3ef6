"""A thousand subscribers to a person each, and ten to everything, at 100 changes a second."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter
from typing import Any
from uuid import uuid4

import aiohttp

from tests.service import SECRET_KEY, Service

OWN, EVERYTHING = 1_000, 10
CHANGES_A_SECOND = 100
SECONDS = 30
A_CONNECTION = 100
"""Subscriptions of one connection."""
SENDERS = 16
PATIENCE = 60.0
"""Seconds until what is not there is lost."""

FOLLOW = """subscription ($personId: ID) { identityChanges(personId: $personId) {
  sequence kind personId previousPersonIds evidenceId recordedAt links { id kind state } } }"""


@dataclass
class Delivered:
    """``expected`` and ``received`` results; milliseconds from when a message was sent, at
    p50, p99 and most; memory in MB before, and while all are subscribed; the processor's seconds
    that the service took, of ``seconds``."""

    expected: int
    received: int
    p50: float
    p99: float
    most: float
    before: float
    during: float
    busy: float
    seconds: float

    def __str__(self) -> str:
        return (
            f"{OWN:,} subscribers to a person each, {EVERYTHING} to everything, "
            f"{CHANGES_A_SECOND} changes a second for {SECONDS} s: {self.received:,} of "
            f"{self.expected:,} delivered, p50 {self.p50:.0f} ms, p99 {self.p99:.0f} ms, "
            f"at most {self.most:.0f} ms; memory {self.before:.0f} MB before, "
            f"{self.during:.0f} MB while; busy {self.busy / self.seconds:.0%} of a processor"
        )


def deliveries(service: Service) -> Delivered:
    """Measure."""
    return asyncio.run(_Measurement(service).run())


class _Measurement:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._run = uuid4().hex[:8]
        self._sent: dict[str, float] = {}
        """When a message was sent, by its id."""
        self._heard: list[tuple[str, float]] = []
        self._ready = 0

    async def run(self) -> Delivered:
        before = self._service.megabytes
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
            people = await self._people(http)
            variables = [*({"personId": person} for person in people), *([{}] * EVERYTHING)]
            listening = []
            for first in range(0, len(variables), A_CONNECTION):
                part = variables[first : first + A_CONNECTION]
                socket = await stack.enter_async_context(
                    http.ws_connect(
                        self._service.url.replace("http", "ws") + "/graphql",
                        protocols=("graphql-transport-ws",),
                    )
                )
                listening.append(asyncio.create_task(self._listen(socket, part)))
            await self._until_all_listen(http)
            self._heard.clear()
            busy, began = self._service.busy_seconds, perf_counter()
            await self._change(http)
            expected = len(self._sent) * (1 + EVERYTHING)
            await self._until(lambda: self._count() >= expected)
            seconds = perf_counter() - began
            busy = self._service.busy_seconds - busy
            during = self._service.megabytes
            for task in listening:
                task.cancel()
            await asyncio.wait(listening)
        delays = [(at - self._sent[id]) * 1000 for id, at in self._heard if id in self._sent]
        cuts = quantiles(delays, n=100)
        return Delivered(
            expected,
            len(delays),
            cuts[49],
            cuts[98],
            max(delays),
            before,
            during,
            busy,
            seconds,
        )

    def _count(self) -> int:
        return sum(id in self._sent for id, _ in self._heard)

    async def _until(self, is_so: Any) -> None:
        deadline = perf_counter() + PATIENCE
        while not is_so() and perf_counter() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    async def _post(self, http: aiohttp.ClientSession, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {SECRET_KEY}"}
        async with http.post(self._service.url + path, json=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def _people(self, http: aiohttp.ClientSession) -> list[str]:
        """Ids of people who are known."""
        for first in range(0, OWN, 100):
            calls = [self._identify(n, f"{self._run}-{n}-first") for n in range(first, first + 100)]
            await self._post(http, "/v1/batch", {"batch": calls})
        found = []
        for first in range(0, OWN, 25):
            fields = " ".join(
                f'p{n}: personByIdentifier(type: "user_id", value: "{self._run}-{n}") {{ id }}'
                for n in range(first, first + 25)
            )
            data = (await self._post(http, "/graphql", {"query": f"{{ {fields} }}"}))["data"]
            found += [data[f"p{n}"]["id"] for n in range(first, first + 25)]
        return found

    def _identify(self, person: int, message: str) -> dict[str, Any]:
        """On a cookie that nobody has seen, so that each is a change."""
        return {
            "type": "identify",
            "anonymousId": f"c-{message}",
            "userId": f"{self._run}-{person}",
            "messageId": message,
        }

    async def _listen(
        self, socket: aiohttp.ClientWebSocketResponse, variables: list[dict[str, Any]]
    ) -> None:
        payload = {"Authorization": f"Bearer {SECRET_KEY}"}
        await socket.send_json({"type": "connection_init", "payload": payload})
        for id, given in enumerate(variables):
            asked = {"query": FOLLOW, "variables": given}
            await socket.send_json({"type": "subscribe", "id": str(id), "payload": asked})
        async for message in socket:
            at = perf_counter()
            said = json.loads(message.data)
            if said["type"] == "next":
                self._heard.append((said["payload"]["data"]["identityChanges"]["evidenceId"], at))
            else:
                assert said["type"] == "connection_ack", said

    async def _until_all_listen(self, http: aiohttp.ClientSession) -> None:
        """Change everybody once in a while, until all have been told of it."""
        turn = 0
        wanted = OWN * (1 + EVERYTHING)
        while True:
            turn += 1
            self._heard.clear()
            for first in range(0, OWN, 100):
                calls = [
                    self._identify(n, f"{self._run}-{n}-warm-{turn}")
                    for n in range(first, first + 100)
                ]
                await self._post(http, "/v1/batch", {"batch": calls})
            deadline = perf_counter() + 10
            while len(self._heard) < wanted and perf_counter() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            if len(self._heard) >= wanted:
                return

    async def _change(self, http: aiohttp.ClientSession) -> None:
        """One identify after another, evenly, whoever is behind."""
        turns: Iterator[int] = iter(range(CHANGES_A_SECOND * SECONDS))
        began = perf_counter()

        async def send() -> None:
            for turn in turns:
                await asyncio.sleep(max(0.0, began + turn / CHANGES_A_SECOND - perf_counter()))
                id = f"{self._run}-{turn % OWN}-at-{turn}"
                call = self._identify(turn % OWN, id)
                self._sent[id] = perf_counter()
                await self._post(http, "/v1/identify", call)

        await asyncio.gather(*(send() for _ in range(SENDERS)))
