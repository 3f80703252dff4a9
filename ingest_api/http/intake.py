"""What each way of sending many actions goes through: bodies are read, actions checked, counted and published."""

from dataclasses import dataclass
from typing import NamedTuple

from contract.log.position import Position
from ingest_api.decoding.checked import LISTED, CheckedBatch
from ingest_api.decoding.hours import require_few_hours
from ingest_api.http.request.body import BodyReader
from ingest_api.metrics import Metrics
from ingest_api.publishing.publisher import Publisher, publish
from ingest_api.senders import Sender


class Taken(NamedTuple):
    """What the log has acknowledged of a request."""

    actions: int
    position: Position | None
    """Where it has them; None where there are none, or it did not say."""


@dataclass(frozen=True, slots=True)
class Intake:
    """The one acceptance that all formats share."""

    bodies: BodyReader
    publisher: Publisher
    metrics: Metrics
    max_lines: int
    """How many actions a request may have."""
    max_hours: int
    """How many hours these may lie in."""
    listed: int = LISTED
    """How many of those that are refused an answer lists."""

    async def publish(self, checked: CheckedBatch, sender: Sender, *, strict: bool = False) -> Taken:
        """What was accepted of a sender, once the log has acknowledged it. What is refused is counted.

        With `strict`, nothing is published where anything is refused. Raises RateExceeded, NotPublished or
        OutcomeUnknown, and RequestRefused (413) for actions of too many hours: then, too, nothing is published.
        """
        require_few_hours(checked.accepted, self.max_hours)
        accepted = [] if strict and checked.refused else checked.accepted
        sender.spend(len(accepted))
        for code, times in checked.codes.items():
            self.metrics.rejected.labels(code).inc(times)
        position = await publish(self.publisher, accepted) if accepted else None
        return Taken(len(accepted), position)
