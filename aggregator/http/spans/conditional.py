"""Answers that readers keep, and ask again whether they still hold."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import Request, Response
from xxhash import xxh3_128_hexdigest

from aggregator.hours.completeness import Completeness
from aggregator.http.after import names_position
from aggregator.http.representations import completeness_headers

_NONE: Final[Mapping[str, str]] = {}


def conditional(
    request: Request,
    body: str,
    media_type: str,
    completeness: Completeness,
    *,
    numbers: object,
    headers: Mapping[str, str] = _NONE,
) -> Response:
    """The body, or 304. `numbers` are what it tells beside how complete it is.

    Of what is final the tag names the numbers only: that they were read again, later, changes none of them. But late
    actions may, so whoever keeps an answer asks again. Who waits for what they wrote keeps nothing.
    """
    told = f"{media_type} {numbers!r}" if completeness.final else f"{media_type} {body}"
    tag = f'W/"{xxh3_128_hexdigest(told.encode())}"'
    all_headers = {
        **completeness_headers(completeness),
        "Cache-Control": "max-age=5, must-revalidate" if completeness.final else "no-cache",
        "ETag": tag,
        "Vary": "Accept",
        **headers,
    }
    known = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known and not names_position(request):
        return Response(None, HTTPStatus.NOT_MODIFIED, all_headers)
    return Response(body, headers=all_headers, media_type=media_type)
