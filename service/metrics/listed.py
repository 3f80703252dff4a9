"""Metrics that are on a list: docs/metrics.md is made from it, and a process exports nothing else."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import product
from typing import Final, NamedTuple, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Buckets for what takes from milliseconds to a minute."""
UNKNOWN: Final = math.nan
"""What a gauge shows that is not known."""

_UNITS: Final = {
    "_start_time_seconds": "seconds since the epoch",
    "_timestamp_seconds": "seconds since the epoch",
    "_seconds": "seconds",
    "_bytes": "bytes",
}

Label = str | tuple[str, ...]
"""What a label says; or all values that it may have: then each is exported from the start, at zero."""


class Kind(StrEnum):
    """Prometheus' types."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(NamedTuple):
    """A metric as its readers see it. Names end as Prometheus' do: in the unit, and those of counters in `_total`."""

    name: str
    kind: Kind
    meaning: str
    labels: Mapping[str, Label]

    @property
    def unit(self) -> str:
        """Empty where the name says what is counted."""
        name = self.name.removesuffix("_total")
        return next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), "")


class CountedElsewhere(Collector):
    """A counter that costs nothing between two looks: somebody counts anyway."""

    def __init__(self, name: str, meaning: str) -> None:
        """Zero, until somebody says how to look."""
        self._name = name
        self._meaning = meaning
        self._look: Callable[[], float] = lambda: 0

    def set_function(self, look: Callable[[], float]) -> None:
        """`look` returns how often it was, since the process began."""
        self._look = look

    def collect(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(self._name, self._meaning, value=self._look())


M = TypeVar("M", Counter, Gauge, Histogram)


class MetricList:
    """Makes metrics, and lists them. It has a registry of its own: so each app that a test makes starts at zero."""

    def __init__(self) -> None:
        """An empty list."""
        # When each counter began: a third series for every histogram, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call] # it has no types
        self.registry = CollectorRegistry()
        self.metrics: list[Metric] = []

    def counter(self, name: str, meaning: str, **labels: Label) -> Counter:
        """One that only rises."""
        self._list(name, Kind.COUNTER, meaning, labels)
        return _begun(Counter(name, meaning, list(labels), registry=self.registry), labels)

    def gauge(self, name: str, meaning: str, **labels: Label) -> Gauge:
        """One that rises and falls."""
        self._list(name, Kind.GAUGE, meaning, labels)
        return _begun(Gauge(name, meaning, list(labels), registry=self.registry), labels)

    def histogram(self, name: str, meaning: str, buckets: Sequence[float] = SECONDS, **labels: Label) -> Histogram:
        """One for percentiles."""
        self._list(name, Kind.HISTOGRAM, meaning, labels)
        return _begun(Histogram(name, meaning, list(labels), registry=self.registry, buckets=buckets), labels)

    def counted_elsewhere(self, name: str, meaning: str) -> CountedElsewhere:
        """A counter that is only looked at."""
        self._list(name, Kind.COUNTER, meaning, {})
        counter = CountedElsewhere(name, meaning)
        self.registry.register(counter)
        return counter

    def collected(self, metrics: Iterable[Metric], *collectors: Callable[[CollectorRegistry], object]) -> None:
        """What these collectors export; each registers itself."""
        self.metrics += metrics
        for collector in collectors:
            collector(self.registry)

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)

    def _list(self, name: str, kind: Kind, meaning: str, labels: Mapping[str, Label]) -> None:
        self.metrics.append(Metric(name, kind, meaning, labels))


def _begun(metric: M, labels: Mapping[str, Label]) -> M:
    """With each combination of values there, where all are known: a rate needs a zero to rise from."""
    known = [values for values in labels.values() if not isinstance(values, str)]
    if labels and len(known) == len(labels):
        for values in product(*known):
            metric.labels(*values)
    return metric
