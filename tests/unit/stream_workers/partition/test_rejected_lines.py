from zlib import crc32

import pytest

from contract.log.action import Action
from contract.log.progress import Progress, RecordMark
from contract.log.record import MAX_BYTES, MAX_LINES
from stream_workers.partition.decoded import RejectedLine
from support.fixtures.partition_state import flushed, folded, new_state, values
from support.fixtures.worker import HOUR, SOURCE, click, record, record_of


async def test_rejected_lines_keep_their_line_numbers() -> None:
    state = new_state(Progress(0, lines=40))
    await folded(state, record_of(1, b'poison\n{"timestamp":1,"user":"ada","event":"click"}\n{"user":"bob"}\n'))
    flush = flushed(state)
    assert flush.raw == (SOURCE, 40, [None, Action(1, "ada", "click"), None])
    assert flush.rejected == [
        RejectedLine(SOURCE, 1, 0, b"poison", "not_json"),
        RejectedLine(SOURCE, 1, 2, b'{"user":"bob"}', "timestamp_missing"),
    ]
    assert (flush.progress.lines, flush.progress.rejected) == (43, {"not_json": 1, "timestamp_missing": 1})


async def test_the_next_flush_numbers_its_lines_on() -> None:
    state = await folded(new_state(), record_of(0, b"poison\n"), record(1, click("ada")))
    first = flushed(state)
    state.committed(first)
    second = flushed(await folded(state, record(2, click("ada"), click("bob")), record_of(3, b"poison")))
    assert (first.raw.first_line, len(first.raw.lines)) == (0, 2)
    assert (second.raw.first_line, len(second.raw.lines)) == (2, 3)
    assert second.progress.rejected == {"not_json": 2}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "record_null"),
        (b"", "record_empty"),
        (b"{" * (MAX_BYTES + 1), "record_too_large"),
        (b"{}\n" * (MAX_LINES + 1), "record_too_many_lines"),
    ],
    ids=["null", "empty", "too-large", "too-many-lines"],
)
async def test_a_record_that_is_refused_as_a_whole_is_one_rejected_line(value: bytes | None, code: str) -> None:
    flush = flushed(await folded(new_state(), record_of(0, value)))
    assert flush.raw.lines == [None]
    assert flush.rejected == [RejectedLine(SOURCE, 0, 0, value or b"", code)]
    assert flush.progress.mark == RecordMark(HOUR, crc32(value or b""))


@pytest.mark.parametrize("value", [b"poison\n", b"poison"], ids=["with-newline", "without"])
async def test_a_rejected_line_is_kept_without_its_newline(value: bytes) -> None:
    assert flushed(await folded(new_state(), record_of(0, value))).rejected[0].value == b"poison"


async def test_nothing_but_rejected_lines_moves_progress_too() -> None:
    flush = flushed(await folded(new_state(), record_of(0, b"poison")))
    assert values(flush) == {}
    assert flush.progress.through_offset == 0
