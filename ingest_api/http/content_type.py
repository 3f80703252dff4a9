"""What a body may be, by its headers. What it is, its first bytes tell: shippers declare many types for the same."""

from email.message import Message
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from ingest_api.errors import RequestRefused

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
ACCEPTED: Final = (
    JSON,
    NDJSON,
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "text/plain",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
)
"""The last three are what browsers' beacons, and shippers that were not told otherwise, say of JSON."""

ACCEPT_POST: Final = ", ".join(ACCEPTED)


def require_accepted(content_type: str | None) -> None:
    """Raises RequestRefused (415) where a Content-Type header names another media type, or another charset."""
    if content_type and not _is_accepted(content_type):
        detail = f'Content-Type is "{content_type[:100]}"; accepted, in UTF-8, are {ACCEPT_POST}, or none'
        raise RequestRefused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media_type_unsupported", detail, headers={"Accept-Post": ACCEPT_POST}
        )


@lru_cache(maxsize=64)
def _is_accepted(content_type: str) -> bool:
    header = Message()
    header["Content-Type"] = content_type
    charset = str(header.get_param("charset", "utf-8")).lower()
    # Of a type that cannot be read, the package says text/plain.
    named = header.get_content_type() if content_type.partition(";")[0].strip().count("/") == 1 else ""
    return named in ACCEPTED and charset in ("utf-8", "utf8", "us-ascii")


def is_gzipped(content_encoding: str | None) -> bool:
    """Whether a Content-Encoding header says gzip; False for no encoding. Raises RequestRefused (415) for others."""
    encoding = (content_encoding or "identity").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return True
    if encoding == "identity":
        return False
    detail = f'Content-Encoding is "{encoding[:100]}"; gzip, or none, is accepted'
    raise RequestRefused(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "encoding_unsupported", detail, headers={"Accept-Encoding": "gzip"}
    )
