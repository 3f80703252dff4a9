"""Is the process alive, can it do its job, and what has it measured."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Literal, TypeVar

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from service.metrics.service_metrics import ServiceMetrics


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether a process can do its job; each service says what that means."""

    ready: bool
    reason: str | None


R = TypeVar("R", bound=Readiness)


def health_routes(
    kind: type[R],
    check: Callable[[], Awaitable[R]],
    metrics: ServiceMetrics,
    *,
    ready: str,
    unready: str,
    look: Callable[[], Awaitable[None]] | None = None,
) -> APIRouter:
    """The routes that orchestrators and Prometheus ask; `ready` and `unready` describe /readyz.

    `look` is called before metrics are shown: it tells them what is measured only then.
    """
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", summary="Is the process alive?")
    async def healthz() -> Alive:
        return Alive()

    @router.get(
        "/readyz",
        summary=ready,
        response_model=kind,
        responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": kind, "description": unready}},
    )
    async def readyz(response: Response) -> R:
        readiness = await check()
        if not readiness.ready:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return readiness

    @router.get(
        "/metrics",
        summary="What was measured, for Prometheus",
        response_class=Response,
        responses={HTTPStatus.OK: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def exposition() -> Response:
        metrics.process.ready.set((await check()).ready)
        if look is not None:
            await look()
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    return router
