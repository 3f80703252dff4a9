"""The topic for an event loop, which it does not block."""

import asyncio
from collections.abc import Mapping

from kafka_log.questions import ATTEMPT, TopicQuestions
from kafka_log.settings import KafkaSettings


class LogTopic:
    """What a worker asks of its topic. Each raises as TopicQuestions does."""

    def __init__(self, kafka: KafkaSettings, name: str) -> None:
        """Connections are made when first needed."""
        self.name = name
        self._questions = TopicQuestions(kafka, name, client_id="stream-worker", attempt=ATTEMPT)

    async def log(self) -> str:
        """The topic's id."""
        return (await asyncio.to_thread(self._questions.describe)).log

    async def verify(self, log: str) -> None:
        """Raises LogReplaced unless the topic is still `log`."""
        await asyncio.to_thread(self._questions.verify, log)

    async def ends(self) -> Mapping[int, int]:
        """For each partition the offset that its next record will get. Raises LogReplaced, too."""
        return (await asyncio.to_thread(self._questions.end_offsets))[1]

    async def require_append_time(self) -> None:
        """Raises LogUnfit unless the broker stamps the records: their timestamps must rise along a partition."""
        await asyncio.to_thread(self._questions.require_append_time)
