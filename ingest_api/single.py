"""One action, by a query."""

from http import HTTPStatus

from contract.action import Rejection
from ingest_api.door import Door
from ingest_api.errors import RequestRefused
from ingest_api.metrics import Metrics
from ingest_api.publisher import Publisher
from ingest_api.query import action_in_query


class SingleAction:
    """What is done with the one action of a query."""

    def __init__(self, door: Door, publisher: Publisher, metrics: Metrics) -> None:
        self._door = door
        self._publisher = publisher
        self._metrics = metrics

    async def __call__(self, query: bytes) -> None:
        """Returns once the log has acknowledged it. Raises RequestRefused, NotPublished or OutcomeUnknown."""
        (judged,) = self._door.judge([action_in_query(query)])
        if isinstance(judged, Rejection):
            self._metrics.rejected.labels(judged.code).inc()
            raise RequestRefused(HTTPStatus.BAD_REQUEST, judged.code, judged.message, rejection=judged)
        await self._publisher.publish([judged])
