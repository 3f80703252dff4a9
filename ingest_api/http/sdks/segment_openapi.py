"""What OpenAPI says about Segment's protocol."""

from http import HTTPStatus
from typing import Any, Final

from ingest_api.http.request.content_type import JSON
from service.openapi import documented

_TIME: Final[dict[str, Any]] = {
    "type": ["string", "integer", "null"],
    "description": "ISO 8601, in UTC where it has no offset, or ms since the epoch.",
    "examples": ["2026-11-27T12:00:00.123Z"],
}
_CALL: Final[dict[str, Any]] = {
    "title": "Call",
    "description": "A call of an SDK. Settings say which calls are events; of the others, and of other fields, nothing "
    "is kept.",
    "type": "object",
    "properties": {
        "type": {"description": "Read in a batch.", "examples": ["track"]},
        "event": {"description": "What a track call is called.", "examples": ["Clicked"]},
        "name": {"description": "What a call of another type is called.", "examples": ["Home"]},
        "userId": {"description": "The user, a text or an integer; where it lacks, `anonymousId`.", "examples": ["u1"]},
        "anonymousId": {"examples": ["3b7a"]},
        "messageId": {"description": "Names the call, so that it is counted once.", "examples": ["7f0c"]},
        "timestamp": {
            **_TIME,
            "description": f"When it happened: {_TIME['description']} Else the next two, else the "
            "batch's `sentAt`, else the time of arrival.",
        },
        "originalTimestamp": _TIME,
        "sentAt": _TIME,
    },
}
_CALL_EXAMPLE: Final = {
    "type": "track",
    "event": "Clicked",
    "userId": "u1",
    "messageId": "7f0c",
    "timestamp": "2023-11-14T22:13:20.250Z",
}
_DESCRIPTION: Final = (
    "Segment's protocol. Answers once Kafka has acknowledged all that is accepted. A call that settings make no event, "
    "or that breaks a rule, is counted in a metric and changes no status: SDKs would send the whole batch again, or "
    "drop it. Any Content-Type, gzip or not; keys and Authorization are not looked at."
)
_RESPONSES: Final = {
    **documented(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
        descriptions={
            HTTPStatus.BAD_REQUEST: "The body is not what SDKs send here.",
            HTTPStatus.REQUEST_TIMEOUT: "The body did not come in time.",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "More bytes, more calls, or calls of more hours, than are accepted.",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "A Content-Encoding other than gzip.",
            HTTPStatus.TOO_MANY_REQUESTS: "By a setting, instead of 503.",
            HTTPStatus.INTERNAL_SERVER_ERROR: "An error in this program: each call may or may not be counted.",
            HTTPStatus.SERVICE_UNAVAILABLE: "Kafka has not acknowledged in time, or too much is in flight. SDKs send "
            "again, with the same ids.",
        },
        headers={
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE: {"Accept-Encoding": {"schema": {"type": "string"}}},
            HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
        },
    ),
    int(HTTPStatus.OK): {
        "description": "All that is accepted is in the log, and will be counted.",
        "content": {JSON: {"example": {"success": True}}},
        "headers": {
            "Collector-Rejected": {
                "description": "Why the first of the rejected calls was: code, colon, and a line for people, in ASCII.",
                "schema": {"type": "string"},
            }
        },
    },
}


def _call_docs(schema: dict[str, Any], example: object) -> dict[str, Any]:
    body = {"required": True, "content": {JSON: {"schema": schema, "example": example}}}
    return {
        "description": _DESCRIPTION,
        "responses": _RESPONSES,
        "openapi_extra": {"requestBody": body},
    }


CALL_DOCS: Final = _call_docs({"$ref": "#/components/schemas/Call"}, _CALL_EXAMPLE)

CALLS_DOCS: Final = {
    "summary": "Many calls of an SDK",
    **_call_docs(
        {
            "type": "object",
            "properties": {"batch": {"type": "array", "items": {"$ref": "#/components/schemas/Call"}}, "sentAt": _TIME},
            "required": ["batch"],
        },
        {"batch": [_CALL_EXAMPLE], "sentAt": "2023-11-14T22:13:21.000Z"},
    ),
}

SEGMENT_SCHEMAS: Final = {"Call": _CALL}
"""What the routes refer to by name."""
