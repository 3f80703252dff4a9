"""What the reader measures, and the middleware that measures requests."""

from time import perf_counter

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.metrics import ServiceMetrics


class Metrics(ServiceMetrics):
    """The reader's metrics."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = Counter(
            "collector_aggregator_requests",
            "Requests answered, by route and status.",
            ["route", "status"],
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "collector_aggregator_request_seconds",
            "From a request's arrival to the end of its answer.",
            ["route"],
            registry=self.registry,
        )
        self.store_errors = Counter(
            "collector_aggregator_store_errors",
            "Readings that the store failed, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self.looks = Counter(
            "collector_aggregator_log_end_looks",
            "How a request came by the log's ends: taken, shared, failed, or away (a failed look stands a while).",
            ["outcome"],
            registry=self.registry,
        )
        self.incomplete = Counter(
            "collector_aggregator_answers_without_completeness",
            "Answers that could not say how complete they are.",
            registry=self.registry,
        )


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
