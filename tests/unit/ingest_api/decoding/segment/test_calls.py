import json
from typing import Any

import pytest

from contract.log.action import Rejection
from ingest_api.decoding.segment.calls import Call, read_call, sent_in
from ingest_api.errors import RequestRefused


def calls(body: bytes, max_calls: int = 100, *, is_batch: bool = True) -> list[Call | Rejection]:
    return [read_call(call) for call in sent_in(body, max_calls, is_batch=is_batch).calls]


def users(body: bytes, *, is_batch: bool = True) -> list[Any]:
    return [call.user_id if isinstance(call, Call) else call.code for call in calls(body, is_batch=is_batch)]


def test_a_batch_has_its_calls_in_order_and_when_they_were_sent() -> None:
    body = b'{"batch":[{"userId":"a"},{"userId":"b"}],"sentAt":"2026-11-27T12:00:00Z","writeKey":"k","context":{}}'
    assert users(body) == ["a", "b"]
    assert sent_in(body, 100, is_batch=True).sent_at == "2026-11-27T12:00:00Z"


def test_a_body_that_is_one_call_is_that_call() -> None:
    body = b'\xef\xbb\xbf {"userId":"a","properties":{"batch":[1]},"unheard":true}'
    assert users(body, is_batch=False) == ["a"]


def test_every_field_that_is_read_has_the_name_that_sdks_give_it() -> None:
    names = ["type", "event", "name", "userId", "anonymousId", "messageId", "timestamp", "originalTimestamp", "sentAt"]
    (call,) = calls(json.dumps({name: name for name in names}).encode(), is_batch=False)
    assert isinstance(call, Call)
    assert [getattr(call, field) for field in Call.__struct_fields__] == names


@pytest.mark.parametrize("bad", [b"7", b'"a"', b"null", b"[]", b'{"userId":"\xff"}', b'{"userId":1e999}'])
def test_a_call_that_cannot_be_read_leaves_the_others_as_they_are(bad: bytes) -> None:
    assert users(b'{"batch":[{"userId":"a"},' + bad + b',{"userId":"b"}]}') == ["a", "call_malformed", "b"]


def test_a_text_that_is_no_unicode_where_a_call_should_be_leaves_the_others_as_they_are() -> None:
    assert users(b'{"batch":[{"userId":"a"},"\\ud83d",{"userId":"b"}],"x":NaN}') == ["a", "call_malformed", "b"]


def test_a_body_that_is_nested_too_deep_is_refused_in_words_of_ours() -> None:
    with pytest.raises(RequestRefused, match=r"in JSON: it is nested too deep$"):
        calls(b'{"batch":[' + b"[" * 5_000 + b"]" * 5_000 + b"]}")


@pytest.mark.parametrize(
    "odd", [b'"\\ud83d"', b'"cut \\ud83d"', b"NaN", b"-Infinity", b'{"deep":[NaN]}'], ids=lambda odd: odd.decode()
)
@pytest.mark.parametrize("is_batch", [True, False])
def test_what_encoders_write_beyond_the_standard_costs_no_call(odd: bytes, *, is_batch: bool) -> None:
    call = b'{"userId":"a","properties":{"title":' + odd + b"}}"
    body = b'{"batch":[' + call + b',7],"sentAt":1}' if is_batch else call
    assert users(body, is_batch=is_batch) == (["a", "call_malformed"] if is_batch else ["a"])
    assert sent_in(body, 100, is_batch=is_batch).sent_at == (1 if is_batch else None)


@pytest.mark.parametrize(
    ("body", "is_batch"),
    [
        (b"", True),
        (b"  ", False),
        (b"?", True),
        (b"{", False),
        (b"[]", True),
        (b"[]", False),
        (b"7", False),
        (b"null", True),
        (b"{}", True),
        (b'{"batch":null}', True),
        (b'{"batch":{}}', True),
        (b'{"batch":NaN}', True),
        (b'{"userId":"a"}', True),
        (b'{"batch":[{]}', True),
        (b'{"batch":[' + b"[" * 100_000, True),
        (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", False),
        (b'{"userId":' + b"1" * 5000 + b"}", False),
    ],
)
def test_a_body_of_another_shape_is_refused_and_told_what_is_sent_there(body: bytes, *, is_batch: bool) -> None:
    with pytest.raises(RequestRefused) as refused:
        calls(body, is_batch=is_batch)
    assert (refused.value.status, refused.value.code) == (400, "body_malformed")
    assert ("`batch`" in str(refused.value)) is is_batch


def test_a_batch_has_so_many_calls_at_most() -> None:
    assert len(calls(b'{"batch":[{},{},{}]}', max_calls=3)) == 3
    with pytest.raises(RequestRefused) as refused:
        calls(b'{"batch":[{},{},{},{}]}', max_calls=3)
    assert (refused.value.status, refused.value.code) == (413, "too_many_calls")


def test_what_may_be_far_more_calls_is_refused_before_it_is_read() -> None:
    with pytest.raises(RequestRefused) as refused:
        calls(b'{"batch":[' + b"?," * 1000, max_calls=3)
    assert refused.value.code == "too_many_calls"
