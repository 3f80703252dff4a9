"""`collector setup`."""

from typing import Annotated

import typer

from collector.options import INTERRUPTED, report
from deploy.local.artifacts.cache import cache_folder
from deploy.local.artifacts.cassandra import set_up_cassandra
from deploy.local.artifacts.installed import set_up
from stores.settings import StoreKind


def setup(
    store: Annotated[
        StoreKind | None, typer.Option(help="Also what this store runs on; InfluxDB is always set up.")
    ] = None,
) -> None:
    """Fetches and builds what `collector up` runs on, into $COLLECTOR_CACHE or ~/.cache/user-actions-collector.

    What is already there is kept; an interrupted setup continues where it stopped.
    """
    tell = report()
    try:
        set_up(tell)
        if store is StoreKind.CASSANDRA:
            set_up_cassandra(tell)
    except KeyboardInterrupt:
        tell.say("Interrupted; run it again to continue where it stopped")
        raise typer.Exit(INTERRUPTED) from None
    tell.say(f"{_what(store)} are set up ({cache_folder()})")


def _what(store: StoreKind | None) -> str:
    return "Java, Kafka, InfluxDB and Cassandra" if store is StoreKind.CASSANDRA else "Java, Kafka and InfluxDB"
