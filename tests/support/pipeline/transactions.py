"""Transactions of librdkafka's, whose committed actions are the pipeline's own."""

import secrets
from collections import defaultdict
from collections.abc import Iterable

from confluent_kafka import Producer

from contract.action import Action, encode_action
from contract.partitioning import partition_of
from kafka_log.questions import TopicQuestions
from support.pipeline.eventually import WITHIN, eventually
from support.pipeline.pipeline import PARTITIONS, Pipeline


class TransactionalProducer:
    """One transaction at a time. The end of each takes an offset of its own on each of its partitions: a marker."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._questions = TopicQuestions(pipeline.bootstrap, pipeline.topic, client_id="test")
        self._producer = Producer(
            {"bootstrap.servers": pipeline.bootstrap, "transactional.id": secrets.token_hex(6), "log_level": 0}
        )
        self._producer.init_transactions(WITHIN)
        self._sent: dict[int, list[Action]] = defaultdict(list)

    def begin(self) -> None:
        self._producer.begin_transaction()

    def send(self, actions: Iterable[Action], lines: int = 20) -> None:
        """Actions in records of so many lines, each on its user's partition; returns when they are in the log."""
        by_partition = defaultdict(list)
        for action in actions:
            by_partition[partition_of(action.user, PARTITIONS)].append(action)
        for partition, mine in by_partition.items():
            self._sent[partition] += mine
            for first in range(0, len(mine), lines):
                value = b"\n".join(map(encode_action, mine[first : first + lines]))
                self._producer.produce(self._pipeline.topic, value, partition=partition, headers={"partitions": b"4"})
        # An abort takes back what was not sent yet.
        assert self._producer.flush(60) == 0

    async def commit(self) -> None:
        """Returns when the markers are in the log; nobody else may append meanwhile."""
        before = self._ends()
        self._producer.commit_transaction(WITHIN)
        for partition, actions in self._sent.items():
            self._pipeline.lines[partition] += actions
        await self._ended(before)

    async def abort(self) -> None:
        """As `commit`."""
        before = self._ends()
        self._producer.abort_transaction(WITHIN)
        await self._ended(before)

    async def _ended(self, before: dict[int, int]) -> None:
        # The broker answers the end of a transaction before its markers are in the log.
        touched = set(self._sent)
        self._sent.clear()
        await eventually(lambda: all(self._ends()[partition] > before[partition] for partition in touched))
        self._pipeline.ends |= {partition: self._ends()[partition] - 1 for partition in touched}

    def _ends(self) -> dict[int, int]:
        return dict(self._questions.end_offsets()[1])
