"""The reader's own errors as problems.

401, 403, 429  keys are on, and the request's does not allow it: see service.keys.problems
400  a parameter breaks a rule: code, field, value (cut) and rule say which
500  `state_unreadable`
503  `store_unavailable`, `too_many_spans`: try again after Retry-After seconds
"""

import logging
from http import HTTPStatus

from aggregator.http.spans.turns import TooManySpans
from contract.errors import CollectorError, StateUnreadable, StoreUnavailable
from contract.log.action import Rejection
from service.keys.errors import KeyRefused
from service.keys.problems import explain_refused
from service.problems import RETRY_AFTER, Explained, Problem, ProblemHandlers, problem

logger = logging.getLogger(__name__)


class ParameterRefused(CollectorError):
    """A parameter breaks a rule."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.message)
        self.rejection = rejection


def problem_handlers() -> ProblemHandlers:
    """Answers every error."""
    return ProblemHandlers(_explain, KeyRefused, ParameterRefused, TooManySpans, StoreUnavailable, StateUnreadable)


def _explain(error: Exception, path: str) -> Explained | None:
    if isinstance(error, ParameterRefused):
        return Explained(_refused(error))
    if isinstance(error, KeyRefused):
        return explain_refused(error, asks_people=True)
    if isinstance(error, StoreUnavailable):
        # Readers are told no addresses; operators find the reason here and in /readyz.
        logger.warning("503 on %s: the store: %s", path, error)
        detail = "the store does not answer; try again"
        return Explained(problem(HTTPStatus.SERVICE_UNAVAILABLE, "store_unavailable", detail), RETRY_AFTER)
    if isinstance(error, TooManySpans):
        return Explained(problem(HTTPStatus.SERVICE_UNAVAILABLE, "too_many_spans", str(error)), RETRY_AFTER)
    if isinstance(error, StateUnreadable):
        logger.error("500 on %s: %s", path, error)
        detail = "the store holds a value that this program is too old to read, or that is damaged"
        return Explained(problem(HTTPStatus.INTERNAL_SERVER_ERROR, "state_unreadable", detail))
    return None


def _refused(error: ParameterRefused) -> Problem:
    broken = error.rejection
    bare = problem(HTTPStatus.BAD_REQUEST, broken.code, str(error))
    return bare.model_copy(update={"field": broken.field, "value": broken.value, "rule": broken.rule})
