"""A publisher that is measured."""

from collections.abc import Callable, Sequence
from time import perf_counter

from contract.action import Action
from ingest_api.errors import NotPublished, OutcomeUnknown
from ingest_api.metrics import Metrics
from ingest_api.publisher import Publisher


class MeasuredPublisher:
    """Counts actions by what became of them, and times the acknowledged ones."""

    def __init__(self, publisher: Publisher, metrics: Metrics, timer: Callable[[], float] = perf_counter) -> None:
        """`timer` in seconds, from any start."""
        self._publisher = publisher
        self._metrics = metrics
        self._timer = timer
        self._in_flight = 0
        metrics.in_flight_actions.set_function(lambda: self._in_flight)
        self.start = publisher.start
        self.trouble = publisher.trouble
        self.close = publisher.close

    async def publish(self, actions: Sequence[Action]) -> None:
        metrics, size, began = self._metrics, len(actions), self._timer()
        self._in_flight += size
        try:
            await self._publisher.publish(actions)
        except NotPublished:
            metrics.not_published.inc(size)
            raise
        except OutcomeUnknown:
            metrics.unknown.inc(size)
            raise
        else:
            metrics.accepted.inc(size)
            metrics.publish_seconds.observe(self._timer() - began)
        finally:
            self._in_flight -= size
