from collections.abc import Iterator

import pytest

from collector.sending.batches import in_batches
from collector.sending.errors import FileUnreadable
from collector.sending.reading.line import Line


def test_a_batch_has_at_most_1000_lines_and_512_kib_and_no_line_is_lost() -> None:
    many = [Line(number, b"{}") for number in range(2500)] + [Line(number, b"x" * 16_384) for number in range(100)]

    batches = list(in_batches(many))

    assert [line for batch in batches for line in batch] == many
    assert all(len(batch) <= 1000 and sum(len(line.text) for line in batch) <= 512 * 1024 for batch in batches)
    assert [len(batch) for batch in batches[:2]] == [1000, 1000]


def test_lines_before_a_damage_are_a_batch_before_it_is_raised() -> None:
    def damaged() -> Iterator[Line]:
        yield Line(1, b"{}")
        raise FileUnreadable("damaged")

    batches = in_batches(damaged())

    assert next(batches) == [Line(1, b"{}")]
    with pytest.raises(FileUnreadable):
        next(batches)
