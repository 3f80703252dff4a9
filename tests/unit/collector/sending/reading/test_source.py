import gzip
import io
import random
from collections.abc import Callable

import pytest

from collector.sending.errors import FileUnreadable
from collector.sending.reading.opening import NamedStream
from collector.sending.reading.source import Source, read_source
from support.fixtures.sending import Dribble

LINES = [b'{"n":%d}' % number for number in range(1, 6)]
BOM = b"\xef\xbb\xbf"
NDJSON = b"\n".join(LINES)
ARRAY = b"[" + b",".join(LINES) + b"]"


def source(content: bytes, skip: int = 0, piece: int = 1_000_000) -> Source:
    return read_source(NamedStream(Dribble(content, piece), "x.json"), skip)


@pytest.mark.parametrize("piece", [1, 3, 1_000_000])
@pytest.mark.parametrize("content", [NDJSON, BOM + NDJSON, ARRAY, BOM + b"\n" + ARRAY])
def test_lines_and_arrays_are_read_gzipped_or_not_and_in_pieces_of_any_size(content: bytes, piece: int) -> None:
    unit = "element" if ARRAY in content else "line"
    for written in (content, gzip.compress(content), gzip.compress(content[:20]) + gzip.compress(content[20:])):
        read = source(written, piece=piece)

        assert read.unit == unit
        assert [line.text for line in read.lines] == LINES


def test_lines_to_skip_are_counted_with_the_blank_ones_before_and_among_them() -> None:
    content = b"\n" + LINES[0] + b"\n\n" + LINES[1] + b"\n" + LINES[2]

    assert [(line.number, line.text) for line in source(content, skip=2).lines] == [(4, LINES[1]), (5, LINES[2])]


def test_a_line_too_long_counts_as_one_that_is_skipped() -> None:
    content = b'{"n":"' + b"x" * 100_000 + b'"}\n' + LINES[0]

    assert [line.text for line in source(content, skip=1).lines] == [LINES[0]]


def test_of_an_array_elements_are_skipped() -> None:
    assert [line.number for line in source(ARRAY, skip=3).lines] == [4, 5]


def test_more_may_be_skipped_than_there_is() -> None:
    assert list(source(NDJSON, skip=99).lines) == []


def test_a_pipe_is_read_as_its_lines_come() -> None:
    class Typed(io.BytesIO):
        """A second line comes when the first one was read."""

        def read1(self, size: int | None = -1) -> bytes:
            return super().readline(size)

    stream = Typed(NDJSON)

    assert next(read_source(NamedStream(stream, "-"), 0).lines).text == LINES[0]
    assert stream.tell() < len(NDJSON)


def test_gzip_within_gzip_is_refused() -> None:
    with pytest.raises(FileUnreadable, match=r"x\.json looks like gzip within gzip"):
        source(gzip.compress(gzip.compress(NDJSON)))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda packed: packed[:-500], "the gzip is cut off"),
        (lambda packed: packed + packed[:10] + b"\xff" * 50, "the gzip is damaged"),
        (lambda packed: packed[:-8] + bytes(8), "CRC check failed"),
        (lambda packed: packed + b"rest", "Not a gzipped file"),
    ],
)
def test_a_damaged_gzip_is_told_after_the_lines_before_the_damage(
    damage: Callable[[bytes], bytes], reason: str
) -> None:
    lines = [b'{"n":%d}' % random.Random(number).getrandbits(64) for number in range(20_000)]
    read: list[bytes] = []

    with pytest.raises(FileUnreadable) as told:
        read.extend(line.text for line in source(damage(gzip.compress(b"\n".join(lines)))).lines)

    assert reason in str(told.value)
    assert f"after line {len(read):,}" in str(told.value)
    assert read == lines[: len(read)]
    assert len(read) > 15_000


def test_a_gzip_that_is_damaged_in_its_head_is_told() -> None:
    with pytest.raises(FileUnreadable, match=r"x.json cannot be read:"):
        source(b"\x1f\x8b" + bytes(50))


def test_a_disk_that_fails_is_told_with_the_line() -> None:
    class Failing(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            if self.tell() == 0:
                return super().read1(size)
            raise OSError(5, "Input/output error")

    lines = read_source(NamedStream(Failing(NDJSON + b"\n"), "x.json"), 0).lines

    with pytest.raises(FileUnreadable, match="after line 5: Input/output error"):
        list(lines)
