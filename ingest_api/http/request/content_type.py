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

CLOUD_EVENT: Final = "application/cloudevents+json"
CLOUD_EVENTS: Final = "application/cloudevents-batch+json"
CLOUD_EVENT_FORMATS: Final = (CLOUD_EVENT, CLOUD_EVENTS)

ACCEPT_POST: Final = ", ".join((*ACCEPTED, *CLOUD_EVENT_FORMATS))
_CLOUD_EVENT_BEGINS: Final = "application/cloudevents"


def is_cloud_event_format(content_type: str | None) -> bool:
    """Whether a Content-Type header says that the body is a CloudEvent, or many, in any format."""
    return content_type is not None and content_type[: len(_CLOUD_EVENT_BEGINS)].lower() == _CLOUD_EVENT_BEGINS


def require_accepted(content_type: str | None) -> None:
    """Raises RequestRefused (415) where a Content-Type header names another media type, or another charset."""
    if content_type and not _is_one_of(ACCEPTED, content_type):
        raise unsupported(f'Content-Type is "{content_type[:100]}"; accepted, in UTF-8, are {ACCEPT_POST}, or none')


def require_cloud_event_format(content_type: str) -> None:
    """Raises RequestRefused (415) where a Content-Type header names another format of CloudEvents, or charset."""
    if not _is_one_of(CLOUD_EVENT_FORMATS, content_type):
        accepted = " and ".join(CLOUD_EVENT_FORMATS)
        raise unsupported(f'Content-Type is "{content_type[:100]}"; of CloudEvents {accepted} are accepted, in UTF-8')


def unsupported(detail: str) -> RequestRefused:
    """The refusal (415) that says which media types are accepted."""
    return RequestRefused(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media_type_unsupported", detail, headers={"Accept-Post": ACCEPT_POST}
    )


@lru_cache(maxsize=64)
def _is_one_of(accepted: tuple[str, ...], content_type: str) -> bool:
    header = Message()
    header["Content-Type"] = content_type
    charset = str(header.get_param("charset", "utf-8")).lower()
    # Of a type that cannot be read, the package says text/plain.
    named = header.get_content_type() if content_type.partition(";")[0].strip().count("/") == 1 else ""
    return named in accepted and charset in ("utf-8", "utf8", "us-ascii")


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
