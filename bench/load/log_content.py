"""What a topic holds, as text: each line and how often it is there."""

import json
from collections import Counter

from confluent_kafka import Consumer, TopicPartition

from bench.load.traffic import Made

_SILENCE = 10.0


def lines_of(bootstrap: str, topic: str, partitions: int) -> Counter[Made]:
    """Every action in the topic, with the number of its copies."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "bench", "enable.auto.commit": False, "fetch.queue.backoff.ms": 5}
    )
    sources = [TopicPartition(topic, partition, 0) for partition in range(partitions)]
    left = sum(consumer.get_watermark_offsets(source)[1] for source in sources)
    consumer.assign(sources)
    texts: Counter[bytes] = Counter()
    while left:
        messages = consumer.consume(10_000, _SILENCE)
        if not messages:
            raise RuntimeError(f"{topic}: {left} records did not come")
        left -= len(messages)
        for message in messages:
            texts.update((message.value() or b"").removesuffix(b"\n").split(b"\n"))
    consumer.close()
    found: Counter[Made] = Counter()
    for text, copies in texts.items():
        found[Made(**json.loads(text))] += copies
    return found
