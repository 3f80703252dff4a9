"""What a body is, by its headers."""

from email.message import Message
from enum import Enum
from http import HTTPStatus
from typing import Final

from ingest_api.errors import RequestRefused


class ContentType(Enum):
    """A media type that is accepted."""

    JSON = "application/json"
    NDJSON = "application/x-ndjson"


ACCEPT_POST: Final = ", ".join(known.value for known in ContentType)


def content_type_of(content_type: str | None) -> ContentType:
    """The media type in a Content-Type header. Raises RequestRefused (415)."""
    header = Message()
    header["Content-Type"] = content_type or ""
    charset = header.get_param("charset", "utf-8")
    if content_type and str(charset).lower() in ("utf-8", "utf8", "us-ascii"):
        for known in ContentType:
            if header.get_content_type() == known.value:
                return known
    shown = "there is no Content-Type" if content_type is None else f"Content-Type is {content_type[:100]!r}"
    detail = f"{shown}; {' and '.join(known.value for known in ContentType)}, in UTF-8, are accepted"
    raise RequestRefused(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media_type_unsupported", detail, headers={"Accept-Post": ACCEPT_POST}
    )


def is_gzipped(content_encoding: str | None) -> bool:
    """Whether a Content-Encoding header says gzip; False for no encoding. Raises RequestRefused (415) for others."""
    encoding = (content_encoding or "identity").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return True
    if encoding == "identity":
        return False
    detail = f"Content-Encoding is {encoding[:100]!r}; gzip, or none, is accepted"
    raise RequestRefused(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "encoding_unsupported", detail, headers={"Accept-Encoding": "gzip"}
    )
