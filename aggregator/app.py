"""The reader's app, wired once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from aggregator.end_offsets.cache import CacheLimits, EndOffsetsCache
from aggregator.end_offsets.port import EndOffsetsReader
from aggregator.freshness import Freshness
from aggregator.hours.cache import HourCache
from aggregator.hours.range_reader import RangeReader
from aggregator.hours.reader import HourReader
from aggregator.hours.span_users import SpanUsers
from aggregator.http.after import AfterReader
from aggregator.http.fast_path import FastPath
from aggregator.http.health import health
from aggregator.http.live import live
from aggregator.http.page import page
from aggregator.http.problems import problem_handlers
from aggregator.http.routes import routes
from aggregator.http.spans.hours import ranges
from aggregator.http.spans.totals import span_totals
from aggregator.http.spans.turns import SpanTurns
from aggregator.ledger.reader import LedgerReader
from aggregator.live.feed import LiveFeed
from aggregator.metrics import MeasuredRequests, Metrics
from aggregator.positions.reading import CountingReader
from aggregator.positions.watch import ProgressWatch
from aggregator.settings import AggregatorSettings
from contract.store import Store
from service.clock import Clock
from service.keys.guard import guard_of
from service.keys.key import Scope
from service.keys.middleware import Guarded
from service.keys.openapi import key_docs
from service.methods import PathMethods
from service.openapi import add_schemas
from service.web.documentation import documentation


def create_app(settings: AggregatorSettings, store: Store, reader: EndOffsetsReader, clock: Clock) -> FastAPI:
    """The app; it owns `store` and `reader`, and closes them when it shuts down. Raises KeysUnreadable."""
    metrics = Metrics()
    limits = CacheLimits(
        max_age=settings.aggregator_ends_max_age,
        timeout=settings.aggregator_kafka_timeout,
        retry=settings.aggregator_kafka_retry,
    )
    end_offsets = EndOffsetsCache(reader, clock, metrics, limits=limits)
    hour_reader = HourReader(store, end_offsets, metrics, settings)
    hours = HourCache(hour_reader, clock, settings)
    metrics.cache_hits.set_function(lambda: hours.hits)
    metrics.cache_misses.set_function(lambda: hours.misses)

    feed = LiveFeed(hours, clock)
    watch = ProgressWatch(store)
    after = AfterReader(CountingReader(watch, end_offsets))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await hours.close()
        await end_offsets.close()
        await store.close()

    app = FastAPI(
        title="User actions collector: aggregator",
        version=version("user-actions-collector"),
        summary="Unique users, clicks and impressions of any UTC hour, and how complete the numbers are.",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    problems = problem_handlers()
    problems.install(app)
    app.state.connection_metrics = metrics.connections
    guard = guard_of(settings, Scope.READ, clock)
    add_schemas(app, amend=key_docs(guard))
    app.include_router(routes(hours, LedgerReader(store, end_offsets, metrics, settings), after))
    spans = RangeReader(hour_reader)
    turns = SpanTurns(settings, metrics)
    app.include_router(ranges(spans, after, turns, clock))
    users = SpanUsers(store, settings.aggregator_span_memory_bytes)
    app.include_router(span_totals(spans, users, after, turns, clock))
    app.include_router(live(feed))
    app.include_router(page())
    app.include_router(documentation(app.title))

    def stop() -> None:
        feed.close()
        watch.close()

    app.state.on_stop = stop
    probe = settings.aggregator_probe_timeout
    freshness = Freshness(hour_reader, metrics, probe + settings.aggregator_kafka_timeout)
    app.include_router(health(store, end_offsets, metrics, freshness, probe))
    app.add_middleware(PathMethods, routes=app.router.routes)
    app.add_middleware(FastPath, hours=hours)
    if guard is not None:
        app.add_middleware(Guarded, guard=guard, answer=problems.answer)
    app.add_middleware(MeasuredRequests, metrics=metrics)
    return app
