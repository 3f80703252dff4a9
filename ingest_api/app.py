"""The door's app, wired once."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from ingest_api.acceptance import AcceptancePolicy, Clock
from ingest_api.http import openapi
from ingest_api.http.fast_path import FastPathApp
from ingest_api.http.fast_path_protocol import SUBMIT_SINGLE
from ingest_api.http.health import probes
from ingest_api.http.problems import ProblemHandlers
from ingest_api.http.routes import BatchReader, routes
from ingest_api.http.single_action import SingleAction
from ingest_api.metrics import Metrics
from ingest_api.publishing.kafka import KafkaPublisher
from ingest_api.publishing.metered import MeteredPublisher
from ingest_api.publishing.publisher import Publisher
from ingest_api.settings import IngestSettings


def wall_clock() -> int:
    """Ms since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def create_app(
    settings: IngestSettings, publisher: Publisher, metrics: Metrics | None = None, clock: Clock = wall_clock
) -> FastAPI:
    """The app; it starts `publisher` when it starts, and closes it when it shuts down."""
    metrics = metrics or Metrics()
    measured = MeteredPublisher(publisher, metrics)
    policy = AcceptancePolicy(settings.ingest_events, settings.ingest_oldest, settings.ingest_future_tolerance, clock)
    problems = ProblemHandlers(metrics)
    single = SingleAction(policy, measured, metrics, problems)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        await measured.start()
        yield {SUBMIT_SINGLE: single.submit}
        await measured.close()

    app = FastPathApp(
        title="User actions collector: ingest API",
        version=version("user-actions-collector"),
        summary="Takes users' actions in, and answers once Kafka has acknowledged them.",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    problems.install(app)
    takes_actions = routes(single, BatchReader(settings, policy, metrics), measured)
    app.include_router(takes_actions)
    app.shorten(takes_actions, problems)
    app.include_router(probes(measured, metrics))
    openapi.install(app)
    return app


def create_kafka_app(settings: IngestSettings) -> FastAPI:
    """The app as it is deployed: on Kafka, by the wall clock."""
    metrics = Metrics()
    return create_app(settings, KafkaPublisher(settings, metrics), metrics)
