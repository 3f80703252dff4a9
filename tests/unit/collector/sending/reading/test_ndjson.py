import io
import tracemalloc

import pytest

from collector.sending.reading.line import BEGINNING, LONGEST
from collector.sending.reading.ndjson import lines_of


def read(content: bytes) -> list[tuple[int, bytes]]:
    return [(line.number, line.text) for line in lines_of(io.BytesIO(content))]


def test_lines_are_numbered_from_1_as_in_an_editor_and_blank_ones_are_left_out() -> None:
    assert read(b"a\n\n \t\r\nb\r\n  c") == [(1, b"a"), (4, b"b"), (5, b"c")]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize(("size", "is_sent"), [(LONGEST, True), (LONGEST + 1, False), (LONGEST + 2, False)])
def test_a_line_is_too_long_from_one_byte_above_the_limit_on(size: int, newline: bytes, *, is_sent: bool) -> None:
    first, second, third = lines_of(io.BytesIO(newline.join([b"a", b"{" * size, b"b"])))

    assert [first.text, third.text, third.number] == [b"a", b"b", 3]
    assert (second.rejection is None) is is_sent
    assert second.text == b"{" * (size if is_sent else BEGINNING)


@pytest.mark.parametrize("end", [b"", b"\n", b"\nb"])
def test_a_line_of_many_buffers_is_one_line_wherever_it_ends(end: bytes) -> None:
    lines = list(lines_of(io.BytesIO(b"a\n" + b"x" * 9_000_000 + end)))

    assert [line.number for line in lines] == ([1, 2, 3] if end == b"\nb" else [1, 2])
    assert lines[1].is_beginning
    assert lines[1].rejection is not None
    assert lines[1].rejection.code == "line_too_long"
    assert lines[1].rejection.rule == "a line has at most 16,384 bytes, this one has 9,000,000"


class _Endless(io.RawIOBase):
    """A line of 300 MB, never held as a whole."""

    left = 300_000_000

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        size = min(len(buffer), self.left)
        buffer[:size] = b"x" * size
        self.left -= size
        return size


def test_a_line_too_long_is_not_held_in_memory() -> None:
    tracemalloc.start()
    try:
        (line,) = lines_of(io.BufferedReader(_Endless(), 256 * 1024))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert line.is_beginning
    assert peak < 4_000_000
