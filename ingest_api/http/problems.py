"""The API's own errors as problems.

400  one value, or the body, breaks a rule; code, field, value (cut) and rule say which
401, 403, 429  keys are on, and the request's does not allow it: see service.keys.problems
408, 413, 415  the body is too slow, too large, or of a kind that is not read
503  `not_published` or `outcome_unknown`: try again after Retry-After seconds; by a setting, Segment's SDKs get 429
"""

from http import HTTPStatus

from ingest_api.errors import NotPublished, OutcomeUnknown, PublishUnavailable, RequestRefused
from ingest_api.http.sdks.segment import SEGMENT_PATHS
from ingest_api.metrics import Metrics
from service.keys.errors import KeyRefused
from service.keys.problems import explain_refused
from service.problems import RETRY_AFTER, Explained, Problem, ProblemHandlers


def problem_handlers(
    metrics: Metrics, segment_unavailable: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE
) -> ProblemHandlers:
    """Answers every error; each problem is counted. `segment_unavailable` is Segment's protocol's instead of 503."""

    def count(code: str) -> None:
        metrics.problems.labels(code).inc()

    def explain(error: Exception, path: str) -> Explained | None:
        if isinstance(error, RequestRefused):
            return Explained(_refused(error), error.headers)
        if isinstance(error, KeyRefused):
            return explain_refused(error)
        if isinstance(error, PublishUnavailable):
            status = segment_unavailable if path in SEGMENT_PATHS else HTTPStatus.SERVICE_UNAVAILABLE
            return Explained(_unavailable(error, status), RETRY_AFTER)
        return None

    own = RequestRefused, KeyRefused, PublishUnavailable
    return ProblemHandlers(explain, *own, count=count, paths_with_message=SEGMENT_PATHS)


def _refused(error: RequestRefused) -> Problem:
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


def _unavailable(error: PublishUnavailable, status: HTTPStatus) -> Problem:
    if isinstance(error, NotPublished):
        detail = f"nothing was published, send it again: {error}"
        return Problem(title=status.phrase, status=status, detail=detail, code="not_published", outcome="not_published")
    assert isinstance(error, OutcomeUnknown)
    detail = f"each action may or may not be counted; sent again with the same id, it is counted once: {error}"
    return Problem(title=status.phrase, status=status, detail=detail, code="outcome_unknown", outcome="unknown")
