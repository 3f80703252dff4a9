"""A broker with Kafka's defaults: it creates a topic that a client asks about, unless the client says not to."""

from deploy.local.services.kafka import Kafka


class DefaultKafka(Kafka):
    """One node."""

    def membership(self) -> str:
        return super().membership() + "auto.create.topics.enable=true\n"
