"""A producer's transactions: the seam, and librdkafka behind it."""

import secrets
from typing import Protocol

from confluent_kafka import Producer

from support.pipeline.eventually import WITHIN

HEADER = ("partitions", b"4")


class TransactionalClient(Protocol):
    """One transaction at a time. Each method returns once the broker has answered."""

    def begin(self) -> None: ...

    def append(self, partition: int, values: list[bytes]) -> None:
        """Records of the transaction, which are in the log when it returns: an abort takes back what was not sent."""

    def commit(self) -> None: ...

    def abort(self) -> None: ...

    def close(self) -> None: ...


class Librdkafka:
    """Implements TransactionalClient."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "transactional.id": secrets.token_hex(6), "log_level": 0}
        )
        self._producer.init_transactions(WITHIN)

    def begin(self) -> None:
        self._producer.begin_transaction()

    def append(self, partition: int, values: list[bytes]) -> None:
        for value in values:
            self._producer.produce(self._topic, value, partition=partition, headers=[HEADER])
        assert self._producer.flush(WITHIN) == 0

    def commit(self) -> None:
        self._producer.commit_transaction(WITHIN)

    def abort(self) -> None:
        self._producer.abort_transaction(WITHIN)

    def close(self) -> None:
        """It gives its connections back when it is collected."""
