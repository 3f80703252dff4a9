import asyncio

import pytest

from contract.errors import (
    LogReplaced,
    LogTruncated,
    LogUnavailable,
    LogUnfit,
    RulesTooOld,
    StateUnreadable,
    StoreConflict,
    StoreUnavailable,
)
from stream_workers.retry import FIRST_DELAY, LONGEST_DELAY, Abandoned, RetryPolicy

AWAY = StoreUnavailable("the store is away", reason="test")


class Attempts:
    """Fails as told, then succeeds; remembers what was asked of it."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.made = 0

    async def __call__(self) -> None:
        self.made += 1
        if self.failures:
            raise self.failures.pop(0)


class Pauses(list[float]):
    """Injected instead of a sleep: remembers, and does not wait."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def ours() -> bool:
    return True


async def test_an_attempt_that_succeeds_is_made_once() -> None:
    attempts, pauses = Attempts(), Pauses()
    await RetryPolicy(pauses)("work", attempts, still_ours=ours)
    assert (attempts.made, pauses) == (1, [])


@pytest.mark.parametrize("error", [AWAY, LogUnavailable("Kafka does not answer")], ids=["store", "kafka"])
async def test_what_is_away_is_tried_again(error: Exception) -> None:
    attempts = Attempts(error, error, error)
    await RetryPolicy(Pauses())("work", attempts, still_ours=ours)
    assert attempts.made == 4


@pytest.mark.parametrize(
    "error",
    [
        StoreConflict("field type conflict"),
        StateUnreadable("of a version to come"),
        LogReplaced("created again"),
        LogTruncated("cut"),
        LogUnfit("missing"),
        RulesTooOld("newer"),
        ValueError("a mistake of ours"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_trying_again_cannot_help_is_raised_at_once(error: Exception) -> None:
    attempts, retry = Attempts(AWAY, error), RetryPolicy(Pauses())
    with pytest.raises(type(error)) as raised:
        await retry("work", attempts, still_ours=ours)
    assert raised.value is error
    assert attempts.made == 2


async def test_pauses_double_up_to_the_longest() -> None:
    pauses = Pauses()
    await RetryPolicy(pauses)("work", Attempts(*[AWAY] * 9), still_ours=ours)
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    assert (pauses[0], pauses[-1]) == (FIRST_DELAY, LONGEST_DELAY)


async def test_what_is_no_longer_ours_is_abandoned_before_any_attempt() -> None:
    attempts = Attempts()
    with pytest.raises(Abandoned, match="work"):
        await RetryPolicy(Pauses())("work", attempts, still_ours=lambda: False)
    assert attempts.made == 0


async def test_what_was_taken_away_during_a_pause_is_not_attempted_again() -> None:
    attempts, kept = Attempts(*[AWAY] * 9), [True, True, False]
    retry = RetryPolicy(Pauses())
    with pytest.raises(Abandoned):
        await retry("work", attempts, still_ours=lambda: kept.pop(0))
    assert attempts.made == 2
    assert retry.failing == {}


async def test_each_unknown_outcome_is_told_before_the_next_attempt() -> None:
    told: list[str] = []
    attempts = Attempts(AWAY, AWAY)

    async def attempt() -> None:
        told.append("attempt")
        await attempts()

    await RetryPolicy(Pauses())("work", attempt, still_ours=ours, on_unknown=lambda: told.append("unknown"))
    assert told == ["attempt", "unknown", "attempt", "unknown", "attempt"]


async def test_each_failure_is_told_with_what_was_attempted() -> None:
    told: list[tuple[str, Exception]] = []
    retry = RetryPolicy(Pauses(), on_failure=lambda what, error: told.append((what, error)))
    await retry("work", Attempts(AWAY, AWAY), still_ours=ours)
    assert told == [("work", AWAY), ("work", AWAY)]


async def test_what_is_being_retried_is_failing_until_it_succeeds() -> None:
    seen: list[dict[str, str]] = []

    async def look(_seconds: float) -> None:
        seen.append(dict(retry.failing))

    retry = RetryPolicy(look)
    await retry("work", Attempts(AWAY), still_ours=ours)
    assert seen == [{"work": "the store is away"}]
    assert retry.failing == {}


async def test_what_ended_in_an_error_is_failing_no_more() -> None:
    retry = RetryPolicy(Pauses())
    with pytest.raises(StoreConflict):
        await retry("work", Attempts(AWAY, StoreConflict("conflict")), still_ours=ours)
    assert retry.failing == {}


async def test_what_was_cancelled_is_failing_no_more() -> None:
    pausing = asyncio.Event()

    async def pause(_seconds: float) -> None:
        pausing.set()
        await asyncio.Event().wait()

    retry = RetryPolicy(pause)
    task = asyncio.create_task(retry("work", Attempts(AWAY), still_ours=ours))
    await pausing.wait()
    assert retry.failing == {"work": "the store is away"}

    task.cancel()
    await asyncio.wait({task})

    assert task.cancelled()
    assert retry.failing == {}


async def test_how_long_a_step_took_is_told_with_all_its_attempts() -> None:
    told: list[tuple[str, float]] = []
    attempts = Attempts(AWAY, AWAY)

    await RetryPolicy(Pauses(), on_success=lambda *step: told.append(step))("work", attempts, still_ours=ours)

    ((step, seconds),) = told
    assert (step, attempts.made, seconds >= 0) == ("work", 3, True)


async def test_a_step_that_is_given_up_took_no_time() -> None:
    told: list[tuple[str, float]] = []
    with pytest.raises(Abandoned):
        await RetryPolicy(Pauses(), on_success=lambda *step: told.append(step))(
            "work", Attempts(), still_ours=lambda: False
        )
    assert told == []


@pytest.mark.parametrize(("error", "fails"), [(AWAY, {"work"}), (LogUnavailable("Kafka is away"), set())])
async def test_what_the_store_fails_is_told_from_what_kafka_fails(error: Exception, fails: set[str]) -> None:
    async def look(_seconds: float) -> None:
        seen.append(set(retry.store_fails))

    seen: list[set[str]] = []
    retry = RetryPolicy(look)

    await retry("work", Attempts(error), still_ours=ours)

    assert (seen, retry.store_fails) == ([fails], set())
