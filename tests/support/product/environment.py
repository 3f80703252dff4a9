from collections.abc import Mapping

from stores.influx.settings import InfluxSettings


def environment_of(bootstrap: str, topic: str, rejected_topic: str, influx: InfluxSettings) -> Mapping[str, str]:
    """The settings of all three services, for a topic and buckets of a test's own."""
    return {
        "COLLECTOR_KAFKA_BOOTSTRAP": bootstrap,
        "COLLECTOR_TOPIC": topic,
        "COLLECTOR_REJECTED_TOPIC": rejected_topic,
        "COLLECTOR_CONSUMER_GROUP": topic,
        "COLLECTOR_INFLUX_URL": str(influx.influx_url),
        "COLLECTOR_INFLUX_TOKEN": influx.influx_token.get_secret_value(),
        "COLLECTOR_INFLUX_ORG": influx.influx_org,
        "COLLECTOR_RAW_BUCKET": influx.raw_bucket,
        "COLLECTOR_HOURLY_BUCKET": influx.hourly_bucket,
        # The shortest that Kafka allows.
        "COLLECTOR_WORKER_SESSION_TIMEOUT": "PT6S",
        # A slow machine must not make a worker exit undrained.
        "COLLECTOR_WORKER_DRAIN_TIMEOUT": "PT50S",
    }
