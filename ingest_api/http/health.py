"""Whether actions can be published."""

from fastapi import APIRouter
from pydantic import Field

from ingest_api.metrics import Metrics
from ingest_api.publishing.publisher import Publisher
from service.health import Readiness, health_routes


class IngestReadiness(Readiness):
    """Whether actions can be published."""

    reason: str | None = Field(description="Why none can be published: Kafka does not answer, or has no such topic.")


def health(publisher: Publisher, metrics: Metrics) -> APIRouter:
    """The routes that orchestrators and Prometheus ask."""

    async def check() -> IngestReadiness:
        reason = await publisher.unavailable_reason()
        metrics.process.dependency_up.labels("kafka").set(reason is None)
        return IngestReadiness(ready=reason is None, reason=reason)

    return health_routes(
        IngestReadiness,
        check,
        metrics,
        ready="Can it publish? As seen at most a second ago.",
        unready="Nothing can be published.",
    )
