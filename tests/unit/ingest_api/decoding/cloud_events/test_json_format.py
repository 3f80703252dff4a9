import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.log.action import Rejection
from ingest_api.decoding.cloud_events.attributes import Attributes
from ingest_api.decoding.cloud_events.json_format import MAX_EVENT_BYTES, attributes_in

EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "click", "subject": "u", "partitionkey": "p"}


def read(text: str) -> Attributes:
    attributes = attributes_in(text.encode())
    assert isinstance(attributes, Attributes), attributes
    return attributes


def refused(text: bytes) -> str:
    rejection = attributes_in(text)
    assert isinstance(rejection, Rejection)
    return rejection.code


def test_attributes_are_read_and_all_else_is_passed_over() -> None:
    told = {**EVENT, "time": "2026-11-27T12:00:00Z", "datacontenttype": "x/y", "data": {"id": [{}]}, "extension": None}
    assert read(json.dumps(told)) == Attributes(**EVENT, time="2026-11-27T12:00:00Z")


def test_null_is_as_good_as_absent() -> None:
    assert read('{"subject":null,"time":null}') == read("{}") == Attributes()


@given(
    st.dictionaries(
        st.sampled_from([*EVENT, "time", "data", "x"]),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**60), 2**60)
            | st.text(st.characters(exclude_categories=["Cs"])),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "subject", "x"]), inner),
        ),
    ),
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_values_are_what_they_are_however_they_are_written(
    told: dict[str, Any],
    ascii_only: bool,  # noqa: FBT001 - drawn, not called by people
    indent: int | None,
) -> None:
    known = {name: value for name, value in told.items() if name in Attributes.__struct_fields__}
    assert read(json.dumps(told, ensure_ascii=ascii_only, indent=indent)) == Attributes(**known)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"subject":"a","subject":"b"}', "subject"),
        ('{"subject":"a","data":{"x":1},"\\u0073ubject":"a"}', "subject"),
        ('{"id":null,"id":"1"}', "id"),
    ],
)
def test_an_attribute_that_is_given_twice_is_refused_and_named(text: str, field: str) -> None:
    rejection = attributes_in(text.encode())
    assert isinstance(rejection, Rejection)
    assert (rejection.code, rejection.field) == ("field_repeated", field)


@pytest.mark.parametrize(
    "text",
    ['{"id":"subject","subject":"id"}', '{"id":"1","data":{"id":2,"id":3},"x":1,"x":2}', '{"data":{"id":"\\u00fc"}}'],
)
def test_what_only_looks_like_a_repeated_attribute_is_none(text: str) -> None:
    read(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "not_json"),
        (b"?", "not_json"),
        (b'{"id":"1"', "not_json"),
        (b'{"id":"1"}}', "not_json"),
        (b'{"id":NaN}', "not_json"),
        (b'{"id":"1","data":NaN,"x":"id"}', "not_json"),
        (b'{"id":"\xff"}', "not_json"),
        (b"7", "not_object"),
        (b"[]", "not_object"),
        (b'"id"', "not_object"),
        (b"null", "not_object"),
        (b'{"data":' + b"[" * 60_000, "nested_too_deep"),
        (b'{"id":"1","data":"id",  "x":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "nested_too_deep"),
    ],
)
def test_what_is_no_object_is_refused(text: bytes, code: str) -> None:
    assert refused(text) == code


def test_half_a_surrogate_pair_and_numbers_out_of_range_are_left_to_the_attributes_rules() -> None:
    assert read('{"id":"\\ud83d"}').id == "\ud83d"
    assert read('{"id":1e999}').id == float("inf")
    assert not isinstance(read('{"id":%s,"subject":12}' % ("9" * 5000)).id, str)


def test_an_event_has_64_kib_and_no_more() -> None:
    text = json.dumps(EVENT).encode()
    assert isinstance(attributes_in(text.ljust(MAX_EVENT_BYTES)), Attributes)
    assert refused(text.ljust(MAX_EVENT_BYTES + 1)) == "event_too_large"
