"""What OpenAPI documents have in common: problems, and schemas that are referred to by name."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.problems import MEDIA_TYPE, Problem

_EVERY_PATH: Final = (
    "Every path answers OPTIONS with its methods in `Allow`, and HEAD where it answers GET. No path ends in a slash. "
    "`X-Request-ID` is taken from the request, or made, and returned, but for a plain `POST /analytics` without one."
)
_RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_PROBLEM: Final = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def documented(
    *statuses: HTTPStatus,
    descriptions: Mapping[HTTPStatus, str] | None = None,
    headers: Mapping[HTTPStatus, dict[str, Any]] | None = None,
) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` for a route: these statuses, and any other error, are answered with a problem."""
    responses: dict[int | str, dict[str, Any]] = {"default": {"description": "Any other error.", "content": _PROBLEM}}
    for status in statuses:
        response = {"description": (descriptions or {}).get(status, status.phrase), "content": _PROBLEM}
        if status in (known := {HTTPStatus.SERVICE_UNAVAILABLE: _RETRY_AFTER, **(headers or {})}):
            response["headers"] = known[status]
        responses[int(status)] = response
    return responses


def add_schemas(
    app: FastAPI,
    schemas: Mapping[str, dict[str, Any]] | None = None,
    amend: Callable[[dict[str, Any]], None] = lambda _: None,
) -> None:
    """Makes the app's document hold the schemas that routes refer to by name; `Problem` is one of them.

    `amend` is called with the document once, at its end.
    """

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, summary=app.summary, description=_EVERY_PATH, routes=app.routes
            )
            made["components"]["schemas"] |= {"Problem": Problem.model_json_schema(), **(schemas or {})}
            amend(made)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # this is how the framework is told
