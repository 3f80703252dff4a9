"""The one place where a store is chosen."""

from collections.abc import Callable, Collection

from contract.log.event_names import BUSINESS_EVENTS
from contract.store import Store
from stores.settings import StoreKind, StoreSettings


def open_store(settings: StoreSettings, clock: Callable[[], int], events: Collection[str] = BUSINESS_EVENTS) -> Store:
    """The store that the settings name; it connects to nothing yet. `clock` tells the ms since the epoch.

    `events` have series of their own in InfluxDB.
    """
    # Each store's client takes its time to import, and 40 MB of memory: who uses one need not have the other.
    if settings.store is StoreKind.CASSANDRA:
        from stores.cassandra.store import CassandraStore  # noqa: PLC0415 # see above

        return CassandraStore(settings, clock)
    from stores.influx.store import InfluxStore  # noqa: PLC0415 # see above

    return InfluxStore(settings, clock, events)


async def provision_store(settings: StoreSettings) -> None:
    """Makes the buckets, or the keyspace and its tables, be there. Raises StoreUnavailable and StoreConflict."""
    if settings.store is StoreKind.CASSANDRA:
        from stores.cassandra.setup import create_schema  # noqa: PLC0415 # see above

        await create_schema(settings)
    else:
        from stores.influx.setup import create_buckets  # noqa: PLC0415 # see above

        await create_buckets(settings)
