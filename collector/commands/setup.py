"""`collector setup`."""

import typer

from collector.options import INTERRUPTED, report
from deploy.local.artifacts.cache import cache_folder
from deploy.local.artifacts.installed import set_up


def setup() -> None:
    """Fetches and builds what `collector up` runs on, into $COLLECTOR_CACHE or ~/.cache/user-actions-collector.

    What is there is kept; an interrupted set-up goes on where it stopped.
    """
    tell = report()
    try:
        set_up(tell)
    except KeyboardInterrupt:
        tell.say("Interrupted; run again, it goes on where it stopped")
        raise typer.Exit(INTERRUPTED) from None
    tell.say(f"Java, Kafka and InfluxDB are set up ({cache_folder()})")
