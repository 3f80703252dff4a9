"""The worker's own pages: /healthz, /readyz, /metrics."""

from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from stream_workers.counting.writer import Writer
from stream_workers.faust_adapter.app import App
from stream_workers.kafka_probe import KafkaProbe
from stream_workers.retry import RetryPolicy


def add_pages(app: App, writer: Writer, retry: RetryPolicy, kafka: KafkaProbe) -> None:
    """Ready is a worker that has its partitions and whose store and Kafka carry out what it asks.

    A worker without partitions is ready too: there may be more workers than partitions.
    """

    @app.page("/healthz")  # type: ignore[untyped-decorator] # Faust is untyped here
    async def healthz(web: Any, _request: Any) -> Any:  # noqa: ANN401 - as above
        return web.json({"status": "ok"})

    @app.page("/readyz")  # type: ignore[untyped-decorator] # Faust is untyped here
    async def readyz(web: Any, _request: Any) -> Any:  # noqa: ANN401 - as above
        reason = _not_ready(app, retry, kafka)
        answer = {"ready": not reason, "reason": reason, "partitions": writer.partitions}
        return web.json(answer, status=503 if reason else 200)

    @app.page("/metrics")  # type: ignore[untyped-decorator] # Faust is untyped here
    async def metrics(web: Any, _request: Any) -> Any:  # noqa: ANN401 - as above
        return web.bytes(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _not_ready(app: App, retry: RetryPolicy, kafka: KafkaProbe) -> str | None:
    if retry.failing:
        return "; ".join(f"{what}: {error}" for what, error in retry.failing.items())
    if not app.joined:
        return "the consumer group is rebalancing"
    return kafka.reason()
