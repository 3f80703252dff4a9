"""Adding up an hour: its partitions and its logs. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from contract.log.progress import LogPartition
from contract.windows.window_value import WindowValue

Windows = Mapping[LogPartition, WindowValue]
"""The committed windows of one hour."""


@dataclass(frozen=True, slots=True)
class HourTotals:
    """An hour's numbers over all partitions of all logs."""

    counts: Mapping[str, int]
    unique_users: int
    duplicates: int


def each_user_has_one_window(windows: Windows) -> bool:
    """Whether no user can be in two of the windows, so that unique users may be added.

    So it is where all records were keyed over the same number of partitions of one log. A record without the header
    (fewest 0) or with one that can't be true, partitions added within the hour, or a second log: then a user may be in
    several.
    """
    if len(windows) <= 1:
        return True
    logs = {source.log for source in windows}
    counts = {count for window in windows.values() for count in (window.fewest_partitions, window.most_partitions)}
    return len(logs) == 1 and len(counts) == 1 and max(source.partition for source in windows) < min(counts)


def add_up(windows: Windows, unique_users: int | None = None) -> HourTotals:
    """The hour's numbers; `unique_users` is given where the windows' own may not be added."""
    counts: Counter[str] = Counter()
    for window in windows.values():
        counts.update(window.counts)
    if unique_users is None:
        unique_users = sum(window.unique_users for window in windows.values())
    return HourTotals(dict(counts), unique_users, sum(window.duplicates for window in windows.values()))
