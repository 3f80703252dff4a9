"""The expected numbers of hours, counted independently of the product's fold."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from contract.hour import hour_of
from contract.log.action import Action


class Numbers(NamedTuple):
    """The numbers of an hour."""

    counts: dict[str, int]
    duplicates: int
    unique_users: int


def numbers_of(lines: Mapping[int, Sequence[Action]]) -> dict[int, Numbers]:
    """The numbers of each hour, counted in the simplest way."""
    counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    users: dict[int, set[str]] = defaultdict(set)
    ids: dict[int, set[tuple[str, str]]] = defaultdict(set)
    duplicates: dict[int, int] = defaultdict(int)
    for action in (action for partition in lines.values() for action in partition):
        hour = hour_of(action.timestamp)
        if action.id is not None and (action.user, action.id) in ids[hour]:
            duplicates[hour] += 1
            continue
        if action.id is not None:
            ids[hour].add((action.user, action.id))
        counts[hour][action.event] += 1
        users[hour].add(action.user)
    return {hour: Numbers(dict(counts[hour]), duplicates[hour], len(users[hour])) for hour in counts}
