"""Every error as an RFC 9457 problem.

A service explains its own errors. Here are those that every service has:

404, 405, ...  what the framework refuses: code is the status' name
422  `request_invalid`: a parameter that the framework reads
500  `internal_error`
"""

from collections.abc import Callable, Container, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from contract.shown import shown, shown_text

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final[Mapping[str, str]] = MappingProxyType({"Retry-After": "1"})
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field("about:blank", description="`about:blank`: the title is the status' own; see `code`.")
    title: str
    status: int
    detail: str = Field(description="One sentence for people.")
    code: str = Field(description="Stable; for programs.")
    field: str | None = Field(None, description="The field or parameter that breaks a rule.")
    value: str | None = Field(None, description="Its value as JSON writes it, cut; absent where it is missing.")
    rule: str | None = Field(None, description="The rule in words.")
    outcome: Literal["not_published", "unknown"] | None = Field(
        None,
        description="With 503 on actions. `not_published`: nothing of the request will be counted. `unknown`: each "
        "action may or may not be counted; sent again with the same `id`, it is counted once.",
    )
    message: str | None = Field(
        None, description="On paths of Segment's protocol: `detail` once more, under the name that its SDKs read."
    )


class Explained(NamedTuple):
    """An error as it is answered."""

    problem: Problem
    headers: Mapping[str, str] = _NO_HEADERS


Explain = Callable[[Exception, str], Explained | None]
"""How a service answers an error of its own on a request for a path; None for any other error."""


def problem(status: HTTPStatus, code: str, detail: str) -> Problem:
    """A problem that is described by its status, code and detail alone."""
    return Problem(title=status.phrase, status=status, detail=detail, code=code)


class ProblemHandlers:
    """Answers errors with problems, a service's own and all others; each is counted by its code."""

    def __init__(
        self,
        explain: Explain,
        *own: type[Exception],
        count: Callable[[str], None] = lambda _: None,
        paths_with_message: Container[str] = (),
    ) -> None:
        """`own`: the errors that `explain` knows; `paths_with_message`: where clients look for `message`."""
        self._explain = explain
        self._own = own
        self._count = count
        self._paths_with_message = paths_with_message

    def install(self, app: FastAPI) -> None:
        """Makes the app answer every error with a problem."""
        for kind in (*self._own, HTTPException, RequestValidationError, Exception):
            app.add_exception_handler(kind, self._handle)

    def answer(self, error: Exception, path: str = "") -> Response:
        """The problem that an error is answered with."""
        explained = self._explain(error, path) or _explain_any(error, path)
        told = explained.problem
        self._count(told.code)
        if path in self._paths_with_message:
            told = told.model_copy(update={"message": told.detail})
        body = told.model_dump_json(exclude_none=True)
        return Response(body, told.status, dict(explained.headers), MEDIA_TYPE)

    async def _handle(self, request: Request, error: Exception) -> Response:
        """An error that nobody thought of is raised again by the framework, and the server logs it."""
        return self.answer(error, request.url.path)


def _not_found(path: str) -> str:
    """Paths end without a slash; one that has it is not found, rather than led to another scheme behind a proxy."""
    detail = f"there is nothing at {shown_text(path)}"
    return f"{detail}: no path ends in a slash" if path.endswith("/") and path != "/" else detail


def _not_allowed(path: str) -> str:
    return f"{shown_text(path)} does not answer this method; Allow names those that it answers"


_DETAILS: Final[Mapping[HTTPStatus, Callable[[str], str]]] = MappingProxyType(
    {HTTPStatus.NOT_FOUND: _not_found, HTTPStatus.METHOD_NOT_ALLOWED: _not_allowed}
)


def _explain_any(error: Exception, path: str) -> Explained:
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        explain = _DETAILS.get(status)
        detail = explain(path) if explain else str(error.detail)
        return Explained(problem(status, status.name.lower(), detail), error.headers or _NO_HEADERS)
    if isinstance(error, RequestValidationError):
        return Explained(_invalid(error))
    return Explained(problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "an error in this program"))


def _invalid(error: RequestValidationError) -> Problem:
    """The first of what the framework found: which parameter, its value and the rule."""
    first = error.errors()[0]
    field, rule = shown_text(".".join(map(str, first["loc"][1:] or first["loc"]))), first["msg"]
    value = None if first["type"] == "missing" else shown(first["input"])
    detail = f"{field}: {rule}" if value is None else f"{field} {value}: {rule}"
    bare = problem(HTTPStatus.UNPROCESSABLE_ENTITY, "request_invalid", detail)
    return bare.model_copy(update={"field": field, "value": value, "rule": rule})
