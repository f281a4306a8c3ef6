"""What an import does while the database is away."""

from __future__ import annotations

import pytest

from graphid.errors import Busy, DatabaseUnavailable, InvalidInput, Retryable
from graphid.service import importing
from graphid.service.importing import patiently


class Away:
    """A database that fails so, and then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.told = 0

    async def ask(self) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return "an answer"

    def tell(self) -> None:
        self.told += 1


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "FIRST_PAUSE", 0)


async def test_it_waits_for_a_database_that_is_away_and_tells_it_once() -> None:
    away = Away(DatabaseUnavailable(retry_after=0), Busy(retry_after=0))
    assert await patiently(away.ask, 60, on_away=away.tell) == "an answer"
    assert away.told == 1


async def test_it_waits_no_longer_than_its_patience() -> None:
    away = Away(*(Busy(retry_after=0) for _ in range(2)))
    with pytest.raises(Retryable):
        await patiently(away.ask, 0)
    assert len(away.failures) == 1


async def test_what_will_not_pass_is_raised_at_once() -> None:
    away = Away(InvalidInput("no"))
    with pytest.raises(InvalidInput):
        await patiently(away.ask, 60, on_away=away.tell)
    assert not away.told
