"""What OpenAPI says about CloudEvents."""

from http import HTTPStatus
from typing import Any, Final

from contract.log.action import MAX_USER
from ingest_api.http.position import POSITION_IN_OPENAPI
from ingest_api.http.request.content_type import CLOUD_EVENT, CLOUD_EVENTS, JSON
from service.openapi import documented

_TEXT: Final = {"type": "string", "minLength": 1}
_USER: Final = {"type": ["string", "null"], "minLength": 1, "maxLength": MAX_USER}

_SCHEMA: Final[dict[str, Any]] = {
    "title": "CloudEvent",
    "description": "A CloudEvent 1.0. Its data and other attributes are ignored. Either `subject` or `partitionkey` is "
    "there.",
    "type": "object",
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {**_TEXT, "description": "With `source`, makes the event count once in its hour, however often sent."},
        "source": _TEXT,
        "type": {
            **_TEXT,
            "description": "Which event it is: what a setting says of it, else its last dotted part.",
            "examples": ["com.example.click"],
        },
        "subject": {**_USER, "description": "The user."},
        "partitionkey": {**_USER, "description": "The user, where there is no `subject`."},
        "time": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "When it happened. Without it, when it arrives: sent again an hour later, it counts twice.",
        },
    },
    "required": ["specversion", "id", "source", "type"],
    "additionalProperties": True,
}
CLOUD_EVENT_SCHEMAS: Final = {"CloudEvent": _SCHEMA}
"""What the route refers to by name."""

_REF: Final = {"$ref": "#/components/schemas/CloudEvent"}
_EXAMPLE: Final = {
    "specversion": "1.0",
    "id": "7f0c",
    "source": "https://shop.example/web",
    "type": "com.example.click",
    "subject": "u1",
    "time": "2023-11-14T22:13:20.250Z",
}
_NOTHING_ACCEPTED: Final = {
    "accepted": 0,
    "rejected": [
        {"index": 0, "code": "specversion_missing", "field": "specversion", "message": "specversion is required"}
    ],
    "rejected_by_code": {"specversion_missing": 1},
}

_DESCRIPTIONS: Final = {
    HTTPStatus.BAD_REQUEST: "The one event, or the body as a whole, breaks a rule: `code` names it, `field` the "
    "attribute.",
    HTTPStatus.REQUEST_TIMEOUT: "The body did not come in time.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "More bytes, as sent or decompressed, more events, or events of more "
    "hours than are accepted.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: f"Neither {CLOUD_EVENT} nor {CLOUD_EVENTS} nor `ce-` headers, or a "
    "Content-Encoding other than gzip.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "An error in this program: each event may or may not be counted.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Kafka has not acknowledged in time, or too much is in flight: `outcome` says "
    "whether the events may still be counted. Send them again, unchanged.",
}
_HEADERS: Final = {
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: {
        "Accept-Post": {"description": "With `media_type_unsupported`.", "schema": {"type": "string"}},
        "Accept-Encoding": {"description": "With `encoding_unsupported`.", "schema": {"type": "string"}},
    },
}

EVENTS_DOCS: Final[dict[str, Any]] = {
    "summary": "CloudEvents",
    "description": "CloudEvents 1.0 in each content mode of their HTTP Protocol Binding; answers once Kafka has "
    "acknowledged. In binary mode the attributes are headers (`ce-id`, `ce-source`, ...), and the body, the data, is "
    "ignored. A batch is answered as `POST /v1/actions` answers one, and takes the same parameters. `POST /v1/actions` "
    "takes the structured and batched modes, too.",
    "status_code": HTTPStatus.NO_CONTENT,
    "responses": {
        **documented(*_DESCRIPTIONS, descriptions=_DESCRIPTIONS, headers=_HEADERS),
        int(HTTPStatus.NO_CONTENT): {
            "description": "The event is in the log, and will be counted.",
            "headers": POSITION_IN_OPENAPI,
        },
        int(HTTPStatus.OK): {
            "description": "All accepted events of the batch are in the log, and will be counted.",
            "content": {
                JSON: {
                    "schema": {"$ref": "#/components/schemas/BatchAnswer"},
                    "example": {"accepted": 1, "rejected": []},
                }
            },
            "headers": POSITION_IN_OPENAPI,
        },
        int(HTTPStatus.UNPROCESSABLE_ENTITY): {
            "description": "Of a batch nothing was accepted, or with `strict` something was rejected: nothing of it is "
            "published.",
            "content": {JSON: {"schema": {"$ref": "#/components/schemas/BatchAnswer"}, "example": _NOTHING_ACCEPTED}},
        },
    },
    "openapi_extra": {
        "parameters": [
            {
                "name": "strict",
                "in": "query",
                "required": False,
                "description": "Whether anything that is rejected refuses the whole batch.",
                "schema": {"type": "boolean", "default": False},
            },
            *(
                {
                    "name": f"ce-{name}",
                    "in": "header",
                    "required": False,
                    "description": "In binary mode, percent-encoded UTF-8; see the schema CloudEvent.",
                    "schema": {"type": "string"},
                }
                for name in _SCHEMA["properties"]
            ),
        ],
        "requestBody": {
            "required": False,
            "content": {
                CLOUD_EVENT: {"schema": _REF, "example": _EXAMPLE},
                CLOUD_EVENTS: {"schema": {"type": "array", "items": _REF}, "example": [_EXAMPLE]},
                "*/*": {"schema": {"description": "In binary mode: the data, ignored."}},
            },
        },
    },
}
