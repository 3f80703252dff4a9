"""A publisher that is measured."""

from collections.abc import Callable, Sequence
from time import perf_counter

from contract.log.action import Action
from ingest_api.errors import NotPublished, PublishUnavailable
from ingest_api.metrics import Metrics
from ingest_api.publishing.publisher import OnDelivered, Outcome, Publisher


class MeteredPublisher:
    """Counts actions by what became of them, and times the acknowledged ones."""

    def __init__(self, publisher: Publisher, metrics: Metrics, timer: Callable[[], float] = perf_counter) -> None:
        """`timer` in seconds, from any start."""
        self._publisher = publisher
        self._metrics = metrics
        self._timer = timer
        self._in_flight = 0
        metrics.in_flight_actions.set_function(lambda: self._in_flight)
        self.start = publisher.start
        self.unavailable_reason = publisher.unavailable_reason
        self.close = publisher.close

    def submit(self, actions: Sequence[Action], on_delivered: OnDelivered) -> None:
        size, began = len(actions), self._timer()

        def note(outcome: Outcome) -> None:
            self._note(outcome, size, began)
            on_delivered(outcome)

        self._in_flight += size
        try:
            self._publisher.submit(actions, note)
        except NotPublished as failure:
            self._note(failure, size, began)
            raise
        except BaseException:
            self._in_flight -= size
            raise

    def _note(self, outcome: Outcome, size: int, began: float) -> None:
        self._in_flight -= size
        if not isinstance(outcome, PublishUnavailable):
            self._metrics.accepted.inc(size)
            self._metrics.publish_seconds.observe(self._timer() - began)
        elif isinstance(outcome, NotPublished):
            self._metrics.not_published.inc(size)
        else:
            self._metrics.unknown.inc(size)
