"""What an audit takes for equal, for different, and for impossible to judge."""

from collections.abc import Mapping

import msgspec
import pytest

from collector.audit.compare import (
    RecountedTotals,
    progress_differences,
    reason_not_to_compare,
    reason_not_to_read,
    reason_not_whole,
    whole_windows,
    window_differences,
)
from collector.audit.recount import Recount
from collector.audit.verdict import Numbers
from collector.hour_range import HourRange
from collector.retention import Retained
from contract.hour import END_OF_TIME_MS, HOUR_MS
from contract.log.action import RULES_VERSION, Action, encode_action
from contract.log.progress import Progress, RecordMark
from contract.log.record import Record
from contract.windows.window import Window
from contract.windows.window_value import WindowValue
from stores.committed_hours import CommittedHours

HOUR = 494_902 * HOUR_MS
ALL = HourRange(0, END_OF_TIME_MS)


def record(offset: int, *actions: Action, partitions: int = 4, value: bytes | None = None) -> Record:
    lines = b"\n".join(map(encode_action, actions))
    return Record(1, offset, 1_000 + offset, value if value is not None else lines, partitions)


def recount_of(*records: Record, hours: HourRange = ALL) -> Recount:
    recount = Recount(hours)
    for one in records:
        recount.add(one)
    return recount


def stored(windows: Mapping[int, WindowValue], through_offset: int = 9) -> CommittedHours:
    return CommittedHours(Progress(through_offset), windows)


ACTIONS = [
    Action(HOUR, "a", "click"),
    Action(HOUR + HOUR_MS - 1, "a", "click"),
    Action(HOUR, "b", "view", "1"),
    Action(HOUR, "b", "click", "1"),
    Action(HOUR, "a", "view", "1"),
]
EXPECTED = WindowValue(9, {"click": 2, "view": 2}, 1, 2, 4, 4)


def test_a_window_that_the_log_gives_is_equal() -> None:
    assert list(window_differences(1, stored({HOUR: EXPECTED}), recount_of(record(3, *ACTIONS)))) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"counts": {"click": 3, "view": 2}},
        {"counts": {"click": 2}},
        {"duplicates": 0},
        {"unique_users": 3},
        {"fewest_partitions": 0},
        {"most_partitions": 8},
    ],
    ids=str,
)
def test_each_of_a_windows_numbers_is_compared(wrong: dict[str, object]) -> None:
    window = msgspec.structs.replace(EXPECTED, **wrong)
    (difference,) = window_differences(1, stored({HOUR: window}), recount_of(record(3, *ACTIONS)))
    assert (difference.what, difference.hour, difference.partition) == ("window", "2026-06-16T22:00:00Z", 1)
    assert difference.stored != difference.recounted == Numbers({"click": 2, "view": 2}, 1, 2, 4, 4)


def test_a_window_that_is_missing_and_one_that_should_not_be_there_differ() -> None:
    found = window_differences(1, stored({0: EXPECTED}), recount_of(record(3, *ACTIONS)))
    assert [(one.stored is None, one.recounted is None) for one in found] == [(False, True), (True, False)]


def test_the_recount_agrees_with_the_workers_fold_over_growth_and_records_without_a_header() -> None:
    records = [
        record(offset, *ACTIONS[: offset % 5 + 1], partitions=partitions) for offset, partitions in enumerate([4, 8, 0])
    ]
    window = Window(WindowValue())
    for one, taken in zip(records, (1, 2, 3), strict=True):
        window.fold(one.offset, one.partitions, ACTIONS[:taken])
    flushed = window.flush(9)
    assert flushed is not None
    assert list(window_differences(1, stored({HOUR: flushed[0]}), recount_of(*records))) == []


def test_only_hours_within_the_range_are_recounted_but_all_lines_are() -> None:
    recount = recount_of(
        *(record(number, Action(HOUR + number * HOUR_MS, "a", "click")) for number in range(4)),
        record(4, value=b"x\n{}\n"),
        hours=HourRange(HOUR + HOUR_MS, HOUR + 3 * HOUR_MS),
    )
    assert sorted(recount.hours) == [HOUR + HOUR_MS, HOUR + 2 * HOUR_MS]
    assert (recount.lines, recount.rejected) == (6, {"not_json": 1, "timestamp_missing": 1})


