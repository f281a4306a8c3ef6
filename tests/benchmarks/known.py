"""Whether the time of a browser's identify tells that somebody is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

from tests.benchmarks.timing import Compared, compare
from tests.service import PUBLISHABLE_KEY, Client, Service

IDENTIFY = """mutation ($input: IdentifyInput!) {
  identify(input: $input) { __typename ... on Identified { duplicate } }
}"""

KNOWN = "identify, known beside unknown"
"""What the names of these comparisons begin with."""
WARM_UP = 100

VALUES: dict[str, Callable[[int], str]] = {
    "email": lambda own: f"{own:016d}@example.com",
    "phone": lambda own: f"+4478{own % 10**8:08d}",
    "user_id": lambda own: f"{own:016d}",
}


def known_beside_unknown(service: Service, times: int) -> Iterator[Compared]:
    """A browser without a past names somebody who is known, beside nobody: by each type."""
    server, browser = service.client(), service.client(PUBLISHABLE_KEY)
    for type, value in VALUES.items():
        first = uuid4().int % 10**8
        turns = times + WARM_UP
        known = [value((first + turn) % 10**8) for turn in range(turns)]
        unknown = [value((first + turns + turn) % 10**8) for turn in range(turns)]
        for one in known:
            _identify(server, type, one)
        yield compare(
            f"{KNOWN} {type}",
            _naming(browser, type, known),
            _naming(browser, type, unknown),
            times=times,
            warm_up=WARM_UP,
        )


def _naming(browser: Client, type: str, values: list[str]) -> Callable[[int], None]:
    return lambda turn: _identify(browser, type, values[turn])


def _identify(client: Client, type: str, value: str) -> None:
    own = uuid4().hex
    context = {"messageId": f"m-{own}", "cookieId": f"c-{own}", "deviceId": f"d-{own}"}
    who = [{"type": type, "value": value}]
    said = client.graphql(IDENTIFY, input={"context": context, "identifiers": who})["identify"]
    assert said["__typename"] == "Identified"
