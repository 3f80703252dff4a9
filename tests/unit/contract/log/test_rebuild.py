"""A rebuild as a record of the log."""

import pytest

from contract.hour import HOUR_MS
from contract.log.action import Rejection
from contract.log.rebuild import REBUILD_HEADER, Rebuild, refusal_of
from contract.log.record import PARTITIONS_HEADER, lines_of, record_of

REBUILD = Rebuild(generation=1_764_000_000_000, first=HOUR_MS, end=3 * HOUR_MS, through_offset=6)


def test_it_comes_back_as_it_was_written() -> None:
    assert Rebuild.decode(REBUILD.encode(), 7) == REBUILD


def test_it_covers_the_hours_from_the_first_up_to_the_end() -> None:
    assert [hour for hour in range(0, 5 * HOUR_MS, HOUR_MS) if REBUILD.covers(hour)] == [HOUR_MS, 2 * HOUR_MS]


def test_its_record_is_known_by_the_header_and_has_no_lines() -> None:
    record = record_of(0, 7, 1, REBUILD.encode(), [(PARTITIONS_HEADER, b"8"), (REBUILD_HEADER, b"a1")])
    assert (record.is_rebuild, record.manifest, record.partitions) == (True, "a1", 8)
    assert lines_of(record) == []


@pytest.mark.parametrize(("header", "manifest"), [(None, ""), (b"", ""), (b"\xff", "\ufffd")])
def test_a_header_of_any_form_names_a_manifest_that_there_may_not_be(header: bytes | None, manifest: str) -> None:
    assert record_of(0, 7, 1, REBUILD.encode(), [(REBUILD_HEADER, header)]).manifest == manifest


def test_it_takes_effect_where_its_manifest_says_the_same_and_it_read_the_last_one() -> None:
    other = Rebuild(generation=REBUILD.generation, first=0, end=3 * HOUR_MS, through_offset=6)
    assert refusal_of(REBUILD, "a1", {"a1": REBUILD}, 6) is None
    assert refusal_of(REBUILD, "a1", {"a1": REBUILD}, 7) == "rebuild_superseded"
    assert refusal_of(REBUILD, "a1", {"a1": other, "b2": REBUILD}, -1) == "rebuild_altered"
    assert refusal_of(REBUILD, "c3", {"a1": REBUILD}, -1) == "rebuild_unknown"


def test_without_the_header_its_text_is_a_line_like_any_other() -> None:
    (line,) = lines_of(record_of(0, 7, 1, REBUILD.encode(), []))
    assert isinstance(line, Rejection)
    assert line.code == "unknown_field"


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{}",
        b'{"generation":0,"first":0,"end":3600000,"through_offset":1}',
        b'{"generation":1,"first":1,"end":3600000,"through_offset":1}',
        b'{"generation":1,"first":0,"end":3600000,"through_offset":-1}',
        b'{"generation":1,"first":0,"end":3600000,"through_offset":7}',
        b'{"generation":1,"first":0,"end":3600000,"through_offset":1,"more":1}',
        b"\xff",
    ],
)
def test_a_record_with_the_header_and_anything_else_is_one_rejected_line(value: bytes | None) -> None:
    (line,) = lines_of(record_of(0, 7, 1, value, [(REBUILD_HEADER, None)]))
    assert isinstance(line, Rejection)
    assert line.code == "record_not_a_rebuild"
