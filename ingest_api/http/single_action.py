"""One action, by a query."""

import logging
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from fastapi import Response

from contract.action import Action, Rejection
from ingest_api.acceptance import AcceptancePolicy
from ingest_api.decoding.query import action_in_query
from ingest_api.errors import PublishUnavailable, RequestRefused
from ingest_api.http.request.form import Parameters
from ingest_api.metrics import Metrics
from ingest_api.publishing.publisher import Publisher, publish
from service.problems import ProblemHandlers

logger = logging.getLogger(__name__)

_TAKEN: Final = Response(status_code=HTTPStatus.NO_CONTENT)
"""It holds no state: one for all."""


class SingleAction:
    """What is done with the one action of a query, by those who can wait for it and by those who are called back."""

    def __init__(
        self, policy: AcceptancePolicy, publisher: Publisher, metrics: Metrics, problems: ProblemHandlers
    ) -> None:
        self._policy = policy
        self._publisher = publisher
        self._metrics = metrics
        self._problems = problems

    async def publish(self, parameters: Parameters, arrived: int | None = None) -> Response:
        """Returns once the log has acknowledged it; `arrived` is the timestamp of an action that names none.

        Raises RequestRefused, NotPublished or OutcomeUnknown.
        """
        await publish(self._publisher, [self._check(parameters.query, parameters.hint, arrived)])
        return _TAKEN

    def submit(self, query: bytes, answer: Callable[[Response], None]) -> None:
        """Calls `answer` once, perhaps before it returns, with what `publish` and the app answer. Raises nothing."""

        def on_delivered(failure: PublishUnavailable | None) -> None:
            answer(_TAKEN if failure is None else self._problems.answer(failure))

        try:
            self._publisher.submit([self._check(query)], on_delivered)
        except (RequestRefused, PublishUnavailable) as error:
            answer(self._problems.answer(error))
        except Exception as error:
            logger.exception("an error in this program")
            answer(self._problems.answer(error))

    def _check(self, query: bytes, hint: str | None = None, arrived: int | None = None) -> Action:
        (checked,) = self._policy.check([action_in_query(query, arrived)])
        if isinstance(checked, Rejection):
            self._metrics.rejected.labels(checked.code).inc()
            told = replace(checked, hint=hint) if hint else checked
            raise RequestRefused(HTTPStatus.BAD_REQUEST, told.code, told.message, rejection=told)
        return checked