@pytest.mark.parametrize(
    "wrong", [{}, {"lines": 6}, {"rejected": {}}, {"rejected": {"not_json": 2}}, {"watermark": 1_003}], ids=str
)
def test_progress_must_count_the_logs_lines(wrong: dict[str, object]) -> None:
    recount = recount_of(record(3, *ACTIONS), record(4, value=b"x"), record(2, value=b"y"))
    right = Progress(4, lines=7, rejected={"not_json": 2}, watermark=1_004)
    differing = msgspec.structs.replace(right, **wrong)
    assert bool(list(progress_differences(1, differing, recount))) is (differing != right)


@pytest.mark.parametrize(
    ("progress", "end", "told"),
    [
        (Progress(9), 10, None),
        (Progress(), 0, None),
        (Progress(), 1, "no progress"),
        (Progress(9), 9, "truncated"),
        (Progress(9, rules=RULES_VERSION + 1), 10, "version"),
        (None, 10, "kept moving"),
    ],
    ids=["whole", "empty", "uncounted", "truncated", "other-rules", "busy"],
)
def test_what_cannot_be_judged_is_told_with_its_reason(progress: Progress | None, end: int, told: str | None) -> None:
    reason = reason_not_to_read("partition 1", progress and CommittedHours(progress, {}), end)
    assert (reason is None) if told is None else (reason is not None and told in reason)


@pytest.mark.parametrize(
    ("mark", "judged"), [(None, True), (RecordMark(1_003, 2_363_233_923), True), (RecordMark(1_003, 5), False)]
)
def test_a_log_that_was_written_anew_is_recognised_by_the_record_at_progress(
    mark: RecordMark | None,
    judged: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    recount = recount_of(record(3, value=b"x"))
    reason = reason_not_to_compare("partition 1", Progress(3, mark=mark), recount)
    assert (reason is None) is judged


def test_the_record_at_progress_is_not_looked_for_where_retention_removed_it() -> None:
    assert reason_not_to_compare("partition 1", Progress(3, mark=RecordMark(1_003, 5)), recount_of(), first=4) is None


@pytest.mark.parametrize(
    ("asked", "retained", "told"),
    [
        (ALL, Retained(7, HOUR), None),
        (HourRange(HOUR, END_OF_TIME_MS), Retained(7, HOUR), None),
        (HourRange(HOUR - HOUR_MS, HOUR), Retained(7, HOUR), "from 2026-06-16T22:00:00Z on are whole"),
        (HourRange(HOUR - HOUR_MS, HOUR), Retained(0, 0), None),
        (HourRange(HOUR, HOUR + HOUR_MS), Retained(7, END_OF_TIME_MS), "no longer holds all of 2026-06-16T22:00:00Z"),
    ],
    ids=["all-there-are", "whole", "removed", "nothing-removed", "unknown"],
)
def test_only_an_hour_that_was_asked_for_must_be_whole(asked: HourRange, retained: Retained, told: str | None) -> None:
    reason = reason_not_whole("partition 1", asked, retained)
    assert (reason is None) if told is None else (reason is not None and reason.endswith(told))


def test_windows_of_hours_that_are_not_whole_are_left_out() -> None:
    found = whole_windows(stored({HOUR - HOUR_MS: EXPECTED, HOUR: EXPECTED}), Retained(7, HOUR))
    assert found == stored({HOUR: EXPECTED})


def test_users_of_several_partitions_are_united_by_name_and_all_else_is_added() -> None:
    totals = RecountedTotals()
    for user in ("b", "c"):
        totals.add(recount_of(record(3, *ACTIONS, Action(HOUR, user, "click"))).hours)
    assert totals.of(HOUR) == Numbers({"click": 6, "view": 4}, 2, 3)
    assert totals.of(0) == Numbers({}, 0, 0)
