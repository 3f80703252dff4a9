import pytest

from ingest_api.errors import RequestRefused
from ingest_api.http.content_type import ContentType, content_type_of, is_gzipped


@pytest.mark.parametrize(
    ("header", "content_type"),
    [
        ("application/json", ContentType.JSON),
        ("Application/JSON; charset=UTF-8", ContentType.JSON),
        ("application/x-ndjson", ContentType.NDJSON),
        ('application/x-ndjson;charset="utf-8"', ContentType.NDJSON),
    ],
)
def test_a_content_type_names_the_media_whatever_its_case_and_parameters(
    header: str, content_type: ContentType
) -> None:
    assert content_type_of(header) is content_type


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "text/plain",
        "application/json; charset=utf-16",
        "application/jsonlines",
        "application/json, text/plain",
        "json",
        ";",
    ],
)
def test_any_other_content_type_is_refused_and_the_accepted_ones_are_named(header: str | None) -> None:
    with pytest.raises(RequestRefused) as refused:
        content_type_of(header)
    assert (refused.value.status, refused.value.code) == (415, "media_type_unsupported")
    assert refused.value.headers == {"Accept-Post": "application/json, application/x-ndjson"}


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
