import pytest

from ingest_api.errors import RequestRefused
from ingest_api.http.request.content_type import (
    is_cloud_event_format,
    is_gzipped,
    require_accepted,
    require_cloud_event_format,
)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/x-ndjson",
        'application/x-ndjson;charset="utf-8"',
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "text/plain",
        "text/plain;charset=UTF-8",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
    ],
)
def test_what_clients_say_of_json_is_accepted_whatever_its_case_and_parameters(header: str | None) -> None:
    require_accepted(header)


@pytest.mark.parametrize(
    "header",
    [
        "text/csv",
        "application/json; charset=utf-16",
        "text/plain; charset=iso-8859-1",
        "application/jsonlines",
        "application/json, text/plain",
        "multipart/form-data; boundary=x",
        "json",
        ";",
    ],
)
def test_any_other_content_type_is_refused_and_the_accepted_ones_are_named(header: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        require_accepted(header)
    assert (refused.value.status, refused.value.code) == (415, "media_type_unsupported")
    assert "application/json, application/x-ndjson, application/ndjson" in refused.value.headers["Accept-Post"]
    assert f'"{header}"' in str(refused.value)


@pytest.mark.parametrize(
    "header",
    [
        "application/cloudevents+json",
        "Application/CloudEvents-Batch+JSON; charset=utf-8",
        "application/cloudevents+json;x=y",
    ],
)
def test_cloud_events_in_json_are_accepted_where_they_may_come(header: str) -> None:
    assert is_cloud_event_format(header)
    require_cloud_event_format(header)
    with pytest.raises(RequestRefused):
        require_accepted(header)


@pytest.mark.parametrize(
    "header",
    ["application/cloudevents", "application/cloudevents+avro", "application/cloudevents+json; charset=utf-16"],
)
def test_other_formats_of_cloud_events_are_refused_and_those_in_json_are_named(header: str) -> None:
    assert is_cloud_event_format(header)
    with pytest.raises(RequestRefused) as refused:
        require_cloud_event_format(header)
    assert (refused.value.status, refused.value.code) == (415, "media_type_unsupported")
    assert "application/cloudevents-batch+json" in refused.value.headers["Accept-Post"]
    assert f'"{header}"' in str(refused.value)


@pytest.mark.parametrize("header", [None, "", "application/json", "text/plain; x=application/cloudevents"])
def test_other_media_types_are_no_format_of_cloud_events(header: str | None) -> None:
    assert not is_cloud_event_format(header)


@pytest.mark.parametrize(
    ("header", "gzipped"), [(None, False), ("identity", False), ("gzip", True), (" GZIP ", True), ("x-gzip", True)]
)
def test_a_body_is_gzip_or_not_encoded(header: str | None, gzipped: bool) -> None:  # noqa: FBT001 - expected value
    assert is_gzipped(header) is gzipped


@pytest.mark.parametrize("header", ["br", "deflate", "zstd", "gzip, gzip", "gzip, identity"])
def test_any_other_encoding_is_refused_and_gzip_is_named(header: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        is_gzipped(header)
    assert (refused.value.status, refused.value.code) == (415, "encoding_unsupported")
    assert refused.value.headers == {"Accept-Encoding": "gzip"}
