"""The worker's own pages: /healthz, /readyz, /metrics."""

from typing import Any, NamedTuple

from prometheus_client import CONTENT_TYPE_LATEST

from stream_workers import metrics
from stream_workers.counting.writer import Writer
from stream_workers.faust_adapter.app import App
from stream_workers.kafka_probe import KafkaProbe
from stream_workers.lag import Lag
from stream_workers.retry import RetryPolicy


class Health(NamedTuple):
    """Ready is a worker that has its partitions and whose store and Kafka carry out what it asks.

    A worker without partitions is ready too: there may be more workers than partitions.
    """

    app: App
    retry: RetryPolicy
    kafka: KafkaProbe

    def not_ready(self) -> str | None:
        """Why it is not ready; None if it is."""
        if self.retry.failing:
            return "; ".join(f"{what}: {error}" for what, error in self.retry.failing.items())
        if not self.app.joined:
            return "the consumer group is rebalancing"
        return self.kafka.reason()

    def tell_metrics(self) -> None:
        """As of now."""
        kafka_fails = self.retry.failing.keys() - self.retry.store_fails or self.kafka.reason()
        metrics.PROCESS.ready.set(self.not_ready() is None)
        metrics.PROCESS.dependency_up.labels("store").set(not self.retry.store_fails)
        metrics.PROCESS.dependency_up.labels("kafka").set(not kafka_fails)


def add_pages(app: App, writer: Writer, health: Health, lag: Lag) -> None:
    """What orchestrators and Prometheus ask for."""

    @app.page("/healthz")  # type: ignore[untyped-decorator] # Faust is untyped here
    async def healthz(web: Any, _request: Any) -> Any:  # noqa: ANN401 - as above
        return web.json({"status": "ok"})

    @app.page("/readyz")  # type: ignore[untyped-decorator] # Faust is untyped here
    async def readyz(web: Any, _request: Any) -> Any:  # noqa: ANN401 - as above
        reason = health.not_ready()
        answer = {"ready": not reason, "reason": reason, "partitions": writer.partitions}
        return web.json(answer, status=503 if reason else 200)

    @app.page("/metrics")  # type: ignore[untyped-decorator] # Faust is untyped here
    async def exposition(web: Any, _request: Any) -> Any:  # noqa: ANN401 - as above
        health.tell_metrics()
        await lag.look()
        return web.bytes(metrics.LISTED.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})
