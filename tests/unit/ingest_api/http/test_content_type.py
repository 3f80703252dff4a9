import pytest

from ingest_api.errors import RequestRefused
from ingest_api.http.content_type import Media, is_gzipped, media_of


@pytest.mark.parametrize(
    ("header", "media"),
    [
        ("application/json", Media.JSON),
        ("Application/JSON; charset=UTF-8", Media.JSON),
        ("application/x-ndjson", Media.NDJSON),
        ('application/x-ndjson;charset="utf-8"', Media.NDJSON),
    ],
)
def test_a_content_type_names_the_media_whatever_its_case_and_parameters(header: str, media: Media) -> None:
    assert media_of(header) is media


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
        media_of(header)
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
