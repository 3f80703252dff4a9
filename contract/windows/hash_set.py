"""A set of 64-bit hashes that takes little more than 8 bytes each: sorted arrays."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contract.windows.hashes import NO_HASHES, Hashes

BYTES_OF_FEW: Final = 100
"""A hash in a Python set: 66 to 138 were measured, for sets of 200 and 20."""

BYTES_OF_MANY: Final = 10
"""A hash in an array: 9.5 to 10.4 of the process's memory were measured, for 2,500,000 and 1,250,000."""

MAX_FEW: Final = 256
"""At most this many are kept in a Python set: a lookup takes 0.1 us there, 2 us in an array."""

MAX_SINGLY: Final = 32
"""For more than this many at a time, numpy's 50 us per call are less than looking them up one by one."""

GROWTH: Final = 16
"""Each array is at least this many times as large as the next. Merging sorted arrays takes 1 to 4 ns a hash, looking
6,000 hashes up in one more array 0.04 us each: 16 was faster than 2, 4 and 8 up to 1,250,000 hashes."""


class HashSet:
    """Holds hashes, and says which of those added are new."""

    def __init__(self, hashes: Iterable[Hashes] = ()) -> None:
        """The union of some arrays."""
        self._few: set[int] = set()
        self._arrays: list[Hashes] = []
        """Disjoint, each sorted, the largest first."""
        # Most windows are new: an empty union would take longer than everything else about them.
        if arrays := [array for array in hashes if len(array)]:
            self._push(union(arrays))

    def __len__(self) -> int:
        return len(self._few) + sum(map(len, self._arrays))

    @property
    def size(self) -> int:
        """About how many bytes it takes; while its arrays are merged, twice as many."""
        return BYTES_OF_FEW * len(self._few) + BYTES_OF_MANY * sum(map(len, self._arrays))

    def all(self) -> Hashes:
        """All hashes, in ascending order."""
        return np.sort(np.concatenate([_few(self._few), *self._arrays]), kind="stable")

    def add(self, hashes: Hashes | list[int]) -> Hashes:
        """Adds hashes; returns those that were not in the set before, each once."""
        if len(hashes) <= MAX_SINGLY:
            new = _few(self._add_singly(hashes if isinstance(hashes, list) else hashes.tolist()))
            if len(self._few) > MAX_FEW:
                self._tidy()
            return new
        self._tidy()
        distinct = _distinct(np.array(hashes, np.uint64))
        new = distinct[~self._known(distinct)]
        self._push(new)
        return new

    def _add_singly(self, hashes: Iterable[int]) -> list[int]:
        new = []
        for value in hashes:
            if value not in self._few and not self._in_arrays(value):
                self._few.add(value)
                new.append(value)
        return new

    def _in_arrays(self, value: int) -> bool:
        for array in self._arrays:
            values = array.data
            at = bisect_left(values, value)
            if at < len(values) and values[at] == value:
                return True
        return False

    def _known(self, distinct: Hashes) -> NDArray[np.bool_]:
        known = np.zeros(len(distinct), np.bool_)
        for array in self._arrays:
            at = np.searchsorted(array, distinct)
            at[at == len(array)] = 0
            known |= array[at] == distinct
        return known

    def _tidy(self) -> None:
        if self._few:
            few, self._few = self._few, set()
            self._push(np.sort(_few(few)))

    def _push(self, array: Hashes) -> None:
        if not len(array):
            return
        self._arrays.append(array)
        while len(self._arrays) > 1 and len(self._arrays[-2]) < GROWTH * len(self._arrays[-1]):
            merged = np.concatenate([self._arrays[-2], self._arrays.pop()])
            # numpy's stable sort finds the two sorted runs and merges them.
            merged.sort(kind="stable")
            self._arrays[-1] = merged


def union(hashes: Iterable[Hashes]) -> Hashes:
    """All hashes of some arrays, each once, in ascending order."""
    return _distinct(np.concatenate([NO_HASHES, *hashes]))


def _few(hashes: Iterable[int]) -> Hashes:
    return np.fromiter(hashes, np.uint64)


def _distinct(hashes: Hashes) -> Hashes:
    """Sorts them in place; a third of the time that np.unique takes."""
    hashes.sort()
    first = np.ones(len(hashes), np.bool_)
    np.not_equal(hashes[1:], hashes[:-1], out=first[1:])
    return hashes[first]
