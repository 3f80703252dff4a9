"""A test's own store, as the services' environment names it."""

from collections.abc import Mapping

from stores.cassandra.settings import CassandraSettings
from stores.influx.settings import InfluxSettings

AnySettings = InfluxSettings | CassandraSettings


def environment_of_store(settings: AnySettings) -> Mapping[str, str]:
    """The variables that lead a service to it."""
    raw = {"COLLECTOR_RAW_STORAGE": settings.raw_storage or ""}
    if isinstance(settings, CassandraSettings):
        return raw | {
            "COLLECTOR_STORE": "cassandra",
            "COLLECTOR_CASSANDRA_HOSTS": settings.cassandra_hosts,
            "COLLECTOR_CASSANDRA_PORT": str(settings.cassandra_port),
            "COLLECTOR_CASSANDRA_KEYSPACE": settings.cassandra_keyspace,
        }
    return raw | {
        "COLLECTOR_STORE": "influx",
        "COLLECTOR_INFLUX_URL": str(settings.influx_url),
        "COLLECTOR_INFLUX_TOKEN": settings.influx_token.get_secret_value(),
        "COLLECTOR_INFLUX_ORG": settings.influx_org,
        "COLLECTOR_RAW_BUCKET": settings.raw_bucket,
        "COLLECTOR_HOURLY_BUCKET": settings.hourly_bucket,
    }
