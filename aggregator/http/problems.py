"""Every error as an RFC 9457 problem.

400  a parameter breaks a rule: code, field, value (cut) and rule say which
404, 405, …  what the framework refuses: code is the status' name
500  `state_unreadable`, `internal_error`
503  `store_unavailable`: try again after Retry-After seconds
"""

import logging
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from contract.action import Rejection
from contract.errors import CollectorError, StateUnreadable, StoreUnavailable

logger = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = "1"


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field("about:blank", description="`about:blank`: the title is the status' own; see `code`.")
    title: str
    status: int
    detail: str = Field(description="One sentence for people.")
    code: str = Field(description="Stable; for programs.")
    field: str | None = Field(None, description="The parameter that breaks a rule.")
    value: str | None = Field(None, description="Its value as it was read, cut.")
    rule: str | None = Field(None, description="The rule in words.")


class ParameterRefused(CollectorError):
    """A parameter breaks a rule."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.message)
        self.rejection = rejection


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` for a route: these statuses, and any other error, answer with a problem."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    responses: dict[int | str, dict[str, Any]] = {"default": {"description": "Any other error.", "content": content}}
    for status in statuses:
        responses[status] = {"description": HTTPStatus(status).phrase, "content": content}
    if HTTPStatus.SERVICE_UNAVAILABLE in statuses:
        responses[HTTPStatus.SERVICE_UNAVAILABLE]["headers"] = {
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}
        }
    return responses


def _respond(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(problem.model_dump(exclude_none=True), problem.status, headers, MEDIA_TYPE)


def _problem(status: int, code: str, detail: str, rejection: Rejection | None = None) -> Problem:
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, code=code)
    if rejection is None:
        return problem
    return problem.model_copy(update={"field": rejection.field, "value": rejection.value, "rule": rejection.rule})


async def _parameter_refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ParameterRefused)
    return _respond(_problem(HTTPStatus.BAD_REQUEST, error.rejection.code, str(error), error.rejection))


async def _refused_by_framework(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    return _respond(_problem(status, status.name.lower(), str(error.detail)), dict(error.headers or {}))


async def _validation_failed(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return _respond(_problem(HTTPStatus.UNPROCESSABLE_ENTITY, "request_invalid", str(error.errors())[:1000]))


async def _store_unavailable(request: Request, error: Exception) -> JSONResponse:
    # Readers learn no addresses; operators find the reason here and in /readyz.
    logger.warning("503 on %s: the store: %s", request.url.path, error)
    problem = _problem(HTTPStatus.SERVICE_UNAVAILABLE, "store_unavailable", "the store does not answer; try again")
    return _respond(problem, {"Retry-After": RETRY_AFTER})


async def _state_unreadable(request: Request, error: Exception) -> JSONResponse:
    logger.error("500 on %s: %s", request.url.path, error)
    detail = "the store holds a value that this program is too old to read, or that is damaged"
    return _respond(_problem(HTTPStatus.INTERNAL_SERVER_ERROR, "state_unreadable", detail))


async def _unexpected(_: Request, __: Exception) -> JSONResponse:
    # The framework raises it again once this is sent, and the server logs it.
    return _respond(_problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "an error in this program"))


def install(app: FastAPI) -> None:
    """Makes the app answer every error with a problem."""
    app.add_exception_handler(ParameterRefused, _parameter_refused)
    app.add_exception_handler(StoreUnavailable, _store_unavailable)
    app.add_exception_handler(StateUnreadable, _state_unreadable)
    app.add_exception_handler(HTTPException, _refused_by_framework)
    app.add_exception_handler(RequestValidationError, _validation_failed)
    app.add_exception_handler(Exception, _unexpected)
