"""What a worker says of Kafka while it has nothing to store."""

import asyncio

import pytest

from contract.errors import LogUnavailable
from stream_workers import kafka_probe
from stream_workers.kafka_probe import KafkaProbe


class Topic:
    def __init__(self) -> None:
        self.asked = 0
        self.refusal: str | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def log(self) -> str:
        self.asked += 1
        await self.answers.wait()
        if self.refusal is not None:
            raise LogUnavailable(self.refusal)
        return "log"


async def answered(probe: KafkaProbe) -> str | None:
    """What it says once the question that this begins is answered."""
    probe.reason()
    assert probe._asking is not None  # noqa: SLF001 - nothing else tells that it is answered
    await probe._asking  # noqa: SLF001 - as above
    return probe.reason()


async def test_it_says_why_kafka_refuses_and_no_longer_once_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_probe, "FRESH", 0)
    topic = Topic()
    probe = KafkaProbe(topic)
    assert await answered(probe) is None
    topic.refusal = "refused"
    assert await answered(probe) == "refused"
    topic.refusal = None
    assert await answered(probe) is None


async def test_nobody_waits_for_kafka_and_it_is_asked_once_at_a_time() -> None:
    topic = Topic()
    topic.answers.clear()
    probe = KafkaProbe(topic)
    for _ in range(3):
        assert probe.reason() is None
        await asyncio.sleep(0)
    assert topic.asked == 1
    topic.answers.set()
    await answered(probe)


async def test_an_answer_stands_for_a_while() -> None:
    topic = Topic()
    probe = KafkaProbe(topic)
    for _ in range(3):
        await answered(probe)
    assert topic.asked == 1
