"""`python -m ingest_api`: one API process."""

from ingest_api.app import create_kafka_app
from ingest_api.http.server.fast_path_protocol import FastPathProtocol
from ingest_api.settings import IngestSettings
from service.server import run_app
from service.settings import settings_or_exit


def main() -> None:
    """Serves until SIGTERM or SIGINT; then answers what is in flight. Exit code 0, 2 for unusable settings."""
    settings = settings_or_exit(IngestSettings)
    run_app(
        settings,
        lambda: create_kafka_app(settings),
        drain_timeout=settings.ingest_drain_timeout,
        protocol=FastPathProtocol,
    )


if __name__ == "__main__":
    main()
