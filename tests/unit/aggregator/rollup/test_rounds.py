from datetime import timedelta

import pytest

from aggregator.rollup.metrics import RollupMetrics
from aggregator.rollup.rounds import Rounds
from contract.errors import StateUnreadable, StoreConflict, StoreUnavailable


class Scripted:
    """Rounds that end as they are told."""

    def __init__(self, *outcomes: int | Exception) -> None:
        self.sweeps = 7
        self._outcomes = list(outcomes)

    async def round(self) -> int:
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def rounds_of(*outcomes: int | Exception) -> tuple[Rounds, RollupMetrics]:
    metrics = RollupMetrics()
    return Rounds(Scripted(*outcomes), lambda: 5_000, metrics, timedelta(seconds=1)), metrics


def test_nothing_is_ready_before_the_first_round() -> None:
    rounds, _ = rounds_of()

    assert rounds.failure == "no hour was compared yet"


@pytest.mark.parametrize(
    "error",
    [StoreUnavailable("away"), StoreConflict("no such type"), StateUnreadable("version 9"), ZeroDivisionError("a bug")],
)
async def test_a_round_that_fails_is_told_and_the_next_one_makes_good(error: Exception) -> None:
    rounds, _ = rounds_of(error, 0)

    await rounds.once()
    failed = rounds.failure
    await rounds.once()

    assert str(error) in str(failed)
    assert rounds.failure is None


async def test_metrics_tell_how_rounds_ended_and_what_was_written() -> None:
    rounds, metrics = rounds_of(3, StoreUnavailable("away"), 2)

    for _ in range(3):
        await rounds.once()

    text = metrics.exposition().decode()
    assert 'collector_rollup_rounds_total{outcome="compared"} 2.0' in text
    assert 'collector_rollup_rounds_total{outcome="failed"} 1.0' in text
    assert "collector_rollup_points_written_total 5.0" in text
    assert "collector_rollup_sweeps_total 7.0" in text
    assert "collector_rollup_compared_timestamp_seconds 5.0" in text
