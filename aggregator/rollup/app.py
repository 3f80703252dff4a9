"""The keeper's app, wired once: its rounds, and the pages that orchestrators and Prometheus ask for."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from aggregator.end_offsets.cache import CacheLimits, EndOffsetsCache
from aggregator.end_offsets.port import EndOffsetsReader
from aggregator.hours.reader import HourReader
from aggregator.http.problems import problem_handlers
from aggregator.rollup.keeper import Keeper, Pace
from aggregator.rollup.metrics import RollupMetrics
from aggregator.rollup.rounds import Rounds
from aggregator.rollup.settings import RollupSettings
from contract.store import Store
from service.clock import Clock
from service.health import Readiness, health_routes
from service.keys.guard import guard_of
from service.keys.key import Scope
from service.keys.middleware import Guarded
from stores.influx.rollup import InfluxRollup


def create_app(
    settings: RollupSettings, store: Store, rollup: InfluxRollup, reader: EndOffsetsReader, clock: Clock
) -> FastAPI:
    """The app; it owns `store`, `rollup` and `reader`, and closes them when it shuts down. Raises KeysUnreadable."""
    metrics = RollupMetrics()
    limits = CacheLimits(
        max_age=settings.aggregator_ends_max_age,
        timeout=settings.aggregator_kafka_timeout,
        retry=settings.aggregator_kafka_retry,
    )
    end_offsets = EndOffsetsCache(reader, clock, metrics, limits=limits)
    pace = Pace(
        settings.rollup_recent, settings.rollup_interval, settings.aggregator_final_margin, settings.ingest_events
    )
    keeper = Keeper(rollup, HourReader(store, end_offsets, metrics, settings), clock, pace)
    rounds = Rounds(keeper, clock, metrics, settings.rollup_interval)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(rounds.run())
        yield
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await end_offsets.close()
        await rollup.close()
        await store.close()

    app = FastAPI(
        title="User actions collector: keeper of `hours`", lifespan=lifespan, redirect_slashes=False, openapi_url=None
    )

    app.state.connection_metrics = metrics.connections

    async def check() -> Readiness:
        metrics.process.dependency_up.labels("store").set(rounds.failure is None)
        metrics.process.dependency_up.labels("kafka").set(end_offsets.unavailable_reason is None)
        return Readiness(ready=rounds.failure is None, reason=rounds.failure)

    app.include_router(
        health_routes(Readiness, check, metrics, ready="Are the hours right?", unready="They can't be compared.")
    )
    if (guard := guard_of(settings, Scope.ADMIN, clock)) is not None:
        app.add_middleware(Guarded, guard=guard, answer=problem_handlers().answer)
    return app
