from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.log.action import Rejection
from ingest_api.decoding.cloud_events.attributes import Attributes
from ingest_api.decoding.cloud_events.http_headers import attributes_in


def subject(written: bytes) -> object:
    attributes = attributes_in([(b"ce-subject", written)])
    assert isinstance(attributes, Attributes), attributes
    return attributes.subject


def test_each_attribute_has_a_header_and_other_headers_are_passed_over() -> None:
    headers = [
        (b"host", b"here"),
        (b"ce-specversion", b"1.0"),
        (b"ce-id", b"1"),
        (b"ce-source", b"/s"),
        (b"ce-type", b"com.example.click"),
        (b"ce-time", b"2026-11-27T12:00:00Z"),
        (b"ce-partitionkey", b"p"),
        (b"ce-extension", b"100%"),
        (b"ce-extension", b"twice"),
        (b"id", b"2"),
        (b"content-type", b"text/plain"),
    ]
    time = "2026-11-27T12:00:00Z"
    expected = Attributes(specversion="1.0", id="1", source="/s", type="com.example.click", time=time, partitionkey="p")
    assert attributes_in(headers) == expected


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (b"Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        (b"Euro%20%e2%82%ac", "Euro €"),
        (b"%75%31", "u1"),
        (b"a b", "a b"),
        (b"a+b", "a+b"),
        (b"100%25", "100%"),
        (b"%2525", "%25"),
        (b'"a b"', "a b"),
        (b'"say \\"hi\\" \\\\ \\a"', 'say "hi" \\ a'),
        (b'"%22"', '"'),
        (b'"\\%32"', "2"),
        (b'""', ""),
        (b"", ""),
        (b'"', '"'),
        (b'a "b" c', 'a "b" c'),
        (b'"a" b', '"a" b'),
        (b'"a\\"', '"a\\"'),
    ],
)
def test_a_value_is_unquoted_and_then_percent_decoded_once(written: bytes, value: str) -> None:
    assert subject(written) == value


@pytest.mark.parametrize(
    "written", [b"100%", b"%2", b"%zz", b"%C0%A0", b"%ff", b"%ED%A0%BD", b"\xfc", "ü".encode(), b'"%"']
)
def test_a_value_that_is_no_percent_encoded_utf_8_is_refused_and_named(written: bytes) -> None:
    rejection = attributes_in([(b"ce-id", b"1"), (b"ce-subject", written)])
    assert isinstance(rejection, Rejection)
    assert (rejection.code, rejection.field) == ("header_malformed", "subject")


def test_an_attribute_that_is_given_twice_is_refused_and_named() -> None:
    rejection = attributes_in([(b"ce-subject", b"a"), (b"ce-id", b"1"), (b"ce-subject", b"a")])
    assert isinstance(rejection, Rejection)
    assert (rejection.code, rejection.field) == ("field_repeated", "subject")


@given(st.text(st.characters(exclude_categories=("Cs",))), st.sampled_from(["", "/:!#$&'()*+,;=?@[]"]))
def test_whatever_is_percent_encoded_comes_back(value: str, safe: str) -> None:
    assert subject(quote(value, safe=safe).encode()) == value
