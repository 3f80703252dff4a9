"""`python -m aggregator`: one reader."""

from fastapi import FastAPI

from aggregator.app import create_app
from aggregator.end_offsets.kafka import KafkaEndOffsets
from aggregator.settings import AggregatorSettings
from service.clock import wall_clock
from service.server import run_app
from service.settings import settings_or_exit
from stores.opening import open_store


def main() -> None:
    """Serves until SIGTERM or SIGINT; then answers what is in flight. Exit code 0, 2 for unusable settings."""
    settings = settings_or_exit(AggregatorSettings)

    def create() -> FastAPI:
        end_offsets = KafkaEndOffsets(settings, settings.topic, settings.aggregator_kafka_timeout)
        return create_app(settings, open_store(settings, wall_clock), end_offsets, wall_clock)

    run_app(settings, create, drain_timeout=settings.aggregator_drain_timeout)


if __name__ == "__main__":
    main()
