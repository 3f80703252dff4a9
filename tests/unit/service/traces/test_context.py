import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.traces.context import context_in, headers_of, leaves_out
from support.fixtures.traces import CALLER, TRACE, traceparent

LARGE = 10 * 1024 * 1024


@pytest.mark.parametrize("sampled", [True, False])
def test_a_caller_names_its_trace_its_span_and_whether_they_are_recorded(*, sampled: bool) -> None:
    context = context_in([traceparent(sampled=sampled)], [b"vendor=1,other=2"])

    assert context is not None
    assert (context.trace_id, context.span_id, context.is_remote) == (TRACE, CALLER, True)
    assert context.trace_flags.sampled == sampled
    assert leaves_out(traceparent(sampled=sampled)) != sampled
    assert dict(context.trace_state) == {"vendor": "1", "other": "2"}


@pytest.mark.parametrize(
    "sent",
    [
        None,
        b"",
        b"00",
        traceparent().upper(),
        traceparent() + b"\n",
        traceparent() + b"-more",
        b"ff" + traceparent()[2:],
        traceparent(trace=0),
        traceparent(span=0),
        traceparent()[:-1] + b"\xff",
        b"\xff" * 55,
        b" " + traceparent(),
        b"0" * LARGE,
        b"01" + traceparent()[2:] + b"-" + b"x" * LARGE,
    ],
    ids=lambda sent: repr(sent)[:40],
)
def test_what_is_no_traceparent_names_nothing(sent: bytes | None) -> None:
    assert context_in([sent]) is None
    assert not leaves_out(sent)


def test_none_and_two_name_nothing() -> None:
    assert context_in([]) is None
    assert context_in([traceparent(), traceparent()]) is None


def test_a_later_version_may_say_more() -> None:
    context = context_in([b"cc" + traceparent()[2:-2] + b"09-what-is-to-come"])

    assert context is not None
    assert (context.trace_id, context.trace_flags) == (TRACE, 1)


@pytest.mark.parametrize("state", [None, b"", b"\xff=1", b"no list", b"a=" + b"x" * LARGE], ids=lambda s: repr(s)[:20])
def test_a_tracestate_that_breaks_the_rules_is_left_out(state: bytes | None) -> None:
    context = context_in([traceparent()], [state])

    assert context is not None
    assert headers_of(context) == [("traceparent", traceparent())]


def test_what_is_told_is_read_as_it_was() -> None:
    sent = [traceparent()], [b"vendor=1", b"other=2"]
    context = context_in(*sent)

    assert context is not None
    assert headers_of(context) == [("traceparent", traceparent()), ("tracestate", b"vendor=1,other=2")]


@given(st.lists(st.binary(max_size=600), max_size=3), st.lists(st.binary(max_size=600), max_size=3))
def test_no_bytes_raise(parents: list[bytes], states: list[bytes]) -> None:
    assert context_in(parents, states) is None
    assert context_in([traceparent()], states) is not None
