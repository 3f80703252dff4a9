"""Spans' ids, and the trace that they are of."""

import time

import pytest
from opentelemetry.trace import SpanContext, TraceFlags, TraceState

from service.traces.span import Span, SpanTemplate, Tracer

TEMPLATE = SpanTemplate("work")
STATE = TraceState([("vendor", "1")])


@pytest.fixture
def ended() -> list[Span]:
    return []


@pytest.fixture
def tracer(ended: list[Span]) -> Tracer:
    return Tracer(ended.append)


def test_a_first_span_begins_a_trace_of_its_own_that_is_recorded(tracer: Tracer) -> None:
    spans = [tracer.begin(TEMPLATE) for _ in range(100)]
    assert len({span.context.trace_id for span in spans} | {span.context.span_id for span in spans}) == 200
    for span in spans:
        assert span.context.is_valid
        assert not span.context.is_remote
        assert span.context.trace_flags == TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID


@pytest.mark.parametrize(("of_parent", "of_child"), [(0, 1), (1, 1), (2, 3), (3, 3)])
def test_a_child_is_of_its_parents_trace_and_recorded(tracer: Tracer, of_parent: int, of_child: int) -> None:
    parent = SpanContext(0x1234, 0x56, is_remote=True, trace_flags=TraceFlags(of_parent), trace_state=STATE)
    span = tracer.begin(TEMPLATE, parent)
    context = span.context
    assert span.parent is parent
    assert (context.trace_id, context.trace_flags, context.trace_state) == (0x1234, of_child, STATE)
    assert context.span_id != parent.span_id
    assert not context.is_remote


def test_it_lasts_from_when_it_began_until_it_ended(tracer: Tracer, ended: list[Span]) -> None:
    before = time.time_ns()
    span = tracer.begin(TEMPLATE)
    assert not ended
    span.end()
    assert ended == [span]
    assert before <= span.began <= span.ended <= time.time_ns()


def test_one_of_what_is_over_says_when_it_was(tracer: Tracer, ended: list[Span]) -> None:
    tracer.begin(TEMPLATE, began=1).end(ended=3)
    assert [(span.began, span.ended) for span in ended] == [(1, 3)]


def test_it_ends_once(tracer: Tracer, ended: list[Span]) -> None:
    span = tracer.begin(TEMPLATE)
    span.end(ended=1)
    span.end("failed", ended=2)
    assert ended == [span]
    assert (span.ended, span.error, span.attributes) == (1, None, {})
