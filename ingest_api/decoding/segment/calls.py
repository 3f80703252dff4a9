"""The calls in a body of Segment's or RudderStack's SDKs: one, or a batch of them."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import msgspec

from contract.log.action import Rejection, reject
from ingest_api.errors import RequestRefused

RULES: Final = {"call_malformed": "a call is one JSON object in UTF-8"}

_COMMAS_PER_CALL: Final = 128
"""More commas than this for each call that is allowed could be so many calls; memory is not spent to find out."""
_LENIENT_BYTES: Final = 1024 * 1024
"""Twice what Segment's SDKs put into a body; to read as much leniently takes some milliseconds."""


class Call(msgspec.Struct, rename="camel"):
    """What is read of a call, of whatever type; SDKs send much more."""

    type: Any = None
    event: Any = None
    name: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    message_id: Any = None
    timestamp: Any = None
    original_timestamp: Any = None
    sent_at: Any = None


class Sent(NamedTuple):
    """What an SDK sent at once."""

    calls: Sequence[object]
    """To be read one by one with `read_call`."""
    sent_at: object = None


class _Batch(msgspec.Struct, rename="camel"):
    batch: list[msgspec.Raw]
    sent_at: Any = None


_decode_call = msgspec.json.Decoder(Call).decode
_decode_batch = msgspec.json.Decoder(_Batch).decode


def sent_in(body: bytes, max_calls: int, *, is_batch: bool) -> Sent:
    """The one call that a body is, or those of its array `batch`.

    Raises RequestRefused: 400 for a body that is neither, 413 for more than `max_calls`.
    """
    if body.count(b",") > _COMMAS_PER_CALL * max_calls:
        raise _too_many(max_calls)
    try:
        sent = _decode(body, is_batch=is_batch)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        what = "an object with an array `batch`" if is_batch else "one object"
        why = "it is nested too deep" if isinstance(error, RecursionError) else error
        detail = f"the body is not what SDKs send here, {what} in JSON: {why}"
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "body_malformed", detail) from error
    if len(sent.calls) > max_calls:
        raise _too_many(max_calls)
    return sent


def read_call(call: object) -> Call | Rejection:
    """One of those that were sent."""
    try:
        return _decode_call(call) if isinstance(call, msgspec.Raw) else msgspec.convert(call, Call)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        shown = bytes(call) if isinstance(call, msgspec.Raw) else call
        return reject("call_malformed", None, shown, RULES["call_malformed"])


def _decode(text: bytes, *, is_batch: bool) -> Sent:
    try:
        if is_batch:
            batch = _decode_batch(text)
            return Sent(batch.batch, batch.sent_at)
        return Sent([_decode_call(text)])
    except msgspec.DecodeError:
        sent = _decode_leniently(text, is_batch=is_batch) if len(text) <= _LENIENT_BYTES else None
        if sent is None:
            raise
        return sent


def _decode_leniently(text: bytes, *, is_batch: bool) -> Sent | None:
    """What encoders write beyond the standard: NaN, halves of emoji where a text was cut, a byte-order mark.

    One such value, wherever it stands, would cost all calls of a batch: SDKs drop what is answered 400.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    if not is_batch:
        return Sent([found])
    calls = found.get("batch")
    return Sent(calls, found.get("sentAt")) if isinstance(calls, list) else None


def _too_many(max_calls: int) -> RequestRefused:
    detail = f"the batch has more calls; at most {max_calls} are accepted"
    return RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_calls", detail)
