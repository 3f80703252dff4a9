from typing import NamedTuple


class Addresses(NamedTuple):
    """The addresses of this run's services."""

    kafka_bootstrap: str
    influx_url: str


class Missing(Exception):
    """The services are not available on this machine; the text says why."""
