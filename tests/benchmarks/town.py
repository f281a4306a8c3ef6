"""A history that looks like a town's: households with a tablet, phones, kiosks, a CRM, thieves.

Some of it arrives late: seconds after a lost connection, days after an app was offline.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random

from graphid.identity.values import (
    SECOND,
    Assurance,
    ContactUpsert,
    Evidence,
    Identify,
    Logout,
)

START = 1_700_000_000 * SECOND
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
KIOSK = "kiosk"


class Town:
    """``inhabitants`` people in households of up to four, a kiosk for each thousand."""

    def __init__(self, inhabitants: int, random: Random) -> None:
        self._random = random
        self._inhabitants = inhabitants
        self._at = START
        self._number = 0
        self._cookies: dict[str, int] = {}

    def evidence(self, pieces: int, *, late: float) -> Iterator[Evidence]:
        """So many pieces, in the order in which they arrive; ``late``: which share comes late."""
        waiting: list[tuple[int, int, Evidence]] = []
        for number in range(pieces):
            self._number = number
            self._at += self._random.randrange(2, 20) * SECOND
            while waiting and waiting[0][0] <= self._at:
                yield heappop(waiting)[2]
            piece = self._piece()
            if self._random.random() < late:
                heappush(waiting, (self._at + self._delay(), number, piece))
            else:
                yield piece
        while waiting:
            yield heappop(waiting)[2]

    def _delay(self) -> int:
        return self._random.choice([MINUTE, 10 * MINUTE, HOUR, 8 * HOUR, 48 * HOUR])

    def _piece(self) -> Evidence:
        random = self._random
        who = random.randrange(self._inhabitants)
        id, at = f"e{self._number}", self._at
        kind = random.random()
        if kind < 0.1:
            named = (f"crm_account_id:A{who}", f"email:u{who}@mail.example")
            return ContactUpsert(id, at, at, "crm", str(who), named)
        device = self._device(who)
        cookie = f"{device}-{self._cookies.get(device, 0)}"
        if kind < 0.3:
            if random.random() < 0.7:
                self._cookies[device] = self._cookies.get(device, 0) + 1
            return Logout(id, at, at, cookie, device)
        return Identify(id, at, at, cookie, device, self._assurance(), self._named(who))

    def _device(self, who: int) -> str:
        chance = self._random.random()
        if chance < 0.01:
            return f"{KIOSK}-{who // 1000}"
        return f"tablet-{who // 4}" if chance < 0.25 else f"phone-{who}"

    def _assurance(self) -> Assurance:
        return Assurance.ASSERTED if self._random.random() < 0.3 else Assurance.CLAIMED

    def _named(self, who: int) -> tuple[str, ...]:
        if self._random.random() < 0.002:
            who = self._random.randrange(self._inhabitants)  # somebody claims to be another
        home = f"phone:+4420{who // 4:08d}"
        return self._random.choice(
            [
                (f"crm_account_id:A{who}",),
                (f"crm_account_id:A{who}", f"email:u{who}@mail.example"),
                (f"email:u{who}@mail.example",),
                (f"email:u{who}@mail.example", home),
                (f"email:u{who}@work.example", f"crm_account_id:A{who}", home),
            ]
        )
