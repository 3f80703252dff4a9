"""What a transactional producer appends, and which of it are the pipeline's own actions."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from contract.log.action import Action, encode_action
from contract.log.partitioning import partition_of
from kafka_log.questions import TopicQuestions
from kafka_log.settings import KafkaSettings
from support.pipeline.eventually import eventually
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.transactions.client import TransactionalClient


class TransactionalProducer:
    """One transaction at a time. The end of each takes an offset of its own on each of its partitions: a marker."""

    def __init__(self, pipeline: Pipeline, client: TransactionalClient) -> None:
        self._pipeline = pipeline
        self._client = client
        self._questions = TopicQuestions(
            KafkaSettings(kafka_bootstrap=pipeline.bootstrap), pipeline.topic, client_id="test"
        )
        self._sent: dict[int, list[Action]] = defaultdict(list)

    def begin(self) -> None:
        self._client.begin()

    def send(self, actions: Iterable[Action], lines: int = 20) -> None:
        """Actions in records of so many lines, each on its user's partition; returns when they are in the log."""
        by_partition = defaultdict(list)
        for action in actions:
            by_partition[partition_of(action.user, PARTITIONS)].append(action)
        for partition, mine in by_partition.items():
            self._sent[partition] += mine
            groups = (mine[first : first + lines] for first in range(0, len(mine), lines))
            self._client.append(partition, [b"\n".join(map(encode_action, group)) for group in groups])

    async def commit(self) -> None:
        """Returns when the markers are in the log; nobody else may append meanwhile."""
        before = self._ends()
        self._client.commit()
        for partition, actions in self._sent.items():
            self._pipeline.lines[partition] += actions
        await self._ended(before)

    async def abort(self) -> None:
        """As `commit`."""
        before = self._ends()
        self._client.abort()
        await self._ended(before)

    async def _ended(self, before: dict[int, int]) -> None:
        # The broker answers the end of a transaction before its markers are in the log.
        touched = set(self._sent)
        self._sent.clear()
        await eventually(lambda: all(self._ends()[partition] > before[partition] for partition in touched))
        self._pipeline.ends |= {partition: self._ends()[partition] - 1 for partition in touched}

    def _ends(self) -> dict[int, int]:
        return dict(self._questions.end_offsets()[1])


NewProducer = Callable[[], TransactionalProducer]
