"""The W3C's trace context, as the headers of requests and of Kafka's records carry it."""

import re
from collections.abc import Sequence
from typing import Final

from opentelemetry.trace import SpanContext, TraceFlags, TraceState

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"

_LONGEST: Final = 512
"""Bytes of either header: the W3C's bound for what is carried on; nothing longer is looked at."""
_FORM: Final = re.compile(
    rb"([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]([0-9a-f])(-[!-~]*)?"
)
_FIRST_VERSION: Final = b"00"
_NO_VERSION: Final = b"ff"

Values = Sequence[bytes | None]
"""Of all headers of one name."""


def context_in(traceparents: Values, tracestates: Values = ()) -> SpanContext | None:
    """The caller's span; None where it names none, or two, or nothing that the W3C's rules allow. Never raises."""
    found = _well_formed(traceparents[0]) if len(traceparents) == 1 else None
    if found is None:
        return None
    flags = TraceFlags(_is_sampled(found))
    return SpanContext(int(found[2], 16), int(found[3], 16), True, flags, _state_in(tracestates))  # noqa: FBT003 - the package's own signature: it is remote


def leaves_out(traceparent: bytes | None) -> bool:
    """Whether it names a span that is not recorded; sooner told than by `context_in`."""
    found = _well_formed(traceparent)
    return found is not None and not _is_sampled(found)


def _well_formed(sent: bytes | None) -> re.Match[bytes] | None:
    found = None if sent is None or len(sent) > _LONGEST else _FORM.fullmatch(sent)
    # A later version may say more behind the flags.
    if found is None or found[1] == _NO_VERSION or (found[1] == _FIRST_VERSION and found[5] is not None):
        return None
    return found


def _is_sampled(found: re.Match[bytes]) -> bool:
    return bool(int(found[4], 16) & TraceFlags.SAMPLED)


def _state_in(tracestates: Values) -> TraceState | None:
    """What other vendors said, to be carried on; what breaks the rules is left out."""
    text = b",".join(sent for sent in tracestates if sent)
    return TraceState.from_header([text.decode()]) if text and len(text) <= _LONGEST and text.isascii() else None


def headers_of(context: SpanContext) -> list[tuple[str, bytes]]:
    """What tells a span to whoever goes on with its work."""
    told = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    headers = [(TRACEPARENT, told.encode())]
    if context.trace_state:
        headers.append((TRACESTATE, context.trace_state.to_header().encode()))
    return headers
