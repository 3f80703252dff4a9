"""The ingest API's app, wired once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from ingest_api.acceptance import Acceptance
from ingest_api.decoding.cloud_events.mapper import CloudEventMapper
from ingest_api.decoding.cloud_events.type_rules import TypeRules
from ingest_api.decoding.segment.event_rules import EventRules
from ingest_api.http.health import health
from ingest_api.http.intake import Intake
from ingest_api.http.openapi import SCHEMAS
from ingest_api.http.pixel import pixel_routes
from ingest_api.http.problems import problem_handlers
from ingest_api.http.request.body import BodyReader
from ingest_api.http.routes import routes
from ingest_api.http.sdks.cloud_events import CloudEvents, cloud_event_routes
from ingest_api.http.sdks.cloud_events_openapi import CLOUD_EVENT_SCHEMAS
from ingest_api.http.sdks.segment import segment_routes
from ingest_api.http.sdks.segment_openapi import SEGMENT_SCHEMAS
from ingest_api.http.server.fast_path import FastPathApp
from ingest_api.http.server.fast_path_protocol import SUBMIT_SINGLE
from ingest_api.http.single_action import SingleAction
from ingest_api.metrics import Metrics
from ingest_api.publishing.accumulator import OutgoingRecord
from ingest_api.publishing.connection import KafkaConnection
from ingest_api.publishing.kafka import KafkaPublisher
from ingest_api.publishing.metered import MeteredPublisher
from ingest_api.publishing.publisher import Publisher
from ingest_api.publishing.user_hashing import HashingPublisher, key_in
from ingest_api.senders import URL_KEYS, Senders
from ingest_api.settings import IngestSettings
from ingest_api.traces.answering import TracedApp, traced_submit
from ingest_api.traces.wiring import IngestTraces
from service.clock import Clock, wall_clock
from service.keys.guard import guard_of
from service.keys.key import Scope
from service.keys.openapi import key_docs
from service.methods import PathMethods
from service.openapi import add_schemas
from service.traces.opening import open_traces
from service.web.documentation import documentation


def create_app(
    settings: IngestSettings,
    publisher: Publisher,
    metrics: Metrics | None = None,
    clock: Clock = wall_clock,
    traces: IngestTraces | None = None,
) -> FastAPI:
    """The app; it starts `publisher` when it starts, and closes it, and `traces`, when it shuts down."""
    metrics = metrics or Metrics()
    if settings.ingest_user_hash_key_file is not None:
        publisher = HashingPublisher(publisher, key_in(settings.ingest_user_hash_key_file))
    metered = MeteredPublisher(publisher, metrics)
    acceptance = Acceptance(settings.ingest_events, settings.ingest_oldest, settings.ingest_future_tolerance)
    guard = guard_of(settings, Scope.WRITE, clock, URL_KEYS)
    senders = Senders(acceptance, clock, guard)
    problems = problem_handlers(metrics, HTTPStatus(int(settings.segment_unavailable_status)))
    single = SingleAction(senders, metered, metrics, problems)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        await metered.start()
        yield {SUBMIT_SINGLE: traced_submit(single.submit, traces.requests) if traces else single.submit}
        await metered.close()
        if traces:
            await asyncio.to_thread(traces.close)

    new_app = partial(TracedApp, traces.requests) if traces else FastPathApp
    app = new_app(
        title="User actions collector: ingest API",
        version=version("user-actions-collector"),
        summary="Takes users' actions in, and answers once Kafka has acknowledged them.",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    app.state.connection_metrics = metrics.connections
    intake = Intake(
        BodyReader(settings, metrics),
        metered,
        metrics,
        settings.ingest_max_lines,
        settings.ingest_hours_per_batch,
        settings.ingest_rejections_listed,
    )
    mapper = CloudEventMapper(settings.ingest_events, TypeRules(settings.cloudevents_events).event_of)
    cloud_events = CloudEvents(intake, mapper, clock)
    take_actions = (
        routes(single, intake, cloud_events.take),
        pixel_routes(single, clock),
        cloud_event_routes(cloud_events),
        segment_routes(EventRules(settings.segment_events), intake, clock),
    )
    for router in take_actions:
        app.include_router(router)
    app.add_fast_paths(*take_actions, senders=senders, problems=problems, origins=settings.ingest_origins)
    app.include_router(health(metered, metrics))
    app.include_router(documentation(app.title))
    add_schemas(app, {**SCHEMAS, **CLOUD_EVENT_SCHEMAS, **SEGMENT_SCHEMAS}, key_docs(guard))
    app.add_middleware(PathMethods, routes=app.router.routes)
    return app


def create_kafka_app(settings: IngestSettings) -> FastAPI:
    """The app as it is deployed: on Kafka, by the wall clock."""
    metrics, process = Metrics(), open_traces(settings, "ingest-api")
    traces = IngestTraces.of(settings, process) if process else None
    new_record = traces.records.record if traces else OutgoingRecord
    publisher = KafkaPublisher(settings, metrics, KafkaConnection, new_record)
    return create_app(settings, publisher, metrics, traces=traces)
