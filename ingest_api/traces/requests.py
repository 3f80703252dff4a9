"""Which requests are traced, and their spans."""

import random
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, SpanKind, StatusCode, Tracer

from service.keys.presented import Headers
from service.traces.context import TRACEPARENT, TRACESTATE, child_of, context_in, leaves_out
from service.traces.sampling import Sampling

REQUEST_SPAN: Final[ContextVar[Span | None]] = ContextVar("request_span", default=None)
"""The span of the request whose actions are being handed on; none where it is not recorded.

Not OpenTelemetry's own: looking there takes ten times as long, and each request looks.
"""

_TRACEPARENT: Final = TRACEPARENT.encode()
_TRACESTATE: Final = TRACESTATE.encode()
_SERVER_ERROR: Final = 500


class RequestTraces:
    """Begins the spans of requests: the client's own trace goes on in them."""

    def __init__(self, tracer: Tracer, sampling: Sampling, draw: Callable[[], float] = random.random) -> None:
        """`draw` gives numbers from 0 up to, not including, 1."""
        self._tracer = tracer
        self._sampling = sampling
        self._ratio = sampling.ratio
        self._draw = draw

    def begin(self, headers: Headers, method: str, route: str) -> Span | None:
        """The span of a request that is recorded, with its values at the start; None for all others."""
        for name, value in headers:
            if name == _TRACEPARENT:
                if self._sampling.follows_parent and leaves_out(value):
                    return None
                parent = self._parent(headers)
                if parent is not None:
                    return self._child(parent, method, route)
                break
        # All that most requests come to.
        return self._span(method, route, Context()) if self._draw() < self._ratio else None

    def _child(self, parent: SpanContext, method: str, route: str) -> Span | None:
        takes = self._sampling.takes_child(parent.trace_id, parent_is_sampled=parent.trace_flags.sampled)
        return self._span(method, route, child_of(parent)) if takes else None

    def _parent(self, headers: Headers) -> SpanContext | None:
        return context_in(
            [value for name, value in headers if name == _TRACEPARENT],
            [value for name, value in headers if name == _TRACESTATE],
        )

    def _span(self, method: str, route: str, context: Context) -> Span:
        return self._tracer.start_span(
            f"{method} {route}",
            context,
            SpanKind.SERVER,
            # Of the target no more than the path: a query has the user in it.
            {"http.request.method": method, "http.route": route, "url.path": route, "url.scheme": "http"},
        )


def end_answered(span: Span, status: int) -> None:
    """Ends the span of a request that was answered."""
    span.set_attribute("http.response.status_code", status)
    if status >= _SERVER_ERROR:
        end_failed(span, str(status))
    else:
        span.end()


def end_failed(span: Span, kind: str) -> None:
    """Ends a span of what failed; `kind` is one of few."""
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)
    span.end()
