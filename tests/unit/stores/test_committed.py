"""What is certain of an hour's points, slot by slot; the rest is in tests/store_suite/test_committed.py."""

import pytest

from contract.log.progress import LogPartition, Progress
from contract.store import WindowPoint
from contract.windows.window_value import WindowValue
from stores.committed import Committed, settled
from support.stores.committing import NOVEMBER, OTHER, SOURCE, progress, value


def points(*values: WindowValue) -> list[WindowPoint]:
    return [WindowPoint(SOURCE, NOVEMBER, slot, one) for slot, one in enumerate(values)]


def at(through_offset: int, source: LogPartition = SOURCE) -> dict[LogPartition, Progress]:
    return {source: progress(through_offset)}


@pytest.mark.parametrize(
    ("last", "read", "expected"),
    [
        pytest.param(10, (9, 30), 9, id="progress stood still"),
        pytest.param(20, (9,), 9, id="nothing lies above the first progress"),
        pytest.param(20, (9, 30), None, id="the slot of 20 may have been read before it was written"),
        pytest.param(20, (20, 30), 20, id="committed by the second progress"),
        pytest.param(20, (10, 30), 10, id="just what the first progress says"),
        pytest.param(5, (4, 8), None, id="the store forgot the first progress"),
    ],
)
def test_a_value_is_certain_or_the_hour_is_read_again(last: int, read: tuple[int, ...], expected: int | None) -> None:
    found = settled(at(10), at(last), points(*map(value, read)))
    assert found == ({} if expected is None else {SOURCE: Committed(progress(10), value(expected))})


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        pytest.param((9,), 9, id="nothing lies above the first progress"),
        pytest.param((10, 30), 10, id="just what the first progress says"),
        pytest.param((9, 30), None, id="the slot of 10 may have been overwritten"),
        pytest.param((9, 20), None, id="more than the first progress says"),
    ],
)
def test_exactly_what_the_first_progress_says_is_certain_or_read_again(
    read: tuple[int, ...], expected: int | None
) -> None:
    found = settled(at(10), at(30), points(*map(value, read)), exactly=True)
    assert found == ({} if expected is None else {SOURCE: Committed(progress(10), value(expected))})


def test_a_source_whose_progress_is_gone_is_not_certain() -> None:
    assert settled(at(10), at(10, OTHER), points(value(9))) == {}
