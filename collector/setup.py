"""`collector setup`."""

from collector.options import report
from deploy.local.artifacts import set_up
from deploy.local.cache import cache_folder


def setup() -> None:
    """Fetches and builds what `collector up` runs on, into $COLLECTOR_CACHE or ~/.cache/user-actions-collector.

    What is there is kept; an interrupted set-up goes on where it stopped.
    """
    tell = report()
    set_up(tell)
    tell.say(f"Java, Kafka and InfluxDB are set up ({cache_folder()})")
