"""Is it alive, can it do its job, and what has it measured."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from aggregator.end_offsets.cache import EndOffsetsCache
from aggregator.metrics import Metrics
from contract.errors import StoreError
from contract.store import Store


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether answers can be given. Kafka away costs their completeness, not the numbers: it does not make unready."""

    ready: bool
    reason: str | None = Field(description="Why no answers can be given: the store can't be read.")
    kafka: str = Field(description="`ok`, or why answers can't say how complete they are.")


def probes(store: Store, look: EndOffsetsCache, metrics: Metrics, longest: timedelta) -> APIRouter:
    """The routes that orchestrators and Prometheus ask; a probe waits for the store `longest` at most."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", summary="Is the process alive?")
    async def healthz() -> Alive:
        return Alive()

    @router.get(
        "/readyz",
        summary="Can it answer?",
        responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Readiness, "description": "The store can't be read."}},
    )
    async def readyz(response: Response) -> Readiness:
        reason, latest = await asyncio.gather(_trouble_of(store, longest), look.latest())
        if reason is not None:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return Readiness(ready=reason is None, reason=reason, kafka="ok" if latest else str(look.trouble))

    @router.get(
        "/metrics",
        summary="What was measured, for Prometheus",
        response_class=Response,
        responses={HTTPStatus.OK: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def exposition() -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _trouble_of(store: Store, longest: timedelta) -> str | None:
    try:
        async with asyncio.timeout(longest.total_seconds()):
            await store.ping()
    except StoreError as error:
        return f"the store: {error}"
    except TimeoutError:
        return f"the store: no answer within {longest.total_seconds()} s"
    return None
