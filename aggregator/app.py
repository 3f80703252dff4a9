"""The reader's app, wired once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from aggregator import problems
from aggregator.answers import HourReader
from aggregator.held_hours import HeldHours
from aggregator.ledger_reader import LedgerReader
from aggregator.log_ends import LogEndsReader
from aggregator.metrics import MeasuredRequests, Metrics
from aggregator.probes import probes
from aggregator.routes import routes
from aggregator.settings import AggregatorSettings
from aggregator.shared_look import Clock, LookLimits, SharedLook
from aggregator.short_way import ShortWay
from contract.store import Store


def create_app(settings: AggregatorSettings, store: Store, log_ends: LogEndsReader, clock: Clock) -> FastAPI:
    """The app; it owns `store` and `log_ends`, and closes them when it shuts down."""
    metrics = Metrics()
    limits = LookLimits(
        max_age=settings.aggregator_ends_max_age,
        timeout=settings.aggregator_kafka_timeout,
        retry=settings.aggregator_kafka_retry,
    )
    look = SharedLook(log_ends, clock, metrics, limits=limits)
    hours = HeldHours(HourReader(store, look, metrics, settings), clock, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await hours.close()
        await look.close()
        await store.close()

    app = FastAPI(
        title="User actions collector: aggregator",
        version=version("user-actions-collector"),
        summary="Unique users, clicks and impressions of any UTC hour, and how complete the numbers are.",
        lifespan=lifespan,
    )
    problems.install(app)
    app.include_router(routes(hours, LedgerReader(store, look, metrics, settings)))
    app.include_router(probes(store, look, metrics, settings.aggregator_probe_timeout))
    app.add_middleware(ShortWay, hours=hours)
    app.add_middleware(MeasuredRequests, metrics=metrics)
    return app
