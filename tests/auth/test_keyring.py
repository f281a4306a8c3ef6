"""Finding callers by stored keys: what opens, for how long it is believed, and what it asks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest

from graphid.auth.key_text import KeyKind, KeyText
from graphid.auth.limits import Limits
from graphid.auth.scopes import BROWSER, SERVER, Scope
from graphid.errors import Busy, DatabaseUnavailable, GraphidError, InternalError, Unauthorized
from graphid.identity.values import SECOND
from graphid.service import keys
from graphid.service.keymaking import RevokeKey, RotateKey
from graphid.service.keys import BELIEVED, FRESH, UNKNOWN
from tests.keys import IDS, OPERATOR, Process

JUST_UNDER = 0.99


@pytest.fixture
def process() -> Process:
    return Process()


async def refusal(process: Process, text: str) -> str:
    with pytest.raises(Unauthorized) as caught:
        await process.keyring.find(text)
    assert type(caught.value) is Unauthorized
    return caught.value.message


def wrong(text: str) -> str:
    """The same key with another secret."""
    return text[:-1] + ("a" if text[-1] != "a" else "b")


class TestWhatOpens:
    async def test_keys_of_the_settings_never_ask_the_graph(self, process: Process) -> None:
        process.stored.fails = DatabaseUnavailable()
        secret = await process.keyring.find("sk_of_settings")
        public = await process.keyring.find("pk_of_settings")
        assert (secret.scopes, public.scopes) == (SERVER, BROWSER)
        assert process.stored.asked == []

    async def test_a_stored_key_is_what_it_was_made_as(self, process: Process) -> None:
        made = await process.make(
            "PUBLISHABLE",
            scopes=["event:write"],
            origins=["https://shop.example", "HTTPS://shop.example:443", "http://localhost:3000"],
            limits={"requestsPerSecond": 5, "costPerMinute": 90_000},
        )
        caller = await process.keyring.find(made.text)
        assert caller.name == f"pk:{made.key.id}"
        assert caller.key_id == made.key.id
        assert caller.scopes == {Scope.EVENT_WRITE}
        assert caller.is_browser
        assert caller.origins == frozenset(("https://shop.example", "http://localhost:3000"))
        assert caller.limits == Limits(requests_per_second=5, cost_per_minute=90_000)
        assert caller.signing is None

    async def test_a_secret_key_is_no_browser(self, process: Process) -> None:
        caller = await process.keyring.find((await process.make()).text)
        assert (caller.is_browser, caller.origins, caller.limits) == (False, None, None)
        assert caller.name.startswith("sk:")

    async def test_a_scope_of_a_later_graphid_opens_nothing(self, process: Process) -> None:
        made = await process.make(scopes=["event:write"])
        kept = process.stored.kept[made.key.id]
        process.stored.kept[made.key.id] = replace(kept, scopes=("event:write", "moon:view"))
        assert (await process.keyring.find(made.text)).scopes == {Scope.EVENT_WRITE}

    @pytest.mark.parametrize("text", ["é", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."])
    async def test_what_is_no_key_is_refused_without_asking(
        self, process: Process, text: str
    ) -> None:
        with pytest.raises(Unauthorized):
            await process.keyring.find(text)
        assert process.stored.asked == []

    async def test_no_part_of_a_wrong_key_is_told(self, process: Process) -> None:
        made = await process.make()
        shown = KeyText.read(made.text)
        assert shown is not None
        said = {
            await refusal(process, wrong(made.text)),
            await refusal(process, str(replace(shown, kind=KeyKind.PUBLISHABLE))),
            await refusal(process, str(KeyText.new(KeyKind.SECRET))),
            await refusal(process, "sk_anything"),
        }
        assert said == {UNKNOWN}

    async def test_it_ends_when_it_expires_and_says_so(self, process: Process) -> None:
        made = await process.make()
        end = process.time.micros + 10 * SECOND
        process.stored.kept[made.key.id] = replace(made.key, expires_at=end)
        process.time.go_on(9.9)
        await process.keyring.find(made.text)
        process.time.go_on(0.1)
        assert "expired" in await refusal(process, made.text)
        assert await refusal(process, wrong(made.text)) == UNKNOWN


class TestHowLongItIsBelieved:
    async def test_it_is_read_again_where_it_was_read_two_seconds_ago(
        self, process: Process
    ) -> None:
        made = await process.make()
        for _ in range(3):
            await process.keyring.find(made.text)
        process.time.go_on(FRESH * JUST_UNDER)
        await process.keyring.find(made.text)
        assert len(process.stored.asked) == 1
        process.time.go_on(FRESH)
        await process.keyring.find(made.text)
        assert len(process.stored.asked) == 2

    async def test_what_another_process_revoked_ends_here(self, process: Process) -> None:
        elsewhere = Process(process.stored, process.time)
        made = await process.make()
        await process.keyring.find(made.text)
        await elsewhere.keymaker.revoke(made.key.id, RevokeKey(reason="leaked"), OPERATOR)
        process.time.go_on(FRESH)
        assert "revoked" in await refusal(process, made.text)
        assert await refusal(process, wrong(made.text)) == UNKNOWN

    async def test_what_this_process_revoked_ends_at_once(self, process: Process) -> None:
        made = await process.make()
        await process.keyring.find(made.text)
        await process.keymaker.revoke(made.key.id, RevokeKey(), OPERATOR)
        assert "revoked" in await refusal(process, made.text)

    @pytest.mark.parametrize("error", [DatabaseUnavailable(retry_after=3), Busy()])
    async def test_without_the_database_it_is_believed_for_five_seconds(
        self, process: Process, error: GraphidError
    ) -> None:
        made = await process.make()
        await process.keyring.find(made.text)
        process.stored.fails = error
        process.time.go_on(BELIEVED * JUST_UNDER)
        await process.keyring.find(made.text)
        process.time.go_on(BELIEVED)
        with pytest.raises(DatabaseUnavailable):
            await process.keyring.find(made.text)
        process.stored.fails = None
        await process.keyring.find(made.text)

    async def test_the_time_that_a_look_takes_counts(self, process: Process) -> None:
        made = await process.make()
        await process.keyring.find(made.text)
        process.time.go_on(BELIEVED * JUST_UNDER)
        process.stored.fails, process.stored.gate = DatabaseUnavailable(), asyncio.Event()
        finding = asyncio.create_task(process.keyring.find(made.text))
        await process.stored.held.wait()
        process.time.go_on(1)
        process.stored.gate.set()
        with pytest.raises(DatabaseUnavailable):
            await finding

    async def test_without_the_database_wrong_keys_are_no_more_wrong_than_unknown_ones(
        self, process: Process
    ) -> None:
        made = await process.make()
        await process.keyring.find(made.text)
        process.stored.fails = DatabaseUnavailable()
        for text in (wrong(made.text), str(KeyText.new(KeyKind.SECRET))):
            with pytest.raises(DatabaseUnavailable):
                await process.keyring.find(text)

    async def test_a_fault_of_ours_is_no_reason_to_believe(self, process: Process) -> None:
        made = await process.make()
        await process.keyring.find(made.text)
        process.stored.fails = InternalError()
        process.time.go_on(FRESH)
        with pytest.raises(InternalError):
            await process.keyring.find(made.text)


class TestRotation:
    async def test_both_secrets_open_during_the_overlap(self, process: Process) -> None:
        made = await process.make()
        newer = await process.keymaker.rotate(made.key.id, RotateKey(overlap=60), OPERATOR)
        assert newer.text != made.text
        assert newer.text.rpartition("_")[0] == made.text.rpartition("_")[0]
        before, after = [await process.keyring.find(text) for text in (made.text, newer.text)]
        assert before == after
        process.time.go_on(59.9)
        await process.keyring.find(made.text)
        process.time.go_on(0.1)
        assert "replaced" in await refusal(process, made.text)
        await process.keyring.find(newer.text)

    async def test_without_overlap_the_former_end_at_once(self, process: Process) -> None:
        made = await process.make()
        second = await process.keymaker.rotate(made.key.id, RotateKey(), OPERATOR)
        third = await process.keymaker.rotate(made.key.id, RotateKey(overlap=0), OPERATOR)
        for text in (made.text, second.text):
            assert "replaced" in await refusal(process, text)
        await process.keyring.find(third.text)

    async def test_a_new_secret_is_known_elsewhere_at_once(self, process: Process) -> None:
        elsewhere = Process(process.stored, process.time)
        made = await process.make()
        await elsewhere.keyring.find(made.text)
        newer = await process.keymaker.rotate(made.key.id, RotateKey(), OPERATOR)
        await elsewhere.keyring.find(newer.text)

    async def test_the_secret_to_sign_with_is_rotated_too(self, process: Process) -> None:
        made = await process.make(signing="HS256")
        assert made.signing_secret == IDS.signing_secret(made.key.id, 1)
        newer = await process.keymaker.rotate(made.key.id, RotateKey(overlap=60), OPERATOR)
        assert newer.signing_secret == IDS.signing_secret(made.key.id, 2)
        signing = (await process.keyring.find(newer.text)).signing
        assert signing is not None
        assert signing.algorithm == "HS256"
        assert signing.keys == (newer.signing_secret, made.signing_secret)
        process.time.go_on(60)
        signing = (await process.keyring.find(newer.text)).signing
        assert signing is not None
        assert signing.keys == (newer.signing_secret,)


class TestWhatItAsks:
    async def test_an_unknown_id_is_asked_for_once_in_two_seconds(self, process: Process) -> None:
        shown = KeyText.new(KeyKind.SECRET)
        for _ in range(3):
            await refusal(process, str(KeyText.new(KeyKind.SECRET, shown.id)))
        assert process.stored.asked == [[shown.id]]
        process.time.go_on(FRESH)
        await refusal(process, str(shown))
        assert len(process.stored.asked) == 2

    async def test_a_wrong_secret_is_looked_for_as_often_as_an_unknown_id(
        self, process: Process
    ) -> None:
        made, shown = await process.make(), KeyText.new(KeyKind.SECRET)
        asked: dict[str, list[int]] = {made.text: [], str(shown): []}
        for step in (0.5, 0.5, FRESH * JUST_UNDER, 0.1, FRESH, FRESH / 2, FRESH):
            await process.keyring.find(made.text)
            for text, times in asked.items():
                await refusal(process, wrong(text))
                times.append(sum(text.split("_")[1] in ids for ids in process.stored.asked))
            process.time.go_on(step)
        looks = [[b - a for a, b in pairwise(times)] for times in asked.values()]
        # The key itself is used, too, so that it may be asked for once more, never less.
        assert all(one >= other for one, other in zip(*looks, strict=True))
        assert 0 in looks[1]
        assert 0 in looks[0]

    async def test_the_key_itself_opens_while_somebody_guesses(self, process: Process) -> None:
        made = await process.make()
        for _ in range(20):
            await refusal(process, wrong(made.text))
            await process.keyring.find(made.text)
            process.time.go_on(FRESH / 3)

    async def test_who_asks_for_the_same_at_once_asks_once(self, process: Process) -> None:
        made = await process.make()
        process.stored.gate = asyncio.Event()
        finding = [asyncio.create_task(process.keyring.find(made.text)) for _ in range(50)]
        await process.stored.held.wait()
        finding += [asyncio.create_task(process.keyring.find(made.text)) for _ in range(50)]
        await asyncio.sleep(0)
        process.stored.gate.set()
        assert len(set(await asyncio.gather(*finding))) == 1
        assert process.stored.asked == [[made.key.id]]

    async def test_one_question_at_a_time_and_the_rest_together(self, process: Process) -> None:
        made = await process.make()
        strangers = [str(KeyText.new(KeyKind.SECRET)) for _ in range(99)]
        process.stored.gate = asyncio.Event()
        finding = [
            asyncio.create_task(process.keyring.find(text)) for text in (*strangers, made.text)
        ]
        await process.stored.held.wait()
        await asyncio.sleep(0)
        assert len(process.stored.asked) == 1
        process.stored.gate.set()
        found = await asyncio.gather(*finding, return_exceptions=True)
        assert all(isinstance(answer, Unauthorized) for answer in found[:-1])
        assert not isinstance(found[-1], BaseException)
        assert len(process.stored.asked) <= 2
        assert sum(map(len, process.stored.asked)) == 100

    async def test_who_goes_away_stops_nobody_else(self, process: Process) -> None:
        made = await process.make()
        process.stored.gate = asyncio.Event()
        first = asyncio.create_task(process.keyring.find(made.text))
        second = asyncio.create_task(process.keyring.find(made.text))
        await process.stored.held.wait()
        first.cancel()
        process.stored.gate.set()
        assert (await second).key_id == made.key.id
        await process.keyring.find(made.text)

    async def test_too_many_at_once_are_told_to_come_again(
        self, process: Process, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keys, "MOST_ASKED", 5)
        process.stored.gate = asyncio.Event()
        first = asyncio.create_task(process.keyring.find(str(KeyText.new(KeyKind.SECRET))))
        await process.stored.held.wait()
        waiting = [
            asyncio.create_task(process.keyring.find(str(KeyText.new(KeyKind.SECRET))))
            for _ in range(8)
        ]
        await asyncio.sleep(0)
        process.stored.gate.set()
        found = await asyncio.gather(first, *waiting, return_exceptions=True)
        assert [type(error) for error in found] == [Unauthorized] * 6 + [DatabaseUnavailable] * 3
        assert [len(ids) for ids in process.stored.asked] == [1, 5]

    async def test_strangers_fill_no_memory_and_push_no_key_out(
        self, process: Process, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keys, "MOST_REMEMBERED", 10)
        made = await process.make()
        await process.keyring.find(made.text)
        for _ in range(30):
            await refusal(process, str(KeyText.new(KeyKind.SECRET)))
        assert len(process.keyring._strangers) == 10
        before = len(process.stored.asked)
        await process.keyring.find(made.text)
        assert len(process.stored.asked) == before

    async def test_of_very_many_keys_the_least_recent_are_asked_for_again(
        self, process: Process, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keys, "MOST_REMEMBERED", 3)
        made = [await process.make() for _ in range(5)]
        for one in made:
            await process.keyring.find(one.text)
        assert list(process.keyring._keys) == [one.key.id for one in made[2:]]
        await process.keyring.find(made[0].text)


class TestWhenItWasUsed:
    async def test_it_is_noted_once_a_minute(self, process: Process) -> None:
        made = await process.make()
        begun = process.time.micros
        for _ in range(100):
            await process.keyring.find(made.text)
            process.time.go_on(1.5)
        await process.keyring.settle()
        assert process.stored.noted == [
            (made.key.id, begun + seconds * SECOND) for seconds in (0, 60, 120)
        ]

    async def test_what_another_process_noted_counts(self, process: Process) -> None:
        made = await process.make()
        noted = process.time.micros - 30 * SECOND
        process.stored.kept[made.key.id] = replace(made.key, last_used_at=noted)
        await process.keyring.find(made.text)
        await process.keyring.settle()
        assert process.stored.noted == []

    async def test_nobody_waits_for_it_and_its_failure_is_nobodys(self, process: Process) -> None:
        made = await process.make()
        await process.keyring.find(made.text)
        process.stored.fails = DatabaseUnavailable()
        await process.keyring.settle()
        assert process.stored.noted == []
        process.stored.fails = None
        process.time.go_on(60)
        await process.keyring.find(made.text)
        await process.keyring.settle()
        assert len(process.stored.noted) == 1

    async def test_what_is_refused_is_no_use(self, process: Process) -> None:
        made = await process.make()
        await refusal(process, wrong(made.text))
        await process.keyring.settle()
        assert process.stored.noted == []
