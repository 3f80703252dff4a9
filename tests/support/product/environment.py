from collections.abc import Mapping

from support.stores.environment import AnySettings, environment_of_store


def environment_of(bootstrap: str, topic: str, rejected_topic: str, store: AnySettings) -> Mapping[str, str]:
    """The settings of all three services, for a topic and a store of a test's own."""
    return {
        "COLLECTOR_KAFKA_BOOTSTRAP": bootstrap,
        "COLLECTOR_TOPIC": topic,
        "COLLECTOR_REJECTED_TOPIC": rejected_topic,
        "COLLECTOR_CONSUMER_GROUP": topic,
        **environment_of_store(store),
        # The shortest that Kafka allows.
        "COLLECTOR_WORKER_SESSION_TIMEOUT": "PT6S",
        # A slow machine must not make a worker exit undrained.
        "COLLECTOR_WORKER_DRAIN_TIMEOUT": "PT50S",
    }
