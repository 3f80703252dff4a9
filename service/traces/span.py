"""Spans: what is noted of each while its work is done. It is encoded later, many in a row.

A span of OpenTelemetry's SDK costs 95 us where its code runs rarely, because by then it has left the CPU's caches.
These have no events and no bounds: whoever makes them knows how many attributes and links they get.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from random import getrandbits
from types import MappingProxyType
from typing import Final

from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

Attribute = str | int
Attributes = Mapping[str, Attribute]

MOST_LINKS: Final = 128
"""OpenTelemetry's own bound on a span's links."""

_ROOT_FLAGS: Final = TraceFlags(TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID)
_NONE: Final[Attributes] = MappingProxyType({})


class SpanTemplate:
    """What all spans of one operation have in common. There are few of them, and each is kept."""

    __slots__ = ("attributes", "kind", "name")

    def __init__(self, name: str, kind: SpanKind = SpanKind.INTERNAL, attributes: Attributes = _NONE) -> None:
        self.name = name
        self.kind = kind
        self.attributes = attributes


class Span:
    """A span that is recorded. Once it has ended, another end changes nothing."""

    __slots__ = ("_take", "attributes", "began", "context", "ended", "error", "links", "parent", "template")

    def __init__(
        self,
        template: SpanTemplate,
        context: SpanContext,
        parent: SpanContext | None,
        began: int,
        take: "Callable[[Span], None]",
    ) -> None:
        self.template = template
        self.context = context
        self.parent = parent
        self.attributes: dict[str, Attribute] = {}
        """Beside those of the template."""
        self.links: Sequence[SpanContext] = ()
        self.error: str | None = None
        """Why its work failed, one of few words; None where it did not."""
        self.began = began
        """Ns since the epoch, as `ended`."""
        self.ended = 0
        self._take = take

    def end(self, error: str | None = None, ended: int | None = None) -> None:
        """Now, unless `ended` says when."""
        if self.ended:
            return
        if error is not None:
            self.error = self.attributes["error.type"] = error
        self.ended = time.time_ns() if ended is None else ended
        self._take(self)


class Tracer:
    """Makes a process's spans: one for each time that it is asked. Whether to ask is decided by Sampling."""

    def __init__(self, take: Callable[[Span], None]) -> None:
        """`take` is given each span once it has ended."""
        self._take = take

    def begin(self, template: SpanTemplate, parent: SpanContext | None = None, began: int | None = None) -> Span:
        """A child of `parent`, or the root span of a trace of its own; it begins now, unless `began` says when."""
        if parent is None:
            context = SpanContext(getrandbits(128) or 1, getrandbits(64) or 1, False, _ROOT_FLAGS)  # noqa: FBT003 - the package's own signature: it is not remote
        else:
            flags = TraceFlags(parent.trace_flags | TraceFlags.SAMPLED)
            context = SpanContext(parent.trace_id, getrandbits(64) or 1, False, flags, parent.trace_state)  # noqa: FBT003 - the same
        return Span(template, context, parent, time.time_ns() if began is None else began, self._take)
