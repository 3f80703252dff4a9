from zlib import crc32

import pytest

from contract.errors import LogTruncated
from contract.log.progress import Progress, RecordMark
from support.fixtures.partition_state import flushed, folded, new_state, values
from support.fixtures.worker import HOUR, click, record, record_of


async def test_the_record_at_progress_is_recognised() -> None:
    first = record(9, click("ada"))
    start = Progress(9, mark=RecordMark(first.timestamp, crc32(first.value or b"")))
    state = await folded(new_state(start), first, record(10, click("ada")))
    assert values(flushed(state))[HOUR].counts == {"click": 1}


@pytest.mark.parametrize("mark", [RecordMark(HOUR + 9, 1), RecordMark(1, crc32(b"value"))], ids=["value", "timestamp"])
async def test_another_record_at_progress_means_that_the_log_was_truncated(mark: RecordMark) -> None:
    state = new_state(Progress(9, mark=mark))
    with pytest.raises(LogTruncated, match="offset 9"):
        await folded(state, record_of(9, b"value"))


async def test_where_progress_remembers_no_record_any_will_do() -> None:
    assert (await folded(new_state(Progress(9)), record_of(9, b"value"))).folded == 9
