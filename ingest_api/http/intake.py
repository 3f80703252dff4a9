"""What each way of sending many actions goes through: bodies are read, actions checked, counted and published."""

from collections import Counter
from dataclasses import dataclass

from ingest_api.acceptance import AcceptancePolicy
from ingest_api.decoding.batch import CheckedBatch
from ingest_api.http.request.body import BodyReader
from ingest_api.metrics import Metrics
from ingest_api.publishing.publisher import Publisher, publish


@dataclass(frozen=True, slots=True)
class Intake:
    """The one acceptance that all formats share."""

    bodies: BodyReader
    policy: AcceptancePolicy
    publisher: Publisher
    metrics: Metrics
    max_lines: int
    """How many actions a request may have."""

    async def publish(self, checked: CheckedBatch, *, strict: bool = False) -> int:
        """How many actions were accepted, once the log has acknowledged them. Those that are refused are counted.

        With `strict`, nothing is published where anything is refused. Raises NotPublished or OutcomeUnknown.
        """
        for code, times in Counter(refusal.rejection.code for refusal in checked.refused).items():
            self.metrics.rejected.labels(code).inc(times)
        accepted = [] if strict and checked.refused else checked.accepted
        if accepted:
            await publish(self.publisher, accepted)
        return len(accepted)
