"""One point an hour for those who query the store themselves. No code of ours trusts what stands there."""

from collections.abc import Mapping
from typing import Final, Protocol

Value = int | bool

Fields = Mapping[str, Value]
"""A point's fields by name: `clicks`, `impressions`, `unique_users`, `actions`; `count_<event>` for others;
`final`; `complete_through`, ms since the epoch."""

OTHER_EVENT: Final = "count_"
"""What the fields of events other than clicks and impressions begin with."""

Mark = tuple[int, ...]
"""Sums over all that is stored for an hour, committed or not: while it stands still, so most likely does the hour."""


class RollupStore(Protocol):
    """The points, and what tells which of them may have to change. Each call raises StoreUnavailable.

    A write replaces the fields that it names. It may be carried out late, over a newer one, in part, or be forgotten,
    as any write may: who writes must read again.
    """

    async def read_marks(self, first: int, end: int) -> dict[int, Mark]:
        """The marks of all hours from `first` up to, not including, `end` that anything is stored for."""

    async def next_hour(self, first: int) -> int | None:
        """The first hour from `first` on that anything is stored for."""

    async def read_points(self, first: int, end: int) -> dict[int, Fields]:
        """What stands now, by hour."""

    async def write_points(self, points: Mapping[int, Fields]) -> None:
        """Stores some fields of some hours' points. Also raises StoreConflict."""
