"""Whether answers can be given."""

import asyncio
from datetime import timedelta

from fastapi import APIRouter
from pydantic import Field

from aggregator.end_offsets.cache import EndOffsetsCache
from aggregator.freshness import Freshness
from aggregator.metrics import Metrics
from contract.errors import StoreError
from contract.store import Store
from service.health import Readiness, health_routes


class AggregatorReadiness(Readiness):
    """Whether answers can be given. Kafka away costs their completeness, not the numbers: it does not make unready."""

    reason: str | None = Field(description="Why no answers can be given: the store can't be read.")
    kafka: str = Field(description="`ok`, or why answers can't say how complete they are.")


def health(
    store: Store, end_offsets: EndOffsetsCache, metrics: Metrics, freshness: Freshness, longest: timedelta
) -> APIRouter:
    """The routes that orchestrators and Prometheus ask; a probe waits for the store `longest` at most."""

    async def check() -> AggregatorReadiness:
        reason, latest = await asyncio.gather(_unavailable_reason(store, longest), end_offsets.latest())
        metrics.process.dependency_up.labels("store").set(reason is None)
        metrics.process.dependency_up.labels("kafka").set(latest is not None)
        kafka = "ok" if latest else str(end_offsets.unavailable_reason)
        return AggregatorReadiness(ready=reason is None, reason=reason, kafka=kafka)

    return health_routes(
        AggregatorReadiness,
        check,
        metrics,
        ready="Can it answer?",
        unready="The store can't be read.",
        look=freshness.look,
    )


async def _unavailable_reason(store: Store, longest: timedelta) -> str | None:
    try:
        async with asyncio.timeout(longest.total_seconds()):
            await store.ping()
    except StoreError as error:
        return f"the store: {error}"
    except TimeoutError:
        return f"the store: no answer within {longest.total_seconds()} s"
    return None
