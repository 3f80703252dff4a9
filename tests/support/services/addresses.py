from typing import NamedTuple


class Addresses(NamedTuple):
    """Where the services of this run are."""

    kafka_bootstrap: str
    influx_url: str


class Missing(Exception):
    """The services cannot be had on this machine; the text says why."""
