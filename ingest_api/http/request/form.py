"""A single action's parameters: in the query, in a body as HTML forms send it, or in both."""

from typing import Final, NamedTuple

from fastapi import Request

from ingest_api.http.request.body import BodyReader

FORM: Final = "application/x-www-form-urlencoded"
MAX_FORM_BYTES: Final = 64 * 1024
"""As many as a query may have."""

_HINT: Final = f"parameters go into the query, or into a body of {FORM}; actions as JSON go to POST /v1/actions"
_BEGINS_JSON: Final = (b"{", b"[")


class Parameters(NamedTuple):
    """What was sent, as one query."""

    query: bytes
    hint: str | None = None
    """What to tell where it is no action."""


async def parameters_of(request: Request, bodies: BodyReader) -> Parameters:
    """A form's parameters stand after the query's; any other body is ignored.

    Raises RequestRefused, or NotPublished where bodies take all the memory they may.
    """
    query: bytes = request.scope["query_string"]
    headers = request.headers
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == FORM:
        async with bodies.read(request, MAX_FORM_BYTES) as form:
            return Parameters(query + b"&" + form, _HINT if form.lstrip().startswith(_BEGINS_JSON) else None)
    has_body = headers.get("content-length", "0") != "0" or (content_type and "transfer-encoding" in headers)
    return Parameters(query, _HINT if has_body and not query else None)
