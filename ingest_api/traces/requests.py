"""Which requests are traced, and their spans."""

import random
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import Final

from opentelemetry.trace import SpanContext, SpanKind

from service.keys.presented import Headers
from service.traces.context import TRACEPARENT, TRACESTATE, context_in, leaves_out
from service.traces.sampling import Sampling
from service.traces.span import Span, SpanTemplate, Tracer

REQUEST_SPAN: Final[ContextVar[Span | None]] = ContextVar("request_span", default=None)
"""The span of the request whose actions are being handed on; none where it is not recorded.

Not OpenTelemetry's own: looking there takes ten times as long, and each request looks.
"""

CALLER: Final = TRACEPARENT.encode()
"""The header that names a caller's span."""
_TRACESTATE: Final = TRACESTATE.encode()
_SERVER_ERROR: Final = 500


class RequestTraces:
    """Begins the spans of requests: the client's own trace goes on in them."""

    def __init__(self, tracer: Tracer, sampling: Sampling, draw: Callable[[], float] = random.random) -> None:
        """`draw` gives numbers from 0 up to, not including, 1."""
        self._tracer = tracer
        self._sampling = sampling
        self.ratio = sampling.ratio
        """Of requests without a caller's trace, those are recorded for which a number below it is drawn."""
        self.draw = draw

    def begin(self, headers: Headers, method: str, route: str) -> Span | None:
        """The span of a request that is recorded; None for all others."""
        for name, value in headers:
            if name == CALLER:
                if self._sampling.follows_parent and leaves_out(value):
                    return None
                parent = self._parent(headers)
                if parent is not None:
                    return self._child(parent, method, route)
                break
        return self.begin_root(method, route) if self.draw() < self.ratio else None

    def begin_root(self, method: str, route: str) -> Span:
        """The root span of a request that is recorded, and has no caller's trace."""
        return self._tracer.begin(_template(method, route))

    def _child(self, parent: SpanContext, method: str, route: str) -> Span | None:
        takes = self._sampling.takes_child(parent.trace_id, parent_is_sampled=parent.trace_flags.sampled)
        return self._tracer.begin(_template(method, route), parent) if takes else None

    def _parent(self, headers: Headers) -> SpanContext | None:
        return context_in(
            [value for name, value in headers if name == CALLER],
            [value for name, value in headers if name == _TRACESTATE],
        )


@cache
def _template(method: str, route: str) -> SpanTemplate:
    # Of the target no more than the path: a query has the user in it.
    told = {"http.request.method": method, "http.route": route, "url.path": route, "url.scheme": "http"}
    return SpanTemplate(f"{method} {route}", SpanKind.SERVER, told)


def end_answered(span: Span, status: int) -> None:
    """Ends the span of a request that was answered."""
    span.attributes["http.response.status_code"] = status
    span.end(str(status) if status >= _SERVER_ERROR else None)
