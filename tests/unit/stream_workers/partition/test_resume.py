import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import LogTruncated, RulesTooOld
from contract.log.action import RULES_VERSION
from contract.log.progress import LogPartition, Progress, RecordMark
from stream_workers.partition.resume import first_offset, resume_from

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)
MARK = RecordMark(1_000, 7)
COUNTED = Progress(99, lines=500, rejected={"not_json": 4}, lost=2, watermark=1_000, mark=MARK)


def test_a_partition_that_nobody_counted_is_read_from_its_beginning() -> None:
    start = resume_from(SOURCE, None, beginning=0, end=10)
    assert start == Progress()
    assert first_offset(start) == 0


def test_an_empty_partition_can_be_taken_over() -> None:
    assert first_offset(resume_from(SOURCE, None, beginning=0, end=0)) == 0


@pytest.mark.parametrize("end", [100, 150])
def test_progress_within_the_log_is_gone_on_from(end: int) -> None:
    assert resume_from(SOURCE, COUNTED, beginning=0, end=end) == COUNTED


def test_the_record_at_progress_is_read_once_more_where_it_can_be_recognised() -> None:
    assert first_offset(COUNTED) == 99


def test_else_the_next_record_is_the_first_to_be_read() -> None:
    assert first_offset(Progress(99)) == 100
    assert first_offset(Progress()) == 0


def test_records_that_retention_removed_unread_are_lost_and_each_counts_as_one_line() -> None:
    start = resume_from(SOURCE, COUNTED, beginning=150, end=200)
    assert start == Progress(149, lines=550, rejected={"not_json": 4}, lost=52, watermark=1_000, mark=None)
    assert first_offset(start) == 150


def test_a_loss_is_told_loudly(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        resume_from(SOURCE, COUNTED, beginning=150, end=200)
    assert "50 records up to offset 149 are lost" in caplog.text


def test_a_partition_whose_beginning_was_removed_before_anyone_counted_it_has_lost_that() -> None:
    start = resume_from(SOURCE, None, beginning=40, end=50)
    assert start == Progress(39, lines=40, lost=40)


def test_everything_may_be_lost() -> None:
    start = resume_from(SOURCE, COUNTED, beginning=200, end=200)
    assert start.through_offset == 199
    assert first_offset(start) == 200


def test_a_counted_record_that_retention_removed_is_not_asked_for_again() -> None:
    start = resume_from(SOURCE, COUNTED, beginning=100, end=100)
    assert (start.through_offset, start.lines, start.lost) == (99, 500, 2)
    assert first_offset(start) == 100


@pytest.mark.parametrize("end", [0, 50, 99])
def test_a_log_that_ends_below_progress_was_truncated(end: int) -> None:
    with pytest.raises(LogTruncated, match=f"offset 99 was counted, but the log ends before {end}"):
        resume_from(SOURCE, COUNTED, beginning=0, end=end)


def test_progress_of_uncommitted_records_may_lie_within_a_transaction_that_is_still_open() -> None:
    """Version 1 of the rules read them. Where the log was truncated, Kafka refuses to read from there."""
    older = Progress(99, rules=1, mark=MARK)
    assert resume_from(SOURCE, older, beginning=0, end=50) == older


def test_progress_under_newer_rules_is_refused_before_anything_else() -> None:
    with pytest.raises(RulesTooOld, match=f"version {RULES_VERSION + 1} of the log's rules"):
        resume_from(SOURCE, Progress(99, rules=RULES_VERSION + 1), beginning=0, end=0)


def test_progress_under_older_rules_is_gone_on_from() -> None:
    older = Progress(99, rules=RULES_VERSION - 1)
    assert resume_from(SOURCE, older, beginning=0, end=100) == older


@given(
    through_offset=st.integers(-1, 4),
    mark=st.sampled_from([None, MARK]),
    beginning=st.integers(0, 6),
    length=st.integers(0, 3),
)
def test_what_is_read_first_is_in_the_log_or_the_next_to_be_appended_and_no_offset_is_left_out(
    through_offset: int, mark: RecordMark | None, beginning: int, length: int
) -> None:
    end = beginning + length
    progress = Progress(through_offset, lines=through_offset + 1, mark=None if through_offset < 0 else mark)
    if through_offset >= end:
        with pytest.raises(LogTruncated):
            resume_from(SOURCE, progress, beginning, end)
        return
    start = resume_from(SOURCE, progress, beginning, end)
    assert beginning <= first_offset(start) <= end
    assert start.through_offset == max(through_offset, beginning - 1)
    assert start.lost == start.through_offset - through_offset
    assert start.lines == start.through_offset + 1
