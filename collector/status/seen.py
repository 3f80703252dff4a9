"""What was seen of the processes, and what it comes to: pure."""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import msgspec

LATE: Final = 60.0
"""Seconds from which on a lag is wrong, and numbers are old."""


class Outcome(StrEnum):
    """What it comes to."""

    FINE = "fine"
    WRONG = "wrong"
    UNKNOWN = "unknown"


EXIT_CODES: Final = {Outcome.FINE: 0, Outcome.WRONG: 1, Outcome.UNKNOWN: 2}


class Sample(msgspec.Struct, frozen=True):
    """One of the numbers at /metrics."""

    name: str
    labels: dict[str, str]
    value: float


class Seen(msgspec.Struct, frozen=True):
    """One process."""

    name: str
    state: str
    """running, not ready, stopping, dead, or no answer."""
    reason: str | None = None
    """Its own, for not being ready."""
    samples: Sequence[Sample] = ()
    errors: Sequence[str] = ()
    """The last lines of its log that are about trouble, since it was started."""

    def values(self, name: str, **labels: str) -> list[float]:
        """Those of a metric that are known."""
        return [
            one.value
            for one in self.samples
            if one.name == name and labels.items() <= one.labels.items() and math.isfinite(one.value)
        ]


class Status(msgspec.Struct, frozen=True):
    """What is known of all of them together; None: it is not known."""

    outcome: Outcome
    wrong: list[str]
    """Why, in words; nothing where nothing is."""
    lag_records: float | None
    lag_seconds: float | None
    """Of the partition that lags most."""
    complete_through: datetime | None
    freshness_seconds: float | None
    """How long ago that was."""
    kafka: str
    """ok, failing, or unknown."""
    store: str


def status_of(processes: Sequence[Seen], now: float) -> Status:
    """What the processes come to at `now`, in seconds since the epoch."""
    lag_records = _most(processes, "collector_aggregator_lag_records")
    lag_seconds = _most(processes, "collector_worker_lag_seconds")
    through = _most(processes, "collector_aggregator_complete_through_timestamp_seconds")
    freshness = None if through is None else max(0.0, now - through)
    kafka, store = _dependency(processes, "kafka"), _dependency(processes, "store")
    wrong = [_told(one) for one in processes if one.state != "running"]
    wrong += [
        f"{name} does not do what is asked"
        for name, state in (("Kafka", kafka), ("the store", store))
        if state == "failing"
    ]
    wrong += _late(lag_seconds, "a partition is counted {} s late")
    wrong += _late(freshness, "the numbers are complete only up to {} s ago")
    known = lag_seconds is not None and freshness is not None
    return Status(
        Outcome.WRONG if wrong else Outcome.FINE if known else Outcome.UNKNOWN,
        wrong,
        lag_records,
        lag_seconds,
        None if through is None else datetime.fromtimestamp(through, UTC),
        freshness,
        kafka,
        store,
    )


def _most(processes: Iterable[Seen], metric: str) -> float | None:
    return _over(processes, max, metric)


def _over(processes: Iterable[Seen], pick: Callable[[list[float]], float], metric: str, **labels: str) -> float | None:
    found = [value for one in processes for value in one.values(metric, **labels)]
    return pick(found) if found else None


def _dependency(processes: Iterable[Seen], name: str) -> str:
    least = _over(processes, min, "collector_dependency_up", dependency=name)
    return "unknown" if least is None else "ok" if least else "failing"


def _late(seconds: float | None, words: str) -> list[str]:
    return [words.format(round(seconds))] if seconds is not None and seconds > LATE else []


def _told(process: Seen) -> str:
    return f"{process.name}: {process.state}" + (f", {process.reason}" if process.reason else "")
