"""Is it alive, can it do its job, and what has it measured."""

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from ingest_api.metrics import Metrics
from ingest_api.publishing.publisher import Publisher


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether actions can be published."""

    ready: bool
    reason: str | None = Field(description="Why none can be published: Kafka does not answer, or has no such topic.")


def probes(publisher: Publisher, metrics: Metrics) -> APIRouter:
    """The routes that orchestrators and Prometheus ask."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", summary="Is the process alive?")
    async def healthz() -> Alive:
        return Alive()

    @router.get(
        "/readyz",
        summary="Can it publish? As seen at most a second ago.",
        responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Readiness, "description": "Nothing can be published."}},
    )
    async def readyz(response: Response) -> Readiness:
        reason = await publisher.unavailable_reason()
        if reason is not None:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return Readiness(ready=reason is None, reason=reason)

    @router.get(
        "/metrics",
        summary="What was measured, for Prometheus",
        response_class=Response,
        responses={HTTPStatus.OK: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def exposition() -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    return router
