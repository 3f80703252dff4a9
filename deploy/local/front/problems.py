"""The door's own errors as RFC 9457 problems; those of the services pass through as they are."""

from http import HTTPStatus

from starlette.responses import JSONResponse


def unavailable(code: str, detail: str) -> JSONResponse:
    """503 with Retry-After."""
    status = HTTPStatus.SERVICE_UNAVAILABLE
    problem = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "code": code,
    }
    return JSONResponse(problem, status, {"Retry-After": "1"}, "application/problem+json")
