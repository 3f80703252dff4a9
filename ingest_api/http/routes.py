"""Where actions come in: one by a query, many by a body."""

from collections import Counter
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from ingest_api.acceptance import AcceptancePolicy
from ingest_api.http.batch import CheckedBatch, check_batch
from ingest_api.http.body import BodyLimits, read_body, refuse_announced
from ingest_api.http.content_type import content_type_of, is_gzipped
from ingest_api.http.openapi import ACTION_DOCS, BATCH_DOCS
from ingest_api.http.single_action import SingleAction
from ingest_api.metrics import Metrics
from ingest_api.publishing.memory_budget import MemoryBudget
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
    rejected: list[Rejected] = Field(description="The others. They are refused each time they are sent.")


def routes(single: SingleAction, read_batch: "BatchReader", publisher: Publisher) -> APIRouter:
    """The routes that take actions."""
    router = APIRouter(tags=["actions"])

    @router.post("/analytics", status_code=HTTPStatus.NO_CONTENT, response_class=Response, **ACTION_DOCS)
    async def analytics(request: Request) -> Response:
        return await single.publish(request.scope["query_string"])

    @router.post("/v1/actions", response_model=BatchAnswer, **BATCH_DOCS)
    async def actions(request: Request) -> Response:
        checked = await read_batch(request)
        if checked.accepted:
            await publish(publisher, checked.accepted)
        return Response(_answer(checked).model_dump_json(), media_type="application/json")

    return router


class BatchReader:
    """Reads a batch from a request, within the limits, and checks it."""

    def __init__(self, settings: IngestSettings, policy: AcceptancePolicy, metrics: Metrics) -> None:
        self._limits = BodyLimits(
            sent=settings.ingest_max_body_bytes,
            decompressed=settings.ingest_max_decompressed_bytes,
            seconds=settings.ingest_body_timeout.total_seconds(),
        )
        self._max_lines = settings.ingest_max_lines
        self._bodies = MemoryBudget(settings.ingest_max_in_flight_bytes, "bodies")
        self._policy = policy
        self._metrics = metrics
        metrics.body_bytes.set_function(lambda: self._bodies.used)

    async def __call__(self, request: Request) -> CheckedBatch:
        """Raises RequestRefused, or NotPublished where bodies take all the memory they may."""
        headers = request.headers
        content_type, gzipped = (
            content_type_of(headers.get("content-type")),
            is_gzipped(headers.get("content-encoding")),
        )
        refuse_announced(headers.get("content-length"), self._limits)
        with self._bodies.reservation() as reservation:
            body = await read_body(request.stream(), gzipped=gzipped, limits=self._limits, reservation=reservation)
            checked = await check_batch(body, content_type, self._max_lines, self._policy)
        for code, times in Counter(refusal.rejection.code for refusal in checked.refused).items():
            self._metrics.rejected.labels(code).inc(times)
        return checked


def _answer(checked: CheckedBatch) -> BatchAnswer:
    rejected = [
        Rejected(index=line, code=rejection.code, field=rejection.field, message=rejection.message)
        for line, rejection in checked.refused
    ]
    return BatchAnswer(accepted=len(checked.accepted), rejected=rejected)
