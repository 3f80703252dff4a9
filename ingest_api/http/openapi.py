"""What OpenAPI says about the API beyond what the framework can see: parameters, bodies, problems."""

from http import HTTPStatus
from typing import Any, Final

from contract.hour import END_OF_TIME_MS
from contract.log.action import MAX_ID, MAX_USER
from ingest_api.http.position import POSITION_IN_OPENAPI
from ingest_api.http.request.content_type import ACCEPT_POST, JSON, NDJSON
from ingest_api.http.request.form import FORM, MAX_FORM_BYTES
from service.openapi import documented

_NO_CONTROL: Final = r"^[^\u0000-\u001f\u007f-\u009f]*$"

_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "timestamp": {
        "type": "integer",
        "format": "int64",
        "minimum": 0,
        "exclusiveMaximum": END_OF_TIME_MS,
        "description": "When it happened: ms since the epoch, UTC. Settings narrow the range: by default from 1990 "
        "up to an hour ahead of the server's clock.",
        "examples": [1700000000000],
    },
    "user": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_USER,
        "pattern": _NO_CONTROL,
        "description": "Who did it: any characters but control characters.",
        "examples": ["u1"],
    },
    "event": {
        "type": "string",
        "pattern": "^[a-z][a-z0-9_]{0,31}$",
        "description": "What was done. Settings say which events are accepted: by default click and impression.",
        "examples": ["click"],
    },
    "id": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_ID,
        "pattern": _NO_CONTROL,
        "description": "Names the action among its user's, so that it is counted once in its hour however often it is "
        "sent.",
        "examples": ["7f0c"],
    },
}
_REQUIRED: Final = ("timestamp", "user", "event")

_ACTION: Final[dict[str, Any]] = {
    "title": "Action",
    "description": "A user clicked, or was shown something.",
    "type": "object",
    "properties": {**_FIELDS, "id": {**_FIELDS["id"], "type": ["string", "null"]}},
    "required": list(_REQUIRED),
    "additionalProperties": False,
}
_EXAMPLE: Final = [
    {"timestamp": 1700000000000, "user": "u1", "event": "impression"},
    {"timestamp": 1700000000250, "user": "u1", "event": "click", "id": "7f0c"},
]
_EXAMPLE_LINES: Final = (
    '{"timestamp":1700000000000,"user":"u1","event":"impression"}\n'
    '{"timestamp":1700000000250,"user":"u1","event":"click","id":"7f0c"}\n'
)
_NOTHING_ACCEPTED: Final = {
    "accepted": 0,
    "rejected": [
        {"index": 0, "code": "user_missing", "field": "user", "message": "user is required"},
    ],
    "rejected_by_code": {"user_missing": 1},
}
_ACTION_REF: Final = {"$ref": "#/components/schemas/Action"}

_DESCRIPTIONS: Final = {
    HTTPStatus.BAD_REQUEST: "A value, or the body as a whole, breaks a rule: `code` names it.",
    HTTPStatus.REQUEST_TIMEOUT: "The body did not come in time.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "More bytes, as sent or decompressed, more lines, or actions of more hours "
    "than are accepted; what is `too_many_hours` is accepted in smaller batches.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: f"None of {ACCEPT_POST}, or a Content-Encoding other than gzip.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "An error in this program: each action may or may not be counted.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Kafka has not acknowledged in time, or too much is in flight: `outcome` says "
    "whether the actions may still be counted. Send them again, with the same ids.",
}
_HEADERS: Final = {
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: {
        "Accept-Post": {"description": "With `media_type_unsupported`.", "schema": {"type": "string"}},
        "Accept-Encoding": {"description": "With `encoding_unsupported`.", "schema": {"type": "string"}},
    },
}


def _problems(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    return documented(*statuses, descriptions=_DESCRIPTIONS, headers=_HEADERS)


def _parameters(*required: str) -> list[dict[str, Any]]:
    """An action's fields in a query."""
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": field["description"],
            "schema": {key: field[key] for key in field if key not in ("description", "examples")},
            "example": field["examples"][0],
        }
        for name, field in _FIELDS.items()
    ]


