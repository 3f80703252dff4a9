"""One action, by a query."""

import logging
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus

from fastapi import Response

from contract.action import Action, Rejection
from contract.position import Position
from ingest_api.acceptance import AcceptancePolicy
from ingest_api.decoding.query import action_in_query
from ingest_api.errors import PublishUnavailable, RequestRefused
from ingest_api.http.position import ActionTaken
from ingest_api.http.request.form import Parameters
from ingest_api.metrics import Metrics
from ingest_api.publishing.publisher import Outcome, Publisher, publish
from service.problems import ProblemHandlers

logger = logging.getLogger(__name__)


class SingleAction:
    """What is done with the one action of a query, by those who can wait for it and by those who are called back."""

    def __init__(
        self, policy: AcceptancePolicy, publisher: Publisher, metrics: Metrics, problems: ProblemHandlers
    ) -> None:
        self._policy = policy
        self._publisher = publisher
        self._metrics = metrics
        self._problems = problems
        self._position: Position | None = None
        self._taken = ActionTaken(None)

    async def publish(self, parameters: Parameters, arrived: int | None = None) -> Response:
        """Returns once the log has acknowledged it; `arrived` is the timestamp of an action that names none.

        Raises RequestRefused, NotPublished or OutcomeUnknown.
        """
        return self._answer(await publish(self._publisher, [self._check(parameters.query, parameters.hint, arrived)]))

    def submit(self, query: bytes, answer: Callable[[Response], None]) -> None:
        """Calls `answer` once, perhaps before it returns, with what `publish` and the app answer. Raises nothing."""

        def on_delivered(outcome: Outcome) -> None:
            if isinstance(outcome, PublishUnavailable):
                answer(self._problems.answer(outcome))
            else:
                answer(self._answer(outcome))

        try:
            self._publisher.submit([self._check(query)], on_delivered)
        except (RequestRefused, PublishUnavailable) as error:
            answer(self._problems.answer(error))
        except Exception as error:
            logger.exception("an error in this program")
            answer(self._problems.answer(error))

    def _answer(self, position: Position | None) -> Response:
        """Made once for all whose actions lie in the same record: they are answered one after the other."""
        if position is not self._position:
            self._position, self._taken = position, ActionTaken(position)
        return self._taken

    def _check(self, query: bytes, hint: str | None = None, arrived: int | None = None) -> Action:
        (checked,) = self._policy.check([action_in_query(query, arrived)])
        if isinstance(checked, Rejection):
            self._metrics.rejected.labels(checked.code).inc()
            told = replace(checked, hint=hint) if hint else checked
            raise RequestRefused(HTTPStatus.BAD_REQUEST, told.code, told.message, rejection=told)
        return checked
