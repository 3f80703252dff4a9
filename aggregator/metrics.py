"""What the reader measures, and the middleware that measures requests."""

from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.metrics.listed import UNKNOWN
from service.metrics.service_metrics import ServiceMetrics

_ROUTE: Final = "its path, with names for what varies; `unknown`: nobody serves it"


class ReadingMetrics(ServiceMetrics):
    """Of all that read hours."""

    def __init__(self) -> None:
        super().__init__("kafka", "store")
        listed = self.listed
        self.store_errors = listed.counter(
            "collector_aggregator_store_errors_total",
            "Readings that the store failed, by reason.",
            reason="`timeout`, `state_unreadable`, or the store's own",
        )
        self.looks = listed.counter(
            "collector_aggregator_log_end_looks_total",
            "How a request came by the log's ends: taken, shared, failed, or away (a failed look stands a while).",
            outcome=("taken", "shared", "failed", "away"),
        )
        self.incomplete = listed.counter(
            "collector_aggregator_answers_without_completeness_total",
            "Answers that could not say how complete they are.",
        )


class Metrics(ReadingMetrics):
    """The reader's metrics."""

    def __init__(self) -> None:
        super().__init__()
        listed = self.listed
        self.requests = listed.counter(
            "collector_aggregator_requests_total",
            "Requests answered, by route and status.",
            route=_ROUTE,
            status="of the answer",
        )
        self.request_seconds = listed.histogram(
            "collector_aggregator_request_seconds",
            "From a request's arrival to the end of its answer.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            route=_ROUTE,
        )
        self.spans_refused = listed.counter(
            "collector_aggregator_spans_refused_total",
            "Spans of hours answered 503: too many are being read, of all clients or of one.",
            limit=("all", "of_one"),
        )
        self.spans_given_up = listed.counter(
            "collector_aggregator_spans_given_up_total", "Spans of hours whose client left before the answer."
        )
        self.cache_hits = listed.counted_elsewhere(
            "collector_aggregator_cache_hits_total", "Answers for the current hour, or the one before, from memory."
        )
        self.cache_misses = listed.counted_elsewhere(
            "collector_aggregator_cache_misses_total", "Answers for these hours that waited for the store."
        )
        self.complete_through = listed.gauge(
            "collector_aggregator_complete_through_timestamp_seconds",
            "Every action acknowledged before this instant is in the numbers; while nobody knows, it stands still; "
            "NaN: not known yet.",
        )
        self.complete_through.set(UNKNOWN)
        self.lag = listed.gauge(
            "collector_aggregator_lag_records", "Records of the log that are not counted yet; NaN: not known now."
        )
        self.lost = listed.gauge(
            "collector_aggregator_lost_records",
            "Records that retention removed before they were counted, of all time; NaN: not known yet.",
        )
        self.lost.set(UNKNOWN)
        self.earlier_logs = listed.gauge(
            "collector_aggregator_earlier_logs",
            "Logs that were counted before the present one: the topic was deleted and created again, or Kafka lost its "
            "data; NaN: not known yet.",
        )
        self.earlier_logs.set(UNKNOWN)


class MeasuredRequests:
    """ASGI middleware: counts and times each HTTP request by the route that answered it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            # Paths that nobody serves share one name, so that they can't fill the memory.
            route = getattr(scope.get("route"), "path", "unknown")
            self._metrics.requests.labels(route, status).inc()
            self._metrics.request_seconds.labels(route).observe(perf_counter() - started)
