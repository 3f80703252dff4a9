"""Lines that travel in several records and have one outcome."""

from ingest_api.errors import NotPublished, OutcomeUnknown, PublishUnavailable
from ingest_api.publishing.publisher import OnDelivered


class AllDelivered:
    """An OnDelivered for each of several records, which reports once what became of all."""

    def __init__(self, records: int, on_delivered: OnDelivered) -> None:
        """For no records it reports at once."""
        self._records = records
        self._open = records
        self._on_delivered = on_delivered
        self._failures: list[PublishUnavailable] = []
        if records == 0:
            on_delivered(None)

    def __call__(self, failure: PublishUnavailable | None) -> None:
        """To be called for each record."""
        self._open -= 1
        if failure is not None:
            self._failures.append(failure)
        if self._open == 0:
            self._on_delivered(self._outcome())

    def _outcome(self) -> PublishUnavailable | None:
        """Part of them sent is an unknown outcome of the whole."""
        if not self._failures:
            return None
        if len(self._failures) == self._records and all(isinstance(one, NotPublished) for one in self._failures):
            return self._failures[0]
        return OutcomeUnknown(str(self._failures[0]))
