from datetime import timedelta

import pytest

from aggregator.end_offsets.cache import EndOffsets
from aggregator.end_offsets.port import LogEndOffsets
from aggregator.hours.completeness import UNKNOWN, Completeness, completeness_of
from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress

HOUR = 1_795_510_800_000
OVER = HOUR + HOUR_MS
NOW = OVER + 60_000


def completeness(ends: dict[int, int], progress: dict[int, Progress], taken_at: int = NOW) -> Completeness:
    by_source = {LogPartition("log", partition): value for partition, value in progress.items()}
    return completeness_of(HOUR, EndOffsets(taken_at, LogEndOffsets("log", ends)), by_source, timedelta(seconds=5))


def test_a_log_counted_to_its_ends_is_complete_through_the_clock() -> None:
    found = completeness({0: 10, 1: 3}, {0: Progress(9, watermark=1), 1: Progress(2, watermark=2)})

    assert found == Completeness(NOW, 0, final=True)


def test_progress_beyond_the_ends_counts_as_counted() -> None:
    assert completeness({0: 10}, {0: Progress(40, watermark=NOW)}).lag == 0


def test_a_lagging_log_is_complete_through_the_lowest_watermark_of_those_that_lag() -> None:
    progress = {
        0: Progress(7, watermark=HOUR + 900),
        1: Progress(1, watermark=HOUR + 800),
        2: Progress(4, watermark=HOUR + 100),
    }

    assert completeness({0: 10, 1: 3, 2: 5}, progress) == Completeness(HOUR + 800, 3, final=False)


def test_an_hour_is_final_while_the_log_lags_if_the_lag_lies_behind_it() -> None:
    assert completeness({0: 10}, {0: Progress(7, watermark=OVER + 5_001)}) == Completeness(OVER + 5_001, 2, final=True)


def test_a_watermark_of_a_fast_clock_never_promises_more_than_the_readers_clock() -> None:
    assert completeness({0: 10}, {0: Progress(7, watermark=NOW + 70_000)}).complete_through == NOW


def test_a_partition_without_progress_is_unread() -> None:
    assert completeness({0: 10, 1: 3}, {0: Progress(9, watermark=NOW)}) == Completeness(None, 3, final=False)


def test_an_empty_partition_needs_no_progress() -> None:
    assert completeness({0: 10, 1: 0}, {0: Progress(9, watermark=1)}) == Completeness(NOW, 0, final=True)


def test_a_lagging_partition_of_which_no_record_was_seen_promises_nothing() -> None:
    lost_its_first_records = Progress(4, lines=5, lost=5)

    assert completeness({0: 10}, {0: lost_its_first_records}) == Completeness(None, 5, final=False)


def test_without_a_look_nothing_is_promised() -> None:
    progress = {LogPartition("log", 0): Progress(9, watermark=NOW)}

    assert completeness_of(HOUR, None, progress, timedelta(0)) == UNKNOWN


def test_progress_of_another_log_counts_for_nothing() -> None:
    progress = {LogPartition("old", 0): Progress(9, watermark=NOW)}
    end_offsets = EndOffsets(NOW, LogEndOffsets("log", {0: 4}))

    assert completeness_of(HOUR, end_offsets, progress, timedelta(0)) == Completeness(None, 4, final=False)


def test_a_look_that_misses_a_partition_which_was_counted_promises_nothing() -> None:
    assert completeness({0: 10}, {0: Progress(9, watermark=1), 1: Progress(0, watermark=1)}) == UNKNOWN


@pytest.mark.parametrize(("past_end", "final"), [(-1, False), (0, False), (5_000, False), (5_001, True)])
def test_an_hour_is_final_beyond_its_end_and_the_margin(past_end: int, final: bool) -> None:  # noqa: FBT001 - a table
    assert completeness({0: 0}, {}, taken_at=OVER + past_end).final is final
