"""`collector setup`."""

import typer

from collector.options import INTERRUPTED, report
from deploy.local.artifacts.cache import cache_folder
from deploy.local.artifacts.installed import set_up


def setup() -> None:
    """Fetches and builds what `collector up` runs on, into $COLLECTOR_CACHE or ~/.cache/user-actions-collector.

    What is already there is kept; an interrupted setup continues where it stopped.
    """
    tell = report()
    try:
        set_up(tell)
    except KeyboardInterrupt:
        tell.say("Interrupted; run it again to continue where it stopped")
        raise typer.Exit(INTERRUPTED) from None
    tell.say(f"Java, Kafka and InfluxDB are set up ({cache_folder()})")
