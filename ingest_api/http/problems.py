"""Every error as an RFC 9457 problem.

400  one value, or the body, breaks a rule; code, field, value (cut) and rule say which
404, 405, ...  what the framework refuses: code is the status' name
408, 413, 415  the body is too slow, too large, or of a kind that is not read
500  `internal_error`
503  `not_published` or `outcome_unknown`: try again after Retry-After seconds
"""

from http import HTTPStatus
from typing import Final, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from ingest_api.errors import NotPublished, OutcomeUnknown, PublishUnavailable, RequestRefused
from ingest_api.metrics import Metrics

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = {"Retry-After": "1"}


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field("about:blank", description="`about:blank`: the title is the status' own; see `code`.")
    title: str
    status: int
    detail: str = Field(description="One sentence for people.")
    code: str = Field(description="Stable; for programs.")
    field: str | None = Field(None, description="What breaks a rule.")
    value: str | None = Field(None, description="Its value as it was read, cut.")
    rule: str | None = Field(None, description="The rule in words.")
    outcome: Literal["not_published", "unknown"] | None = Field(
        None,
        description="With 503. `not_published`: nothing of the request will be counted. `unknown`: each action may or "
        "may not be counted; sent again with the same `id`, it is counted once.",
    )


def problem_of(error: RequestRefused | PublishUnavailable) -> Problem:
    """The problem that an error of ours is told as."""
    if isinstance(error, RequestRefused):
        broken = error.rejection
        return Problem(
            title=error.status.phrase,
            status=error.status,
            detail=str(error),
            code=error.code,
            field=broken and broken.field,
            value=broken and broken.value,
            rule=broken and broken.rule,
        )
    status = HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(error, NotPublished):
        detail = f"nothing was published, send it again: {error}"
        return Problem(title=status.phrase, status=status, detail=detail, code="not_published", outcome="not_published")
    assert isinstance(error, OutcomeUnknown)
    detail = f"each action may or may not be counted; sent again with the same id, it is counted once: {error}"
    return Problem(title=status.phrase, status=status, detail=detail, code="outcome_unknown", outcome="unknown")


def _respond(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    return Response(problem.model_dump_json(exclude_none=True), problem.status, headers, MEDIA_TYPE)


def simple(status: HTTPStatus, code: str, detail: str) -> Problem:
    """A problem that is told by its status, code and detail alone."""
    return Problem(title=status.phrase, status=status, detail=detail, code=code)


class ProblemHandlers:
    """The handlers; each problem is counted."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def install(self, app: FastAPI) -> None:
        """Makes the app answer every error with a problem."""
        app.add_exception_handler(RequestRefused, self.ours)
        app.add_exception_handler(PublishUnavailable, self.ours)
        app.add_exception_handler(HTTPException, self.refused_by_framework)
        app.add_exception_handler(RequestValidationError, self.invalid)
        app.add_exception_handler(Exception, self.ours)

    def answer(self, error: Exception) -> Response:
        """4xx for what we refuse, 503 for what the log did not take, 500 for what nobody thought of."""
        if isinstance(error, RequestRefused):
            return self._counted(problem_of(error), dict(error.headers))
        if isinstance(error, PublishUnavailable):
            return self._counted(problem_of(error), RETRY_AFTER)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return self._counted(simple(status, "internal_error", "an error in this program"))

    async def ours(self, _: Request, error: Exception) -> Response:
        """An error of ours. One that nobody thought of is raised again by the framework, and the server logs it."""
        return self.answer(error)

    async def refused_by_framework(self, _: Request, error: Exception) -> Response:
        """404, 405 and the like."""
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        problem = simple(status, status.name.lower(), str(error.detail))
        return self._counted(problem, dict(error.headers or {}))

    async def invalid(self, _: Request, error: Exception) -> Response:
        """422: a route that lets the framework read its parameters."""
        assert isinstance(error, RequestValidationError)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return self._counted(simple(status, "request_invalid", str(error.errors())[:1000]))

    def _counted(self, problem: Problem, headers: dict[str, str] | None = None) -> Response:
        self._metrics.problems.labels(problem.code).inc()
        return _respond(problem, headers)
