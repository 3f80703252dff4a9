"""`python -m aggregator.rollup`: one keeper of the measurement `hours`."""

from fastapi import FastAPI

from aggregator.end_offsets.kafka import KafkaEndOffsets
from aggregator.rollup.app import create_app
from aggregator.rollup.settings import RollupSettings
from service.clock import wall_clock
from service.server import run_app
from service.settings import settings_or_exit
from stores.influx.rollup import InfluxRollup
from stores.influx.store import InfluxStore


def main() -> None:
    """Runs until SIGTERM or SIGINT. Exit code 0, 2 for unusable settings."""
    settings = settings_or_exit(RollupSettings)

    def create() -> FastAPI:
        end_offsets = KafkaEndOffsets(settings, settings.topic, settings.aggregator_kafka_timeout)
        return create_app(settings, InfluxStore(settings, wall_clock), InfluxRollup(settings), end_offsets, wall_clock)

    run_app(settings, create, drain_timeout=settings.aggregator_drain_timeout)


if __name__ == "__main__":
    main()
