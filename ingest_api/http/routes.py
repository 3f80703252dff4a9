"""Where actions come in: one by a query, many by a body."""

from collections import Counter
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from ingest_api.acceptance import AcceptancePolicy
from ingest_api.decoding.batch import CheckedBatch, check_batch
from ingest_api.http.batch_options import options_in
from ingest_api.http.body import BodyReader
from ingest_api.http.content_type import require_accepted
from ingest_api.http.openapi import ACTION_DOCS, BATCH_DOCS
from ingest_api.http.single_action import SingleAction
from ingest_api.metrics import Metrics
from ingest_api.publishing.publisher import Publisher, publish
from ingest_api.settings import IngestSettings


class Rejected(BaseModel):
    """A line or element that is no action."""

    index: int = Field(ge=0, description="The line's number, or the element's place in the array, from 0.")
    code: str = Field(description="Stable; for programs.")
    field: str | None = Field(description="The field that breaks a rule; null where it is the line as a whole.")
    message: str = Field(description="One line for people: the field, its value (cut) and the rule.")


class BatchAnswer(BaseModel):
    """What became of a batch."""

    accepted: int = Field(ge=0, description="Actions that the log has acknowledged.")
    rejected: list[Rejected] = Field(description="What broke a rule. It is refused each time it is sent.")


class Batches:
    """What is done with the actions of a body."""

    def __init__(
        self,
        settings: IngestSettings,
        bodies: BodyReader,
        policy: AcceptancePolicy,
        publisher: Publisher,
        metrics: Metrics,
    ) -> None:
        self._max_lines = settings.ingest_max_lines
        self._bodies = bodies
        self._policy = policy
        self._publisher = publisher
        self._metrics = metrics

    async def publish(self, request: Request) -> Response:
        """Returns once the log has acknowledged all that is accepted.

        Raises RequestRefused, NotPublished or OutcomeUnknown.
        """
        options = options_in(request.scope["query_string"])
        require_accepted(request.headers.get("content-type"))
        async with self._bodies.read(request) as body:
            checked = await check_batch(body, self._max_lines, self._policy, ignore_unknown=options.ignore_unknown)
        self._count(checked)
        accepted = [] if options.strict and checked.refused else checked.accepted
        if accepted:
            await publish(self._publisher, accepted)
        return _answer(len(accepted), checked)

    def _count(self, checked: CheckedBatch) -> None:
        for code, times in Counter(refusal.rejection.code for refusal in checked.refused).items():
            self._metrics.rejected.labels(code).inc(times)


def routes(single: SingleAction, batches: Batches) -> APIRouter:
    """The routes that take actions."""
    router = APIRouter(tags=["actions"])

    @router.post("/analytics", status_code=HTTPStatus.NO_CONTENT, response_class=Response, **ACTION_DOCS)
    async def analytics(request: Request) -> Response:
        return await single.publish(request.scope["query_string"])

    @router.post("/v1/actions", response_model=BatchAnswer, **BATCH_DOCS)
    async def actions(request: Request) -> Response:
        return await batches.publish(request)

    return router


def _answer(accepted: int, checked: CheckedBatch) -> Response:
    """Shippers take 200 for delivered: where something was refused and nothing came in, it is 422."""
    rejected = [
        Rejected(index=line, code=rejection.code, field=rejection.field, message=rejection.message)
        for line, rejection in checked.refused
    ]
    status = HTTPStatus.UNPROCESSABLE_ENTITY if rejected and not accepted else HTTPStatus.OK
    answer = BatchAnswer(accepted=accepted, rejected=rejected)
    return Response(answer.model_dump_json(), status, media_type="application/json")
