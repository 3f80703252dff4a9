"""One action, by a query."""

import logging
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus

from fastapi import Response

from contract.log.action import Action, Rejection
from contract.log.position import Position
from ingest_api.decoding.query import action_in_query
from ingest_api.errors import PublishUnavailable, RequestRefused
from ingest_api.http.position import ActionTaken
from ingest_api.http.request.form import Parameters
from ingest_api.metrics import Metrics
from ingest_api.publishing.publisher import Outcome, Publisher, publish
from ingest_api.senders import Sender, Senders
from service.keys.errors import KeyRefused
from service.keys.presented import Headers
from service.problems import ProblemHandlers

logger = logging.getLogger(__name__)


class SingleAction:
    """What is done with the one action of a query, by those who can wait for it and by those who are called back."""

    def __init__(self, senders: Senders, publisher: Publisher, metrics: Metrics, problems: ProblemHandlers) -> None:
        self._senders = senders
        self._publisher = publisher
        self._metrics = metrics
        self._problems = problems
        self._position: Position | None = None
        self._taken = ActionTaken(None)

    async def publish(self, parameters: Parameters, sender: Sender, arrived: int | None = None) -> Response:
        """Returns once the log has acknowledged it; `arrived` is the timestamp of an action that names none.

        Raises RequestRefused, RateExceeded, NotPublished or OutcomeUnknown.
        """
        action = self._check(sender, parameters.query, parameters.hint, arrived)
        sender.spend(1)
        return self._answer(await publish(self._publisher, [action]))

    def submit(self, query: bytes, headers: Headers, answer: Callable[[Response], None]) -> None:
        """Calls `answer` once, perhaps before it returns, with what `publish` and the app answer. Raises nothing."""

        def on_delivered(outcome: Outcome) -> None:
            if isinstance(outcome, PublishUnavailable):
                answer(self._problems.answer(outcome))
            else:
                answer(self._answer(outcome))

        try:
            sender = self._senders.admit_single(headers, query)
            action = self._check(sender, query)
            sender.spend(1)
            self._publisher.submit([action], on_delivered)
        except (RequestRefused, KeyRefused, PublishUnavailable) as error:
            answer(self._problems.answer(error))
        except Exception as error:
            logger.exception("an error in this program")
            answer(self._problems.answer(error))

    def _answer(self, position: Position | None) -> Response:
        """Made once for all whose actions lie in the same record: they are answered one after the other."""
        if position is not self._position:
            self._position, self._taken = position, ActionTaken(position)
        return self._taken

    def _check(self, sender: Sender, query: bytes, hint: str | None = None, arrived: int | None = None) -> Action:
        (checked,) = sender.policy.check([action_in_query(query, arrived)])
        if isinstance(checked, Rejection):
            self._metrics.rejected.labels(checked.code).inc()
            told = replace(checked, hint=hint) if hint else checked
            raise RequestRefused(HTTPStatus.BAD_REQUEST, told.code, told.message, rejection=told)
        return checked