ACTION_DOCS: Final[dict[str, Any]] = {
    "summary": "One action, in the query or in a form",
    "description": "Answers once Kafka has acknowledged it. The query is percent-encoded UTF-8, `+` is a space; each "
    "parameter is given once, and no others but `_` and `key`, which are no part of the action. Parameters may as well "
    "stand in a form's body, or some of them; any other body is ignored.",
    "response_description": "The action is in the log, and will be counted.",
    "responses": {
        **_problems(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.REQUEST_TIMEOUT,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
        int(HTTPStatus.NO_CONTENT): {"headers": POSITION_IN_OPENAPI},
    },
    "openapi_extra": {
        "parameters": _parameters(*_REQUIRED),
        "requestBody": {
            "required": False,
            "content": {
                FORM: {
                    "schema": {
                        "type": "object",
                        "properties": _FIELDS,
                        "description": f"Those that the query lacks; {MAX_FORM_BYTES} bytes at most.",
                    }
                }
            },
        },
    },
}

PIXEL_DOCS: Final[dict[str, Any]] = {
    "summary": "One action, by an image",
    "description": "For pages without scripts, and mails. Answers once Kafka has acknowledged it. Browsers may ask for "
    "an image twice, or before anybody sees it: an `id` makes it count once. Without `timestamp`, the action happens "
    "when it arrives: two requests around a full hour count in both hours. HEAD counts nothing.",
    "responses": {
        **_problems(HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE),
        int(HTTPStatus.OK): {
            "description": "A transparent pixel. The action is in the log, and will be counted, unless a header says "
            "that it was rejected.",
            "content": {"image/gif": {"schema": {"type": "string", "format": "binary"}}},
            "headers": {
                "Collector-Rejected": {
                    "description": "Why the action was rejected: code, colon, and a line for people, in ASCII.",
                    "schema": {"type": "string"},
                },
                **POSITION_IN_OPENAPI,
            },
        },
    },
    "openapi_extra": {"parameters": _parameters("user", "event")},
}

BATCH_DOCS: Final[dict[str, Any]] = {
    "summary": "Many actions, in the body",
    "description": "Answers once Kafka has acknowledged all that are accepted. A bad line or element is rejected by "
    "itself and never refuses the good ones: the answer lists the first of them and counts all. Where none is good, or "
    "with `strict`, the answer is 422. A body that "
    "begins with `[` is an array, a single object may stand for itself, any other body holds one object a line, "
    "whatever Content-Type says. Blank lines are skipped, but counted for `index`. A byte-order mark is passed over. "
    "CloudEvents, structured or batched, are taken as `POST /v1/events` takes them.",
    "responses": {
        **_problems(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.REQUEST_TIMEOUT,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
        int(HTTPStatus.OK): {
            "description": "All accepted actions are in the log, and will be counted.",
            "content": {"application/json": {"example": {"accepted": 2, "rejected": []}}},
            "headers": POSITION_IN_OPENAPI,
        },
        int(HTTPStatus.UNPROCESSABLE_ENTITY): {
            "description": "Nothing was accepted, or with `strict` something was rejected: nothing of it is published.",
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
            {
                "name": "unknown_fields",
                "in": "query",
                "required": False,
                "description": "Whether fields that an action does not have are refused, or dropped.",
                "schema": {"type": "string", "enum": ["refuse", "ignore"], "default": "refuse"},
            },
            {
                "name": "Content-Encoding",
                "in": "header",
                "required": False,
                "description": "How the body is compressed. Gzip is known by its first bytes, too.",
                "schema": {"type": "string", "enum": ["gzip", "identity"], "default": "identity"},
            },
        ],
        "requestBody": {
            "required": True,
            "content": {
                JSON: {"schema": {"type": "array", "items": _ACTION_REF}, "example": _EXAMPLE},
                NDJSON: {
                    "schema": {
                        "type": "string",
                        "description": "One action a line, as JSON, see the schema Action; the last newline may lack.",
                    },
                    "example": _EXAMPLE_LINES,
                },
            },
        },
    },
}

SCHEMAS: Final = {"Action": _ACTION}
"""What the routes refer to by name."""
