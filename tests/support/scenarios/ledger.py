"""What the clients know about their actions: acknowledged, unknown, refused."""

import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

HOUR_MS = 3_600_000

Action = dict[str, Any]


class Key(NamedTuple):
    """What counts once."""

    hour: int
    user: str
    id: str


def key_of(action: Action) -> Key:
    return Key(action["timestamp"] // HOUR_MS * HOUR_MS, action["user"], action["id"])


class Ledger:
    """Each action by its best outcome so far: one acknowledgement outweighs everything else."""

    def __init__(self) -> None:
        self.acknowledged: set[Key] = set()
        self.answers: Counter[str] = Counter()
        """How the requests ended."""
        self._open: Counter[Key] = Counter()
        """Tries that may be in the log: under way, or never answered for."""
        self._sent: dict[int, set[Key]] = defaultdict(set)
        self._times: dict[int, list[int]] = defaultdict(list)

    @property
    def unknown(self) -> set[Key]:
        """Actions that may be in the log, but need not."""
        return {key for key, tries in self._open.items() if tries} - self.acknowledged

    def sending(self, batch: Iterable[Action]) -> None:
        """Before the request: from here on a reader may see it."""
        for key in map(key_of, batch):
            self._sent[key.hour].add(key)
            self._open[key] += 1

    def was_answered(self, batch: Iterable[Action], outcome: str) -> None:
        """`acknowledged`, `unknown`, or a reason why nothing of this request will be counted."""
        self.answers[outcome] += 1
        now = time.time_ns() // 1_000_000
        for key in map(key_of, batch):
            if outcome != "unknown":
                self._open[key] -= 1
            if outcome == "acknowledged" and key not in self.acknowledged:
                self.acknowledged.add(key)
                self._times[key.hour].append(now)

    def acknowledged_before(self, hour: int, instant: int) -> int:
        """How many actions of the hour had their acknowledgement in hand before `instant` (ms)."""
        return bisect_left(self._times[hour], instant)

    def sent(self, hour: int) -> int:
        """How many actions of the hour may be in the log by now."""
        return len(self._sent[hour])

    def hours(self) -> set[int]:
        """All hours that anything was sent for."""
        return set(self._sent)
