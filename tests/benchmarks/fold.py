"""The fold alone, in memory: pieces of evidence a second on one core."""

from __future__ import annotations

import random
from time import process_time

from graphid.identity.fold import resolve
from graphid.identity.ids import Ids
from graphid.identity.policy import Policy
from graphid.identity.values import SECOND, Assurance, ContactUpsert, Evidence, Identify, Logout

START = 1_700_000_000 * SECOND
PIECES, PEOPLE = 40_000, 5_000


def evidence() -> list[Evidence]:
    """What 5,000 people of three cookies each, and a CRM, say: mostly what was said before.

    The identifiers are normalised, as they are when evidence is recorded.
    """
    dice = random.Random(1)
    found: list[Evidence] = []
    for number in range(PIECES):
        user = dice.randrange(PEOPLE)
        cookie = f"c{user}-{dice.randrange(3)}"
        id, at = f"m{number}", START + number * SECOND
        identifiers = (f"crm_account_id:{user}", f"email:u{user}@example.com")
        match dice.choices(("logout", "row", "identify"), (15, 10, 75))[0]:
            case "logout":
                found.append(Logout(id, at, at, cookie))
            case "row":
                found.append(ContactUpsert(id, at, at, "crm", str(user), identifiers))
            case _:
                found.append(
                    Identify(id, at, at, cookie, f"d{user}", Assurance.CLAIMED, identifiers)
                )
    return found


def pieces_a_second(times: int = 5) -> float:
    """The best of some runs, in seconds of processor time, so that others' work does not count."""
    said, policy, ids = evidence(), Policy(), Ids(b"a secret of the benchmark")
    best = 0.0
    for _ in range(times):
        started = process_time()
        resolve(said, policy, ids)
        best = max(best, len(said) / (process_time() - started))
    return best


if __name__ == "__main__":
    print(f"The fold alone: {pieces_a_second():,.0f} pieces of evidence a second")
