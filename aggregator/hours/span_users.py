"""The users of many hours, each counted once: the union of the stored hashes, in bounded memory."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from xxhash import xxh3_128_digest

from aggregator.hours.reader import Answer
from contract.log.progress import LogPartition
from contract.store import StoreReader
from contract.windows.hash_set import union
from contract.windows.hashes import NO_HASHES, Hashes, unpack_hashes
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue

_BYTES_PER_HASH: Final = 8
_COPIES: Final = 3
"""While hashes are merged: what was there, what is added, and both together."""
_HASH_BITS: Final = 64
_USERS: Final = 100_000
"""Read at once: some MB with what surrounds them."""
_REMEMBERED: Final = 10_000
"""Counts: about a MB."""


class _Slice:
    """The users whose hashes begin with the bits `prefix`; it halves itself where they would take too much memory."""

    def __init__(self, prefix: int, bits: int, most: int) -> None:
        """`most`: how many hashes may be there, merged or not."""
        self.prefix = prefix
        self.bits = bits
        self._most = most
        self._merged: Hashes = NO_HASHES
        self._added: list[Hashes] = []
        self._waiting = 0

    def add(self, hashes: Hashes) -> None:
        """Takes those that are of this slice."""
        mine = self._of_slice(hashes)
        self._added.append(mine)
        self._waiting += len(mine)
        # Merged when as many wait as are there: each hash is then merged some few times only.
        if self._waiting >= max(len(self._merged), self._most // 4):
            self._merge()

    def count(self) -> int:
        """How many users there are."""
        self._merge()
        return len(self._merged)

    def _merge(self) -> None:
        self._merged = union([self._merged, *self._added])
        self._added, self._waiting = [], 0
        while len(self._merged) > self._most // 2 and self.bits < _HASH_BITS:
            self.bits, self.prefix = self.bits + 1, self.prefix << 1
            self._merged = self._of_slice(self._merged)

    def _of_slice(self, hashes: Hashes) -> Hashes:
        if self.bits == 0:
            return hashes
        mine: Hashes = hashes[hashes >> np.uint64(_HASH_BITS - self.bits) == np.uint64(self.prefix)]
        return mine


class SpanUsers:
    """Counts the users of spans, one span at a time: others wait, rather than take memory as well."""

    def __init__(self, store: StoreReader, memory: int) -> None:
        """`memory`: bytes that a count may take, whatever the span."""
        self._store = store
        self._most = memory // (_BYTES_PER_HASH * _COPIES)
        self._turn = asyncio.Lock()
        self._counted: OrderedDict[bytes, int] = OrderedDict()

    async def count(self, answers: Sequence[Answer]) -> int:
        """How many users have an action in any of these hours. Raises what the store raises.

        The segments up to a committed window hold exactly its users, and never change: so what was counted of some
        windows holds until a late action makes one of them another.
        """
        windows = _windows_of(answers)
        async with self._turn:
            if windows not in self._counted:
                self._counted[windows] = await self._count(answers)
                if len(self._counted) > _REMEMBERED:
                    self._counted.popitem(last=False)
            self._counted.move_to_end(windows)
            return self._counted[windows]

    async def _count(self, answers: Sequence[Answer]) -> int:
        users, prefix, bits = 0, 0, 0
        while True:
            one = await self._fill(_Slice(prefix, bits, self._most), answers)
            users += await asyncio.to_thread(one.count)
            prefix, bits = _after(one.prefix, one.bits)
            if bits == 0:
                return users

    async def _fill(self, one: _Slice, answers: Sequence[Answer]) -> _Slice:
        for source, windows in _lots(answers):
            for segments in (await self._store.read_segments_of_hours(source, windows)).values():
                await asyncio.to_thread(_add, one, segments)
        return one


def _lots(answers: Sequence[Answer]) -> Iterator[tuple[LogPartition, dict[int, WindowValue]]]:
    """The windows, in lots that are read at once: a request for each would take longer than what is read."""
    for source in sorted({source for answer in answers for source in answer.windows}):
        lot: dict[int, WindowValue] = {}
        users = 0
        for answer in answers:
            window = answer.windows.get(source)
            if window is None:
                continue
            if lot and users + window.unique_users > _USERS:
                yield source, lot
                lot, users = {}, 0
            lot[answer.hour] = window
            users += window.unique_users
        if lot:
            yield source, lot


def _windows_of(answers: Sequence[Answer]) -> bytes:
    """Names what the answers were computed from."""
    named = sorted(
        (answer.hour, *source, window.through_offset, window.generation)
        for answer in answers
        for source, window in answer.windows.items()
    )
    return xxh3_128_digest(repr(named).encode())


def _add(one: _Slice, segments: Sequence[Segment]) -> None:
    if segments:
        one.add(np.concatenate([unpack_hashes(segment.users) for segment in segments]))


def _after(prefix: int, bits: int) -> tuple[int, int]:
    """The slice that follows: the largest one that begins where this one ends; (0, 0) after the last."""
    prefix += 1
    while bits and prefix % 2 == 0:
        prefix, bits = prefix >> 1, bits - 1
    return (prefix, bits) if bits else (0, 0)
