from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contract.windows import hash_set
from contract.windows.hash_set import HashSet

hashes = st.one_of(st.integers(0, 20), st.integers(0, 2**64 - 1), st.integers(2**64 - 5, 2**64 - 1))
batches = st.lists(st.lists(hashes, max_size=20), max_size=12)


@given(batches, st.integers(0, 6), st.integers(0, 6), st.integers(2, 4))
def test_it_holds_what_a_set_would_and_tells_what_is_new(
    added: list[list[int]], few: int, singly: int, growth: int
) -> None:
    plain: set[int] = set()
    compact = HashSet()
    with (
        patch.object(hash_set, "MAX_FEW", few),
        patch.object(hash_set, "MAX_SINGLY", singly),
        patch.object(hash_set, "GROWTH", growth),
    ):
        for batch in added:
            new = compact.add(np.array(batch, np.uint64) if len(batch) % 2 else batch)
            assert sorted(new.tolist()) == sorted(set(batch) - plain)
            plain |= set(batch)
            assert len(compact) == len(plain)
            assert compact.all().tolist() == sorted(plain)


@given(batches)
def test_it_begins_as_the_union_of_arrays(arrays: list[list[int]]) -> None:
    compact = HashSet(np.array(array, np.uint64) for array in arrays)
    assert compact.all().tolist() == sorted({value for array in arrays for value in array})


def test_a_hash_takes_about_ten_bytes_where_there_are_many() -> None:
    compact = HashSet()
    for first in range(0, 100_000, 1_000):
        compact.add(list(range(first, first + 1_000)))
    assert compact.size <= 10 * 100_000


def test_what_was_handed_over_is_left_as_it_was() -> None:
    handed = np.array([3, 1, 2], np.uint64)
    HashSet([handed])
    HashSet().add(handed)
    assert handed.tolist() == [3, 1, 2]
