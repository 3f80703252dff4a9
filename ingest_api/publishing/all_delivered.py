"""Lines that travel in several records and have one outcome."""

from ingest_api.errors import NotPublished, OutcomeUnknown, PublishUnavailable
from ingest_api.publishing.publisher import OnDelivered


class AllDelivered:
    """A OnDelivered for each of some records, that tells once what became of all."""

    def __init__(self, records: int, tell: OnDelivered) -> None:
        """For no records it tells at once."""
        self._records = records
        self._open = records
        self._tell = tell
        self._failures: list[PublishUnavailable] = []
        if records == 0:
            tell(None)

    def __call__(self, failure: PublishUnavailable | None) -> None:
        """To be called for each record."""
        self._open -= 1
        if failure is not None:
            self._failures.append(failure)
        if self._open == 0:
            self._tell(self._outcome())

    def _outcome(self) -> PublishUnavailable | None:
        """Part of them sent is an unknown outcome of the whole."""
        if not self._failures:
            return None
        if len(self._failures) == self._records and all(isinstance(one, NotPublished) for one in self._failures):
            return self._failures[0]
        return OutcomeUnknown(str(self._failures[0]))
